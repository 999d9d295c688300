"""Memory as a strip of cells, a tensor as a walk along it (chapter 01)."""

from itertools import pairwise, product

import torch
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from course_utils.colours import CLOUD, FALSE_POSITIVE
from course_utils.drawings.cells import draw_cell

GAP = 1.5  # cells between the strip and the tensor drawn beside it


def memory_walk(view: torch.Tensor, ax, labels=None, colours=None, title=None):
    """Draw the memory behind a small tensor and the hops that reading it row by row takes.

    The strip shows all the memory that the tensor belongs to. Cells that it reads are bright and joined by arrows in
    reading order; the first hop of every length carries that length. A hop backwards is drawn below the strip. The
    tensor itself is drawn to the right.

    Args:
        view: a tensor of one or two dimensions with at most 64 numbers of memory behind it, on the CPU.
        ax: where to draw.
        labels: what to write in each cell of memory; its value when absent.
        colours: of each cell of memory; one blue when absent.
        title: a short heading.

    Returns:
        The axes.

    Raises:
        ValueError: too many dimensions or cells, or labels or colours that do not fit the memory.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> ax = memory_walk(torch.arange(6).view(2, 3).T, plt.figure().gca())
    """
    memory = torch.empty(0, dtype=view.dtype).set_(view.untyped_storage())
    if view.ndim not in (1, 2) or view.numel() == 0 or memory.numel() > 64:
        raise ValueError(
            f"found shape {tuple(view.shape)} with {memory.numel()} numbers of memory; expected one or two dimensions "
            "and at most 64; draw a smaller tensor"
        )
    labels = [str(value) for value in memory.tolist()] if labels is None else list(labels)
    colours = [CLOUD] * memory.numel() if colours is None else list(colours)
    if not len(labels) == len(colours) == memory.numel():
        raise ValueError(f"found {len(labels)} labels and {len(colours)} colours; expected {memory.numel()} of each")

    path = visited(view)
    for cell in range(memory.numel()):
        draw_cell(ax, cell, 0, labels[cell], colours[cell], bright=cell in path)
    lengths = set()
    for here, there in pairwise(path):
        _hop(ax, here, there, named=there - here not in lengths)
        lengths.add(there - here)

    rows, columns = view.shape if view.ndim == 2 else (1, len(view))
    for cell, (row, column) in zip(path, product(range(rows), range(columns)), strict=True):
        across, down = memory.numel() + GAP + column, (rows - 1) / 2 - row
        draw_cell(ax, across, down, labels[cell], colours[cell], bright=True)

    below = min(-0.1, -0.2 - _rise(min(lengths, default=0)) if min(lengths, default=0) < 0 else 0, (1 - rows) / 2 - 0.1)
    above = max(1.3 + _rise(max(lengths, default=0)), (1 + rows) / 2 + 0.1)
    ax.set(xlim=(-0.1, memory.numel() + GAP + max(view.shape) + 0.1), ylim=(below, above), aspect="equal", anchor="W")
    ax.axis("off")
    if title:
        ax.set_title(title, loc="left")
    return ax


def visited(view: torch.Tensor) -> list[int]:
    """List the places in memory that reading a tensor row by row visits, in order.

    Args:
        view: any tensor with strides.

    Returns:
        For each number its distance from the start of the memory, counted in numbers.

    Example:
        >>> visited(torch.arange(6).view(2, 3).T)
        [0, 3, 1, 4, 2, 5]
    """
    places = product(*(range(size) for size in view.shape))
    hops = view.stride()
    return [view.storage_offset() + sum(i * hop for i, hop in zip(place, hops, strict=True)) for place in places]


def _rise(hop):
    """How far the arrow of a hop stands off the strip, its number included."""
    return 0.55 + 0.2 * abs(hop)


def _hop(ax, here, there, named):
    """An arrow from one cell to another: over the strip when forwards, under it when backwards."""
    hop = there - here
    side, start, colour = (1, 1.05, "#222222") if hop > 0 else (-1, -0.05, FALSE_POSITIVE)
    top = start + side * (_rise(hop) - 0.45)
    # A quadratic curve reaches half the height of its control point.
    curve = Path([(here + 0.5, start), ((here + there + 1) / 2, 2 * top - start), (there + 0.5, start)],
                 [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    ax.add_patch(FancyArrowPatch(path=curve, arrowstyle="-|>", mutation_scale=9, linewidth=1.4, color=colour))
    if named:
        middle = (here + there + 1) / 2
        ax.text(middle, top + side * 0.3, f"{hop:+d}".replace("-", "−"), ha="center", va="center", color=colour)
