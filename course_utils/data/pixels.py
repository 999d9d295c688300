"""The check that a pixel's reflectance is a number."""

from collections.abc import Sequence

import numpy as np

from course_utils.data.errors import InvalidReflectanceError

__all__ = ["check_finite"]


def check_finite(image: np.ndarray, counts: np.ndarray, channels: Sequence[str], origin: object) -> None:
    """Refuse NaN and infinity in pixels that count, and say where the first one is.

    Args:
        image: (C, H, W) float.
        counts: (H, W) bool; pixels whose reflectance has to be a number.
        channels: name of each channel, for the message.
        origin: where the image comes from, for the message.

    Raises:
        InvalidReflectanceError: there is one.
    """
    wrong = ~np.isfinite(image) & counts
    if wrong.any():
        channel, row, column = np.argwhere(wrong)[0].tolist()
        raise InvalidReflectanceError(
            f"found reflectance {image[channel, row, column]} in {origin}, channel {channels[channel]}, row {row}, "
            f"column {column} ({int(wrong.sum())} such values), expected finite numbers wherever a measurement "
            "exists; mark these pixels as not valid, or repair them")
