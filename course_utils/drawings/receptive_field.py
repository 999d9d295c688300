"""What one number of a deep layer has seen, layer by layer back to the image (chapter 07)."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.colours import FALSE_POSITIVE
from course_utils.drawings.patches import readers

STEPS = 7           # frames from one layer to the next
REST = 3            # frames at each layer


def layout(layers: Sequence[dict]) -> tuple[list[np.ndarray], int]:
    """Work out where the cells lie that each cell of a layer reads, and how far neighbours of the last layer lie apart.

    Args:
        layers: for each layer, from the image up, its ``kernel`` and, if they are not 1, ``stride`` and ``dilation``.

    Returns:
        For each layer the places that a cell reads, in pixels from its own middle; the jump of the last layer, pixels.

    Example:
        >>> taps, jump = layout([{"kernel": 3, "stride": 2}, {"kernel": 3}])
        >>> [reads.tolist() for reads in taps], jump
        ([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]], 2)
    """
    taps, jump = [], 1
    for layer in layers:
        kernel = layer["kernel"]
        taps.append(jump * layer.get("dilation", 1) * (np.arange(kernel) - (kernel - 1) / 2))
        jump *= layer.get("stride", 1)
    return taps, jump


def grow(image: np.ndarray, stacks: Mapping[str, Sequence[dict]], axes: Sequence[Axes]) -> FuncAnimation:
    """Animate what one number of the last layer has seen, for several stacks; then what its neighbour has seen.

    Args:
        image: (H, W), shown under the cells; every field has to lie inside it.
        stacks: a name for each list of layers, as `layout` takes them; as many layers in each.
        axes: one for each stack, all of one figure.

    Returns:
        The animation, for `animations.player`.

    Raises:
        ValueError: not one axes for each stack, stacks of unequal depth, or a field that leaves the image.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> from course_utils.animations import player
        >>> moving = grow(np.zeros((9, 9)), {"two": [{"kernel": 3}] * 2}, [plt.figure().gca()])
        >>> player(moving, alt="One cell, nine cells, twenty-five.").frames
        30
    """
    depths = {len(layers) for layers in stacks.values()}
    if len(axes) != len(stacks) or len(depths) != 1:
        raise ValueError(f"found {len(axes)} axes and {len(stacks)} stacks of {sorted(depths)} layers; expected one "
                         "axes for each stack and as many layers in each")
    (depth,) = depths
    panels = [_Panel(ax, image, name, layers) for ax, (name, layers) in zip(axes, stacks.items(), strict=True)]
    fig = axes[0].figure
    heading = fig.suptitle("the image", fontsize=11)

    still = [(level, 1.0) for level in range(depth, -2, -1) for _ in range(REST)]
    moves = [(level, share) for level in range(depth - 1, -2, -1) for share in np.arange(1, STEPS) / STEPS]
    frames = sorted(still + moves, key=lambda frame: (-frame[0], frame[1]))

    def show(frame):
        level, share = frame
        for panel in panels:
            panel.show(level, share)
        heading.set_text("its neighbour in the last layer" if level < 0 else f"layer {level}" if level else "the image")

    return FuncAnimation(fig, show, frames=frames, interval=130)


class _Panel:
    """One stack over the image: cells that are read, the frame around what was seen, the neighbour's frame."""

    def __init__(self, ax, image, name, layers):
        self.taps, self.jump = layout(layers)
        height, width = image.shape
        self.middle = np.array([(width - 1 - self.jump) // 2, (height - 1) // 2])
        self.levels = [sorted(places) for places in readers([taps.tolist() for taps in self.taps], 0.0)]
        first, last = self.levels[0][0], self.levels[0][-1]
        self.side = int(last - first) + 1
        left, top = self.middle + first
        if min(left, top) < 0 or left + self.jump + self.side > width or top + self.side > height:
            raise ValueError(f"found a field of {self.side} pixels and a jump of {self.jump} on an image of {height} × "
                             f"{width}; expected an image that holds both fields")
        ax.imshow(image, cmap="gray")
        ax.set(xticks=[], yticks=[], title=name, xlabel=f"sees {self.side}×{self.side}, jumps {self.jump}")
        (self.cells,) = ax.plot([], [], "s", color=FALSE_POSITIVE, markersize=2.6, markeredgewidth=0)
        self.field, self.neighbour = (
            ax.add_patch(Rectangle((left - 0.5, top - 0.5), self.side, self.side, fill=False, edgecolor=colour,
                                   linewidth=2, linestyle=line, visible=False, antialiased=False))
            for colour, line in ((FALSE_POSITIVE, "-"), ("white", (0, (2, 1)))))

    def show(self, level, share):
        """The cells of a layer, on their way from the layer above; level −1: the neighbour's field leaves the first."""
        seen = self.levels[max(level, 0)]
        if 0 <= level < len(self.taps):
            seen = [place + share * tap for place, tap in product(self.levels[level + 1], self.taps[level])]
        across, down = np.meshgrid(seen, seen)
        self.cells.set_data(self.middle[0] + across.ravel(), self.middle[1] + down.ravel())
        self.field.set_visible(level < 0 or (level == 0 and share == 1))
        self.neighbour.set_visible(level < 0)
        self.neighbour.set_x(self.middle[0] + self.levels[0][0] - 0.5 + share * self.jump)
