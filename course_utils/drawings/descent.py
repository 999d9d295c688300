"""A loss surface seen from above, and paths that walk down it (chapter 03)."""

from collections.abc import Callable, Sequence

import torch
from matplotlib import colormaps
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from torch import Tensor

from course_utils.colours import FALSE_POSITIVE

GRID = 101          # points on a side
RINGS = 12          # levels of the map; each is this many times as high above the bottom as the one inside it:
GROWTH = 1.9


def bowl(
    loss: Callable[[Tensor], Tensor], across: tuple, up: tuple, ax: Axes, title: str | None = None,
    names: tuple[str, str] = ("slope m", "intercept c"),
) -> Axes:
    """Draw the loss of two parameters as a map: the darker, the lower, with a cross at the lowest point.

    Args:
        loss: gives (...) losses for (..., 2) parameters.
        across: smallest and largest value of the first parameter.
        up: smallest and largest value of the second.
        ax: where to draw.
        title: a short heading.
        names: of the two parameters.

    Returns:
        The axes.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> ax = bowl(lambda p: (p**2).sum(-1), (-1, 1), (-1, 1), plt.figure().gca())
    """
    first, second = torch.linspace(*across, GRID), torch.linspace(*up, GRID)
    points = torch.stack(torch.meshgrid(first, second, indexing="xy"), dim=-1)      # (rows, columns, 2)
    height = torch.stack([loss(row) for row in points])         # a row at a time: all at once may need 100 MB
    above = height - height.min()
    levels = above.max() / GROWTH ** torch.arange(RINGS, -1, -1.0)
    shades = colormaps["Blues_r"](torch.linspace(0.0, 0.85, RINGS + 1).numpy())
    ax.contourf(first, second, above, levels=[0.0, *levels.tolist()], colors=shades)
    ax.plot(*points.flatten(0, 1)[above.argmin()], "+", color="white", markersize=9, markeredgewidth=2)
    ax.set(xlim=across, ylim=up, xlabel=names[0], ylabel=names[1])
    if title:
        ax.set_title(title)
    return ax


def trace(ax: Axes, path: Tensor, colour: str = FALSE_POSITIVE) -> tuple:
    """Draw a path of parameters: a line with a dot for each step, and a large dot where it has arrived.

    Args:
        ax: where to draw.
        path: (steps + 1, 2).
        colour: of line and dots.

    Returns:
        The line and the large dot.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> line, end = trace(plt.figure().gca(), torch.zeros(3, 2))
    """
    (line,) = ax.plot(*path.T, ".-", color=colour, linewidth=1.2, markersize=4)
    (end,) = ax.plot(*path[-1:].T, "o", color=colour, markeredgecolor="white", markersize=8)
    return line, end


def walk(axes: Sequence[Axes], paths: Sequence[Tensor], also: Callable[[int], None] | None = None) -> FuncAnimation:
    """Animate paths, each on its own axes, a step a frame; the figure's heading counts the steps.

    Args:
        axes: one for each path, all of one figure.
        paths: of parameters, (steps + 1, 2) each; a shorter one waits at its end.
        also: is called with the step of each frame, to draw what belongs to it.

    Returns:
        The animation, for `animations.player`.

    Raises:
        ValueError: not one axes for each path.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> from course_utils.animations import player
        >>> player(walk([plt.figure().gca()], [torch.eye(2)]), alt="One step from right to top.").frames
        2
    """
    if len(axes) != len(paths):
        raise ValueError(f"found {len(axes)} axes and {len(paths)} paths; expected one of each")
    fig = axes[0].figure
    drawn = [trace(ax, path[:1]) for ax, path in zip(axes, paths, strict=True)]
    heading = fig.suptitle("step 0", fontsize=11)

    def show(step: int):
        for (line, end), path in zip(drawn, paths, strict=True):
            line.set_data(*path[: step + 1].T)
            end.set_data(*path[: step + 1][-1:].T)
        heading.set_text(f"step {step}")
        if also:
            also(step)

    return FuncAnimation(fig, show, frames=max(map(len, paths)), interval=200)
