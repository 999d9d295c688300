"""Two processes, two halves of a batch, two gradients, and the one step that all of them take (chapter 14)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from course_utils.colours import CLOUD, FALSE_POSITIVE, INVALID

COLOURS = (CLOUD, FALSE_POSITIVE)
LEVELS = 12

Part = tuple[np.ndarray, np.ndarray]


def loss(weights: np.ndarray, part: Part) -> np.ndarray:
    """Binary cross-entropy of logistic regression with two weights.

    Args:
        weights: (..., 2).
        part: inputs (N, 2) and labels (N,) of 0 and 1.

    Returns:
        (...) mean over the N samples.
    """
    inputs, labels = part
    logits = weights @ inputs.T                         # (..., N)
    return (np.logaddexp(0, logits) - labels * logits).mean(axis=-1)


def gradient(weights: np.ndarray, part: Part) -> np.ndarray:
    """Derivative of `loss` with respect to the two weights.

    Args:
        weights: (2,).
        part: inputs (N, 2) and labels (N,) of 0 and 1.

    Returns:
        (2,).
    """
    inputs, labels = part
    return (1 / (1 + np.exp(-inputs @ weights)) - labels) @ inputs / len(labels)


def joined(parts: Sequence[Part]) -> Part:
    """Put the parts of a batch together.

    Args:
        parts: inputs and labels of each.

    Returns:
        Inputs and labels of all.
    """
    inputs, labels = zip(*parts, strict=True)
    return np.concatenate(inputs), np.concatenate(labels)


def draw_two_gradients(parts: Sequence[Part], weights: np.ndarray, axes: Sequence[Axes], step: float = 6.0) -> None:
    """Draw the loss of each of two parts with its way downhill, and the loss of both with the mean of the two ways.

    Args:
        parts: two halves of a batch, of equal size.
        weights: (2,), where the model stands.
        axes: three.
        step: length of an arrow, in gradients.

    Raises:
        ValueError: there are not two parts of equal size.
    """
    if len(parts) != 2 or len(parts[0][1]) != len(parts[1][1]):
        raise ValueError(f"found parts of {[len(labels) for _, labels in parts]} samples, expected two of equal size")
    ways = [-step * gradient(weights, part) for part in parts]
    reach = 1.35 * max(np.abs(way).max() for way in ways)
    line = np.linspace(-reach, reach, 61)
    grid = weights + np.stack(np.meshgrid(line, line), axis=-1)         # (61, 61, 2)
    for ax, part, title in zip(axes, (*parts, joined(parts)), ("process 0", "process 1", "both"), strict=True):
        ax.contour(grid[..., 0], grid[..., 1], loss(grid, part), LEVELS, colors="0.75", linewidths=0.8)
        ax.plot(*weights, "o", color=INVALID, markersize=5)
        ax.set(title=title, xticks=[], yticks=[], aspect="equal")
    for place, (way, colour) in enumerate(zip(ways, COLOURS, strict=True)):
        _arrow(axes[place], weights, way, colour, 2.5)
        _arrow(axes[2], weights, way, colour, 1.2)
    _arrow(axes[2], weights, np.mean(ways, axis=0), INVALID, 3.0)


def _arrow(ax: Axes, start: np.ndarray, way: np.ndarray, colour: str, width: float) -> None:
    """An arrow from a point."""
    ax.annotate("", start + way, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": width,
                                                    "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8 + 3 * width})
