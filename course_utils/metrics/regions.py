"""Which pixels a score looks at: valid ones, thin cloud, small clouds (built in chapter 02)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from course_utils.codes import CLEAR, IGNORE, is_cloud
from course_utils.metrics.counts import MaskError, check_masks, count, recall

if TYPE_CHECKING:
    from course_utils.metrics.counts import Array

SMALL_CLOUD_PIXELS = 50                 # the largest small cloud of the scoreboard and of the challenge


def recall_on(pred: Array, where: Array, valid: Array) -> float:
    """Share of some cloudy pixels that was found: of thin cloud (`codes == THIN`), say, or of small clouds.

    Args:
        pred: predicted cloud, any shape, bool.
        where: the cloudy pixels of interest, same shape, bool.
        valid: where a measurement exists, same shape, bool.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where `where` holds no valid pixel.

    Raises:
        MaskError: as `count`.

    Example:
        >>> from course_utils.codes import THIN
        >>> codes = np.array([0, 1, 2, 2])
        >>> recall_on(np.array([True, True, True, False]), codes == THIN, np.ones(4, bool))
        0.5
    """
    return recall(count(pred, where, valid))


def small_clouds(mask: np.ndarray, valid: np.ndarray, max_pixels: int) -> np.ndarray:
    """Mark the pixels of small clouds: connected pieces, seen whole, of at most `max_pixels` pixels.

    Pixels that share an edge or a corner belong to one cloud. A cloud that touches the border of the image or
    an invalid pixel may go on beyond it: its size is unknown, so it does not count as small.

    Args:
        mask: true cloud, (H, W) or (N, H, W), bool; numpy. The images of a stack do not touch each other.
        valid: where a measurement exists, same shape, bool.
        max_pixels: largest area of a small cloud, in pixels.

    Returns:
        bool array of the same shape.

    Raises:
        MaskError: as `count`; or the arrays are not two- or three-dimensional.

    Source:
        Chapter 02.

    Example:
        >>> mask = np.zeros((5, 6), bool)
        >>> mask[1, 1] = mask[3, 4:] = True
        >>> np.argwhere(small_clouds(mask, np.ones_like(mask), max_pixels=4)).tolist()
        [[1, 1]]
    """
    check_masks(mask=mask, valid=valid)
    if mask.ndim not in (2, 3):
        raise MaskError(f"found a mask of shape {mask.shape}; expected (H, W) or (N, H, W): stack the images")
    touching = np.ones((3, 3), bool) if mask.ndim == 2 else np.zeros((3, 3, 3), bool)
    if mask.ndim == 3:
        touching[1] = True  # neighbours within an image only
    labels, number = ndimage.label(mask & valid, structure=touching)
    small = np.bincount(labels.ravel(), minlength=number + 1) <= max_pixels
    frame = np.ones_like(mask)
    frame[..., 1:-1, 1:-1] = False
    open_ended = labels[frame | ndimage.binary_dilation(~valid, structure=touching)]
    small[0] = False
    small[open_ended] = False
    return small[labels]


def from_codes(codes: Array) -> tuple[Array, Array]:
    """Split label codes into the mask and the validity that the scores need.

    Args:
        codes: any shape, integer: 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore; numpy or torch.

    Returns:
        (mask, valid): two bool arrays; thick and thin are both cloud, 255 is not valid.

    Raises:
        MaskError: another code is present.

    Example:
        >>> mask, valid = from_codes(np.array([0, 1, 2, 255]))
        >>> mask.tolist(), valid.tolist()
        ([False, True, True, False], [True, True, True, False])
    """
    mask = is_cloud(codes)
    valid = codes != IGNORE
    unknown = ~mask & valid & (codes != CLEAR)
    if unknown.any():
        found = sorted({code.item() for code in codes[unknown]})
        raise MaskError(
            f"found the codes {found[:8]}; expected 0 clear, 1 thick, 2 thin, 255 ignore: "
            "translate the labels of the source first"
        )
    return mask, valid
