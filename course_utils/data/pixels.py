"""What a pixel's truth may be, and the check that a pixel's reflectance is a number."""

from collections.abc import Sequence

import numpy as np

from course_utils.data.errors import InvalidReflectance

__all__ = ["CLEAR", "CODES", "IGNORE", "THICK", "THIN", "check_finite", "is_cloud"]

CLEAR, THICK, THIN, IGNORE = CODES = (0, 1, 2, 255)


def is_cloud(codes: np.ndarray) -> np.ndarray:
    """Turn codes into a mask.

    Args:
        codes: Any shape, uint8; 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore.

    Returns:
        The same shape, bool; true = cloud, thick or thin.

    Example:
        >>> is_cloud(np.array([0, 1, 2, 255])).tolist()
        [False, True, True, False]
    """
    return (codes == THICK) | (codes == THIN)


def check_finite(image: np.ndarray, counts: np.ndarray, channels: Sequence[str], origin: object) -> None:
    """Refuse NaN and infinity in pixels that count, and say where the first one is.

    Args:
        image: (C, H, W) float.
        counts: (H, W) bool; pixels whose reflectance has to be a number.
        channels: Name of each channel, for the message.
        origin: Where the image comes from, for the message.

    Raises:
        InvalidReflectance: If there is one.
    """
    wrong = ~np.isfinite(image) & counts
    if wrong.any():
        channel, row, column = np.argwhere(wrong)[0].tolist()
        raise InvalidReflectance(
            f"found reflectance {image[channel, row, column]} in {origin}, channel {channels[channel]}, row {row}, "
            f"column {column} ({int(wrong.sum())} such values), expected finite numbers wherever a measurement "
            "exists; mark these pixels as not valid, or repair them")
