"""A U-Net drawn from the model itself: every box is what one stage made of the image at hand (chapter 10)."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from course_utils.colours import CLOUD, FALSE_POSITIVE
from course_utils.models.unet import UNet

GAP = 0.42  # between the boxes of a column, in units of the widest box
FAN = 0.06  # how far the cards of a stack are apart, in units of its box


@dataclass(frozen=True)
class Stage:
    """What one stage of the network gave: its part of the model, and its output.

    Attributes:
        name: "encoder 0", "decoder 0" and so on, level 0 at full resolution; "head".
        features: (C, H, W) float32.
    """

    name: str
    features: Tensor


@torch.no_grad()
def stages(model: UNet, image: Tensor) -> list[Stage]:
    """Run an image through a U-Net and keep what every stage gives, in the order of computation.

    Args:
        model: a U-Net; put into eval mode.
        image: (C, H, W) float32, as the network takes it (scaled, if it was trained on scaled images).

    Returns:
        Encoders from the top down, decoders from the bottom up, the head: 2·depth + 2 stages.

    Raises:
        ValueError: as the model's `forward`.

    Example:
        >>> [tuple(stage.features.shape) for stage in stages(UNet(3, width=4, depth=1), torch.zeros(3, 8, 8))]
        [(4, 8, 8), (8, 4, 4), (4, 8, 8), (1, 8, 8)]
    """
    named = {f"encoder {level}": part for level, part in enumerate(model.encoders)}
    depth = len(model.decoders)
    named |= {f"decoder {depth - 1 - place}": part for place, part in enumerate(model.decoders)}
    named["head"] = model.head
    seen: list[Stage] = []

    def keep(name: str):
        def hook(part: nn.Module, inputs: tuple, output: Tensor) -> None:
            seen.append(Stage(name, output[0].float().clone()))

        return hook

    handles = [part.register_forward_hook(keep(name)) for name, part in named.items()]
    try:
        model.eval()(image[None])
    finally:
        for handle in handles:
            handle.remove()
    return seen


def draw_unet(model: UNet, image: Tensor, picture: np.ndarray, ax: Axes) -> list[Stage]:
    """Draw a U-Net with an image's own feature maps in its boxes, its skip connections as arrows.

    A box is as high as the square root of the rows that its features have; a stack has a card for every factor of two
    in its channels. The front cards are the channels that vary most over the image.

    Args:
        model: a U-Net; put into eval mode.
        image: (C, H, W) float32, as the network takes it.
        picture: (H, W, 3), the same image for the eye.
        ax: where to draw; about 5 inches wide.

    Returns:
        The stages that are drawn, as `stages` gives them.
    """
    seen = stages(model, image)
    depth = len(model.decoders)
    rows = image.shape[1]
    side = [(seen[level].features.shape[1] / rows) ** 0.5 for level in range(depth + 1)]
    tops = [-sum(side[:level]) - GAP * level for level in range(depth + 1)]
    left = [1.35 + 0.22 * level for level in range(depth)]  # the encoders' columns; the decoders mirror them
    middle = left[-1] + side[depth - 1] + 0.28 + side[depth] / 2
    places = {}
    for level in range(depth):
        places[f"encoder {level}"] = (left[level], tops[level], side[level])
        places[f"decoder {level}"] = (2 * middle - left[level] - side[level], tops[level], side[level])
    places[f"encoder {depth}"] = (middle - side[depth] / 2, tops[depth], side[depth])

    _picture(ax, picture, (0, 0, 1))
    ax.text(0.5, 0.06, f"image {image.shape[0]}×{rows}²", ha="center", va="bottom", size=9)
    for stage in seen[:-1]:
        _stack(ax, stage, places[stage.name])
    answer = (2 * middle - 1, 0, 1)
    _picture(ax, seen[-1].features[0].sigmoid().numpy(), answer, cmap="gray", vmin=0, vmax=1)
    ax.text(answer[0] + 0.5, 0.06, f"cloud 1×{rows}²", ha="center", va="bottom", size=9)
    _arrows(ax, places, depth, answer, model.skips)
    ax.set(xlim=(-0.05, 2 * middle + 0.05), ylim=(tops[depth] - side[depth] - 0.32, 0.32), aspect="equal")
    ax.axis("off")
    return seen


def _picture(ax: Axes, pixels: np.ndarray, place: tuple[float, float, float], order: float = 2, **imshow) -> None:
    """Put an image into a box: left edge, top edge, side."""
    x, top, side = place
    ax.imshow(pixels, extent=(x, x + side, top - side, top), zorder=order, **imshow)
    ax.add_patch(Rectangle((x, top - side), side, side, fill=False, edgecolor="0.25", linewidth=0.6, zorder=order))


def _stack(ax: Axes, stage: Stage, place: tuple[float, float, float]) -> None:
    """Draw a stage's liveliest channels as a fan of cards, and its shape above."""
    channels, rows, columns = stage.features.shape
    cards = max(1, int(np.log2(channels)) - 1)
    liveliest = stage.features.flatten(1).std(dim=1).argsort(descending=True)[:cards].tolist()
    x, top, side = place
    step = FAN * side
    shown = side - step * (cards - 1)
    for depth, channel in reversed(list(enumerate(liveliest))):
        card = stage.features[channel].numpy()
        low, high = np.percentile(card, (2, 98))
        at = (x + step * depth, top - step * (cards - 1 - depth), shown)
        _picture(ax, card, at, order=3 - depth / 10, cmap="cividis", vmin=low, vmax=max(high, low + 1e-6))
    size = f"{rows}²" if rows == columns else f"{rows}×{columns}"
    ax.text(x + side / 2, top + 0.05, f"{channels}×{size}", ha="center", va="bottom", size=9)


def _arrows(ax: Axes, places: dict, depth: int, answer: tuple[float, float, float], skips: bool) -> None:
    """Draw the way of the data: across the skips, down by pooling, up again."""
    def arrow(start, end, colour, **line):
        ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.4,
                                                "shrinkA": 1, "shrinkB": 1, **line}, zorder=5)

    down = "0.35"
    for level in range(depth):
        x, top, side = places[f"encoder {level}"]
        right, _, _ = places[f"decoder {level}"]
        low_x, low_top, low_side = places[f"encoder {level + 1}"]
        up_x = places[f"decoder {level + 1}"][0] if level + 1 < depth else low_x
        if skips:
            arrow((x + side, top - side / 2), (right, top - side / 2), FALSE_POSITIVE, linestyle="--")
        if level + 1 < depth:  # between the columns, from the foot of one box to the label of the next
            arrow((x + side / 2, top - side), (low_x + low_side / 2, low_top + 0.2), down)
            arrow((up_x + low_side / 2, low_top + 0.2), (right + side / 2, top - side), CLOUD)
        else:  # into the bottom box from the left, out of it to the right
            arrow((x + side / 2, top - side), (low_x, low_top - low_side / 2), down)
            arrow((low_x + low_side, low_top - low_side / 2), (right + side / 2, top - side), CLOUD)
    first, last = places["encoder 0"], places["decoder 0"]
    arrow((1, -0.5), (first[0], -0.5), down)
    arrow((last[0] + last[2], -0.5), (answer[0], -0.5), CLOUD)
