"""What a classification job leaves behind: a table of classes and two pictures (chapter 14)."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.colours import CLOUD, FALSE_POSITIVE, STYLE
from course_utils.files import aside

__all__ = ["TABLE", "class_table", "draw_batch", "draw_confusion", "rates", "save_report"]

TABLE = "classes.txt"


def rates(confusion: Tensor) -> tuple[list[float], list[float]]:
    """Per-class accuracy and prediction success, as remote sensing's producer's and user's accuracy.

    Args:
        confusion: (classes, classes) counts, a row for each true class, a column for each that was said.

    Returns:
        For each class, the share of its pictures that was given its name (recall), and the share of the pictures given
        its name that is of it (precision); NaN where there are none.

    Example:
        >>> import torch
        >>> rates(torch.tensor([[3, 1], [0, 2]]))
        ([0.75, 1.0], [1.0, 0.6666666666666666])
    """
    counts = confusion.double()
    right = counts.diagonal()
    return (right / counts.sum(dim=1)).tolist(), (right / counts.sum(dim=0)).tolist()


def class_table(confusion: Tensor, names: Sequence[str]) -> str:
    """Write per-class accuracy and prediction success as a table, the classes below each other.

    Args:
        confusion: (classes, classes) counts.
        names: of the classes.

    Returns:
        Text of several lines; a dash where there is nothing to share.

    Example:
        >>> import torch
        >>> for line in class_table(torch.tensor([[3, 1], [0, 2]]), ["cat", "dog"]).splitlines():
        ...     print(line.split())
        ['class', 'accuracy', 'success', 'pictures']
        ['cat', '0.75', '1.00', '4']
        ['dog', '1.00', '0.67', '2']
    """
    lines = [f"{'class':10}  accuracy  success  pictures"]
    pictures = confusion.sum(dim=1).tolist()
    for name, accuracy, success, count in zip(names, *rates(confusion), pictures, strict=True):
        shown = ["–" if math.isnan(value) else f"{value:.2f}" for value in (accuracy, success)]
        lines.append(f"{name:10}  {shown[0]:>8}  {shown[1]:>7}  {count:>8}")
    return "\n".join(lines)


def draw_confusion(confusion: Tensor, names: Sequence[str], ax: Axes) -> Axes:
    """Draw which classes are taken for which: each row's shares.

    Args:
        confusion: (classes, classes) counts.
        names: of the classes.
        ax: where to draw.

    Returns:
        The axes.
    """
    shares = (confusion / confusion.sum(dim=1, keepdim=True).clamp(min=1)).numpy()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(shares >= 0.05), strict=True):
        ax.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", fontsize=10,
                color="white" if shares[row, column] > 0.6 else "black")
    places = range(len(names))
    ax.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_yticks(places, names)
    ax.set(xlabel="called", ylabel="is", title="per cent of each row")
    return ax


def draw_batch(images: Tensor, truth: Tensor, called: Tensor, names: Sequence[str], axes: Sequence[Axes]) -> None:
    """Show pictures with what they are called, and with what they are where that is not the same.

    Args:
        images: (B, 3, H, W) in 0–1.
        truth: (B,) classes.
        called: (B,) classes.
        names: of the classes.
        axes: one for each picture that is shown; those left over stay empty.
    """
    for ax in axes:
        ax.set_axis_off()
    for ax, image, is_class, said in zip(axes, images, truth.tolist(), called.tolist(), strict=False):
        ax.imshow(image.movedim(0, -1).numpy())
        right = is_class == said
        ax.set_title(names[said] if right else f"{names[said]},\nis {names[is_class]}", fontsize=10,
                     fontweight="normal", color=CLOUD if right else FALSE_POSITIVE)


def save_report(
    folder: str | Path, confusion: Tensor, names: Sequence[str], last: tuple[Tensor, Tensor, Tensor]
) -> None:
    """Write ``classes.txt``, ``overall.png`` and ``last_batch.png``, without a screen.

    Args:
        folder: where to.
        confusion: (classes, classes) counts.
        names: of the classes.
        last: images, truth and what was called, of the last batch.
    """
    folder = Path(folder)
    with aside(folder / TABLE) as new:
        new.write_text(class_table(confusion, names) + "\n", encoding="utf-8")
    with mpl.rc_context(STYLE):
        overall = Figure(figsize=(5.4, 5.4))
        draw_confusion(confusion, names, overall.subplots())
        batch = Figure(figsize=(5.4, 5.4))
        draw_batch(*last, names, list(batch.subplots(4, 4).flat))
        for name, figure in (("overall.png", overall), ("last_batch.png", batch)):
            with aside(folder / name) as new:
                figure.savefig(new)
