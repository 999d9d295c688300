"""From optical thickness to the mask an analyst would draw."""

import numpy as np
from scipy import ndimage

from course_utils.codes import CLEAR, IGNORE, THICK, THIN

VISIBLE = 0.3       # optical thickness from which an analyst calls a veil cloud
OPAQUE = 3.0        # above this the ground cannot be seen through the cloud
BLUR = 1.0          # pixels, standard deviation: a hand does not follow every wisp
SPECK = 6           # pixels: smaller clouds are not drawn
GAP = 40            # pixels: smaller gaps are not left open


def remove_specks(mask: np.ndarray, smallest: int) -> np.ndarray:
    """Drop connected objects of fewer than `smallest` pixels.

    Args:
        mask: (H, W) bool.
        smallest: pixels (corner neighbours belong together).

    Returns:
        (H, W) bool.

    Example:
        >>> bool(remove_specks(np.eye(8, dtype=bool)[:, :3], smallest=4).any())
        False
    """
    objects, _ = ndimage.label(mask, structure=np.ones((3, 3), int))
    sizes = np.bincount(objects.ravel())
    keep = sizes >= smallest
    keep[0] = False
    return keep[objects]


def analyst_codes(thickness: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Label a scene as an analyst would: objects, not pixels.

    What the eye sees of a cloud is its opacity, 1 − exp(−thickness). It is blurred by `BLUR` pixels and cut where
    a cloud of thickness `VISIBLE` would be; specks are dropped and small gaps closed. What remains is thick cloud
    where the blurred thickness exceeds `OPAQUE`, else thin.

    Args:
        thickness: (H, W) float32, total optical thickness of all cloud layers.
        valid: (H, W) bool, where a measurement exists.

    Returns:
        (H, W) uint8: 0 clear, 1 thick cloud, 2 thin cloud, 255 outside the swath.

    Example:
        >>> codes = analyst_codes(np.full((8, 8), 5.0, np.float32), np.ones((8, 8), bool))
        >>> int(codes.min()), int(codes.max())
        (1, 1)
    """
    opacity = ndimage.gaussian_filter(1 - np.exp(-thickness), BLUR, mode="nearest")
    cloud = remove_specks(opacity > 1 - np.exp(-VISIBLE), SPECK)
    cloud = ~remove_specks(~cloud, GAP)
    thick = ndimage.gaussian_filter(thickness, BLUR, mode="nearest") > OPAQUE
    codes = np.where(thick, np.uint8(THICK), np.uint8(THIN))
    codes[~cloud] = CLEAR
    codes[~valid] = IGNORE
    return codes
