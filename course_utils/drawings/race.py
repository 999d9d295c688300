"""A map that is answered patch by patch beside the same map from a dense network, on one clock (chapter 09)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from course_utils.codes import CLEAR, IGNORE, THICK
from course_utils.colours import CLOUD, CODE_COLOURS, FALSE_POSITIVE

PATCH = 32          # pixels; the pixel that is asked about is at place 16, 16
FRAMES = 32
WAITING = "#D9E2EA"


def places(answer: np.ndarray) -> np.ndarray:
    """List the pixels that have an answer, in the order in which they are asked: middle row and below, then the rest.

    Args:
        answer: (H, W) codes.

    Returns:
        (N, 2) rows and columns.

    Example:
        >>> places(np.array([[1, 1], [255, 0]])).tolist()
        [[1, 1], [0, 0], [0, 1]]
    """
    found = np.argwhere(answer != IGNORE)
    below = found[:, 0] >= len(answer) // 2
    return np.concatenate([found[below], found[~below]])


def race(
    axes: Sequence[Axes], picture: np.ndarray, answer: np.ndarray, patch_seconds: float, dense_seconds: float,
    strip: int = 64,
) -> FuncAnimation:
    """Animate who has answered what, from the start until the dense network is done.

    Args:
        axes: three of one figure: photograph, map of the patches, map of the dense network.
        picture: (H, W, 3), the photograph.
        answer: (H, W) codes: clear, thick cloud (any cloud), ignore where nothing is asked.
        patch_seconds: what the patches need for all pixels that are not ignored.
        dense_seconds: what the dense network needs for the frame.
        strip: rows that the dense network computes at once.

    Returns:
        The animation, for `animations.player`.

    Raises:
        ValueError: times that are not positive, or a photograph and an answer of different sizes.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> from course_utils.animations import player
        >>> _, axes = plt.subplots(1, 3)
        >>> moving = race(axes, np.zeros((40, 40, 3)), np.zeros((40, 40), int), 20, 0.5)
        >>> player(moving, alt="One map is full, the other has a line.", dpi=40).frames
        32
    """
    if min(patch_seconds, dense_seconds) <= 0:
        raise ValueError(f"found {patch_seconds} s and {dense_seconds} s, expected times above 0")
    if picture.shape[:2] != answer.shape:
        raise ValueError(f"found a picture of {picture.shape[:2]} and an answer of {answer.shape}, expected one size")
    order = places(answer)
    photograph, *maps = axes
    photograph.imshow(picture)
    photograph.set_title("photograph")
    height, width = answer.shape
    window = photograph.add_patch(Rectangle((0, 0), PATCH, PATCH, fill=False, edgecolor=FALSE_POSITIVE, linewidth=2))
    band = photograph.add_patch(Rectangle((0, 0), width - 1, strip, fill=False, edgecolor=CLOUD, linewidth=2))
    painted = [ax.imshow(np.ones((height, width, 3))) for ax in maps]
    for ax, name, seconds in zip(maps, ("patches", "dense"), (patch_seconds, dense_seconds), strict=True):
        ax.set_title(f"{name}: {seconds:.1f} s" if seconds < 10 else f"{name}: {seconds:.0f} s")
    for ax in axes:
        ax.set(xticks=[], yticks=[], xlabel=" ")
        ax.spines[:].set_visible(False)
    photograph.set_xlabel(f"after {dense_seconds:.2f} s")

    def show(number):
        seconds = dense_seconds * number / FRAMES
        asked = min(int(len(order) * seconds / patch_seconds), len(order))
        row, column = order[min(asked, len(order) - 1)]
        window.set_xy((column - PATCH / 2 - 0.5, row - PATCH / 2 - 0.5))
        rows = int(number * -(-height // strip) / FRAMES) * strip
        band.set_y(min(rows, (height - 1) // strip * strip))
        first, second = np.zeros((2, height, width), bool)
        first[tuple(order[:asked].T)] = True
        second[:rows] = answer[:rows] != IGNORE
        for picture, done, ax in zip(painted, (first, second), maps, strict=True):
            picture.set_data(_paint(answer, done))
            ax.set_xlabel(f"{int(done.sum()):,} pixels")
        photograph.set_xlabel(f"after {seconds:.2f} s")

    return FuncAnimation(photograph.figure, show, frames=range(1, FRAMES + 1), interval=180)


def _paint(answer, done):
    """Answers in their colours; pale what waits for one, white what nobody asks about."""
    painted = np.where((answer != IGNORE)[..., None], to_rgb(WAITING), 1.0)
    for code in (CLEAR, THICK):
        painted[done & (answer == code)] = to_rgb(CODE_COLOURS[code][1])
    return painted
