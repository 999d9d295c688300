"""What crosses from Fortran to C and back when an array is declared with its axes in another order (chapter 15)."""

import numpy as np

__all__ = ["received", "returned"]

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
