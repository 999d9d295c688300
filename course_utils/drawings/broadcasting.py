"""Two tensors stretched to a common shape, drawn as grids (chapter 01)."""

import torch

from course_utils.colours import CLOUD, FALSE_POSITIVE
from course_utils.drawings.cells import draw_cell

GREEN = "#007A5A"
GAP = 1.6


def broadcast_grids(first: torch.Tensor, second: torch.Tensor, result: torch.Tensor, ax, sign="+", title=None):
    """Draw how two small tensors are stretched to one shape, and the result.

    Numbers that exist are bright; the copies that broadcasting pretends to make are faded.

    Args:
        first: one or two dimensions.
        second: one or two dimensions, of a shape that broadcasts with the first.
        result: what the operation gives.
        ax: where to draw.
        sign: of the operation.
        title: a short heading.

    Returns:
        The axes.

    Raises:
        ValueError: more than two dimensions, or a result of another shape than the operands broadcast to.
        RuntimeError: torch's own, for shapes that do not broadcast.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> a, b = torch.tensor([[1], [2]]), torch.tensor([10, 20, 30])
        >>> ax = broadcast_grids(a, b, a + b, plt.figure().gca())
    """
    shape = torch.broadcast_shapes(first.shape, second.shape)
    if len(shape) not in (1, 2) or result.shape != shape:
        raise ValueError(
            f"found shapes {tuple(first.shape)}, {tuple(second.shape)} and a result of {tuple(result.shape)}; expected "
            "one or two dimensions and the result of the two"
        )
    rows, columns = (1, *shape)[-2:]
    across = 0.0
    for tensor, colour, after in ((first, CLOUD, sign), (second, GREEN, "="), (result, FALSE_POSITIVE, "")):
        _grid(ax, tensor, (rows, columns), across, colour)
        ax.text(across + columns / 2, -0.5, str(tuple(tensor.shape)), ha="center", va="center")
        ax.text(across + columns + GAP / 2, rows / 2, after, ha="center", va="center", size=14)
        across += columns + GAP
    ax.set(xlim=(-0.1, across - GAP + 0.1), ylim=(-0.9, rows + 0.1), aspect="equal", anchor="W")
    ax.axis("off")
    if title:
        ax.set_title(title, loc="left")
    return ax


def _grid(ax, tensor, shape, across, colour):
    """One tensor, stretched; a cell is real where its place exists in the tensor."""
    own_rows, own_columns = (1, 1, *tensor.shape)[-2:]
    values = tensor.expand(shape).tolist()
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            real = row < own_rows and column < own_columns
            draw_cell(ax, across + column, shape[0] - 1 - row, f"{value:g}".replace("-", "−"), colour, bright=real)
