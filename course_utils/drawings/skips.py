"""An image on its way through two U-Nets, one without skip connections and one with them (chapter 10)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor
from torch.nn import functional as F

from course_utils.colours import CLOUD, CONFUSION_COLOURS, FALSE_POSITIVE
from course_utils.drawings.unet import stages
from course_utils.models.scaled import Scaled

ACROSS, DOWN, APART = 1.4, 1.25, 2.75         # from box to box, and from U to U, in sides of a box
GROWTH = (0.5, 1.0)                         # lengths of an arrow, frame by frame

Place = tuple[float, float]                 # column and row of a box in its U


@dataclass(frozen=True)
class Hop:
    """One step of the way: from one or two boxes to the next.

    Attributes:
        starts: places that arrows leave; the second is where a skip begins.
        end: the place that is filled.
        pixels: what is seen there, (h, w) or (h, w, 3).
    """

    starts: tuple[Place, ...]
    end: Place
    pixels: np.ndarray


def following(features: Tensor, mask: np.ndarray) -> np.ndarray:
    """Choose the channel that follows the mask best: the one with the highest correlation.

    Args:
        features: (C, H, W).
        mask: (nH, nW) bool; it is averaged over blocks of n × n.

    Returns:
        (H, W) of that channel.

    Example:
        >>> following(torch.stack([torch.ones(2, 2), torch.eye(2)]), np.eye(4, dtype=bool)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    share = F.avg_pool2d(torch.from_numpy(mask).float()[None], mask.shape[0] // features.shape[1])
    likeness = torch.corrcoef(torch.cat([share, features]).flatten(1))[0, 1:]
    return features[int(likeness.nan_to_num(nan=-1).argmax())].numpy()      # nan: a channel without variation


def trip(model: Scaled, cut: float, image: Tensor, mask: np.ndarray, part: tuple[slice, slice]) -> list[Hop]:
    """Follow an image through a U-Net, down the left column, up the right one.

    Args:
        model: a scaled U-Net, with or without skips; put into eval mode.
        cut: cloud is where the probability is at least this.
        image: (C, H, W) float32 reflectance.
        mask: (H, W) bool, the truth.
        part: rows and columns that are shown, multiples of the network's `factor`.

    Returns:
        A hop for each stage: of encoders and decoders the channel that `following` chooses, of the head the answer in
        the colours of `plots.confusion_map`.
    """
    depth, truth = len(model.net.decoders), mask[part]
    column = [(0.0, level + 1.0) for level in range(depth)] + [(0.5, depth + 1.0)]
    column += [(1.0, float(level)) for level in range(depth, -1, -1)]
    seen = stages(model.net, (image - model.mean) / model.spread)
    hops, at = [], (0.0, 0.0)
    for number, (end, stage) in enumerate(zip(column, seen, strict=True)):
        shrunk = image.shape[1] // stage.features.shape[1]
        rows, columns = (slice(side.start // shrunk, side.stop // shrunk) for side in part)
        small = stage.features[:, rows, columns]
        answer = number == len(seen) - 1
        pixels = compared(small[0].sigmoid().numpy() >= cut, truth) if answer else following(small, truth)
        skip = ((0.0, end[1]),) if model.net.skips and depth < number <= 2 * depth else ()
        hops.append(Hop((at, *skip), end, pixels))
        at = end
    return hops


def compared(pred: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Paint where a prediction agrees with the truth, and which way it errs where it does not.

    Args:
        pred: (H, W) bool.
        mask: (H, W) bool.

    Returns:
        (H, W, 3) float.

    Example:
        >>> compared(np.array([[True]]), np.array([[True]])).shape
        (1, 1, 3)
    """
    painted = np.zeros((*mask.shape, 3))
    for (said, true), (_, colour) in CONFUSION_COLOURS.items():
        painted[(pred == said) & (mask == true)] = to_rgb(colour)
    return painted


def travel(ax: Axes, picture: np.ndarray, trips: Mapping[str, list[Hop]]) -> FuncAnimation:
    """Animate the way of an image through several U-Nets of the same depth, side by side.

    Args:
        ax: where to draw; the only axes of its figure.
        picture: the image for the eye, (h, w) or (h, w, 3), of the part that `trip` shows.
        trips: what `trip` gives, by the heading of each network.

    Returns:
        The animation, for `animations.player`.

    Raises:
        ValueError: the trips have unequal numbers of hops.
    """
    counts = {len(hops) for hops in trips.values()}
    if len(counts) != 1:
        raise ValueError(f"found trips of {sorted(counts)} hops; expected networks of the same depth")
    (count,) = counts
    drawn = []                      # for each hop: its number, what fills the box, its arrows
    for left, (name, hops) in zip(np.arange(len(trips)) * APART, trips.items(), strict=True):
        ax.text(left + (1 + ACROSS) / 2, 0.3, name, ha="center", va="bottom", weight="bold")
        _fill(ax, left, (0.0, 0.0), picture, "image")
        for number, hop in enumerate(hops):
            name = "answer" if number == count - 1 else f"{hop.pixels.shape[0]}²"
            drawn.append((number, _fill(ax, left, hop.end, hop.pixels, name), _arrows(ax, left, hop)))
    deepest = max(hop.end[1] for _, *hops in trips.values() for hop in hops)
    ax.set(xlim=(-0.05, APART * (len(trips) - 1) + ACROSS + 1.05), ylim=(-DOWN * deepest - 1.05, 0.6), aspect="equal")
    ax.axis("off")

    def show(frame):
        now, length = frame
        for number, content, arrows in drawn:
            for part in content:
                part.set_visible(number < now or (number == now and length is None))
            for arrow, start, end in arrows:
                grown = 1 if number < now or length is None else length
                arrow.set_visible(number <= now)
                arrow.set_positions(start, start + grown * (end - start))

    frames = [(number, length) for number in range(count) for length in (*GROWTH, None)]
    return FuncAnimation(ax.figure, show, frames=frames, interval=350)


def _corner(left: float, place: Place) -> np.ndarray:
    """The upper left corner of a box."""
    return np.array([left + ACROSS * place[0], -DOWN * place[1]])


def _fill(ax: Axes, left: float, place: Place, pixels: np.ndarray, name: str) -> list:
    """Draw a box that stays, and give what comes into it: the picture and its name."""
    x, top = _corner(left, place)
    ax.add_patch(Rectangle((x, top - 1), 1, 1, facecolor="0.93", edgecolor="0.25", linewidth=0.6))
    low, high = np.percentile(pixels, (2, 98))
    shown = ax.imshow(pixels, cmap="cividis" if place[1] else "gray", vmin=low, vmax=max(high, low + 1e-6),
                      extent=(x, x + 1, top - 1, top), zorder=2)
    between = place[0] == 0.5                   # at the bottom, between two arrows
    return [shown, ax.text(x + between / 2, top + 0.03, name, ha="center" if between else "left", va="bottom", size=9)]


def _arrows(ax: Axes, left: float, hop: Hop) -> list[tuple[FancyArrowPatch, np.ndarray, np.ndarray]]:
    """The arrows into a box, each with its two ends: grey down, blue up, dashed across."""
    made, half = [], np.array([0.5, -0.5])
    target = _corner(left, hop.end) + half
    for number, place in enumerate(hop.starts):
        source = _corner(left, place) + half
        if number:
            off, colour, line = np.array([0.53, 0]), FALSE_POSITIVE, "--"
        else:
            aside, up = 0.25 * np.sign(hop.end[0] - place[0]), np.sign(place[1] - hop.end[1])
            off, colour, line = np.array([aside, 0.53 * up]), CLOUD if up > 0 else "0.35", "-"
        ends = source + off, target - off
        arrow = ax.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0,
                                             color=colour, linestyle=line, linewidth=1.4, zorder=3))
        made.append((arrow, *ends))
    return made
