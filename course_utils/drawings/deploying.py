"""What a model makes of an image whose axes a Fortran program declared in another order (chapter 15)."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from course_utils import plots
from course_utils.sensors import Sensor

__all__ = ["fortran_views", "received", "returned"]

AXES = "CHW"        # of an image in this course; in C and Python the last one is the fastest in memory


def received(image: np.ndarray, declared: str) -> np.ndarray:
    """What a row-major library finds where a Fortran program stored an image.

    Args:
        image: (C, H, W), as it should arrive.
        declared: the order of the axes in the Fortran declaration, for example "WHC"; the first one is the fastest in
            memory.

    Returns:
        (C, H, W): the same memory, read with the last axis fastest.

    Raises:
        ValueError: not the three letters of `AXES` in some order.

    Source:
        Chapter 15.

    Example:
        >>> image = np.arange(24).reshape(2, 3, 4)
        >>> bool((received(image, "WHC") == image).all())
        True
    """
    if sorted(declared) != sorted(AXES):
        raise ValueError(f"found axes {declared!r}, expected C, H and W in some order")
    stored = np.asfortranarray(image.transpose([AXES.index(axis) for axis in declared]))
    return stored.ravel(order="K").reshape(image.shape)


def returned(prob: np.ndarray, declared: str) -> np.ndarray:
    """What the Fortran program takes an answer for, when it declares the answer's axes in the image's order.

    Args:
        prob: (H, W), as the library wrote it.
        declared: the order of the axes in the Fortran declaration of the image.

    Returns:
        (H, W): the same memory, read the Fortran way.
    """
    rows, columns = prob.shape
    if declared.index("W") < declared.index("H"):
        return prob
    return prob.ravel().reshape(columns, rows).T


def fortran_views(
    image: np.ndarray, mask: np.ndarray, valid: np.ndarray, sensor: Sensor,
    cloud: Callable[[np.ndarray], np.ndarray], declared: dict[str, str], axes: np.ndarray,
) -> list[np.ndarray]:
    """Draw, for each declaration, the scene that the model receives and the mask that comes back.

    Args:
        image: (C, H, W) reflectance.
        mask: (H, W) bool, the truth.
        valid: (H, W) bool.
        sensor: whose bands come first in the image.
        cloud: from an image (C, H, W) to a mask (H, W) bool.
        declared: headings by the order of the axes, such as {"WHC": "image(W, H, C)"}.
        axes: (2, number of declarations) axes.

    Returns:
        The masks as the host reads them, in the order of the declarations.
    """
    masks = []
    for (order, heading), (above, below) in zip(declared.items(), axes.T, strict=True):
        got = received(image, order)
        masks.append(returned(cloud(got), order))
        _scene(plots.composite(got, sensor), above, heading)
        plots.confusion_map(masks[-1], mask, valid, below, legend=False)
    return masks


def _scene(picture: np.ndarray, ax: Axes, heading: str) -> None:
    """A picture under a heading in the letters of a program."""
    plots.show_image(picture, ax)
    ax.set_title(heading, family="monospace", weight="normal", size=10)
