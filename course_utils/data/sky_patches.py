"""Patches around single pixels of sky pictures, labelled by the pixel in their middle (chapter 09)."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.utils.data import Dataset

from course_utils.codes import CLOUD, SKY
from course_utils.data.errors import SplitError
from course_utils.data.sky import SkyPicture

__all__ = ["SkyPatches", "patch_pixels"]


class SkyPatches(Dataset):
    """Patches of pictures, as many with cloud in the middle as with sky: item 0 sky, item 1 cloud, and so on.

    The pictures are read once, before; a patch is cut when it is asked for, so memory holds the pictures and the
    places, never all the patches. Item i is always the same patch, for any count.

    Args:
        pictures: pictures with codes, all of one size.
        count: how many patches.
        seed: which patches.
        side: pixels along a side of a patch, even. The pixel at row r, column c is in the middle of the patch of rows
            r − side/2 … r + side/2 − 1, likewise the columns; beyond its edge the picture is reflected.
        margin: pixels that the middle keeps from anything that is not sky: horizon, objects, the frame's edge.

    Raises:
        ValueError: the side is odd or below 2.
        SplitError: no picture has such a pixel of sky, or none of cloud.

    Source:
        Chapter 09.

    Example:
        >>> from course_utils.data.sky import simulate_pictures
        >>> patches = SkyPatches(simulate_pictures([0, 8], size=64), count=6)
        >>> patches[3]["image"].shape, int(patches[3]["label"])
        (torch.Size([3, 32, 32]), 1)
    """

    def __init__(self, pictures: Sequence[SkyPicture], count: int, seed: int = 0, side: int = 32, margin: int = 2):
        if side < 2 or side % 2:
            raise ValueError(f"found side={side}, expected an even number of pixels, such as 32")
        half = side // 2
        edges = ((half, half - 1), (half, half - 1), (0, 0))
        self.pictures = [np.pad(one.picture, edges, mode="reflect") for one in pictures]
        self.side = side
        self.places = _draw_places(pictures, count, seed, margin)   # (count, 3): picture, row, column

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> dict[str, Tensor]:
        """Give one patch, or several as a batch.

        Args:
            rows: a number for a sample; a slice, list or array of numbers for a batch.

        Returns:
            ``image`` (3, side, side) float32, 0–1; ``label`` 0 sky, 1 cloud; ``picture`` which of the pictures. A batch
            has B in front of each.
        """
        numbers = np.arange(len(self))[rows]
        places = self.places[np.atleast_1d(numbers)]
        cut = np.stack([self.pictures[p][r : r + self.side, c : c + self.side] for p, r, c in places])
        batch = {"image": torch.from_numpy(cut).movedim(-1, 1).float() / 255,        # (B, 3, side, side)
                 "label": torch.from_numpy(np.atleast_1d(numbers) % 2), "picture": torch.from_numpy(places[:, 0])}
        return batch if numbers.ndim else {name: value[0] for name, value in batch.items()}


def patch_pixels(picture: SkyPicture, margin: int = 2) -> np.ndarray:
    """Say which pixels may be in the middle of a patch.

    Args:
        picture: a picture with codes.
        margin: pixels to keep from anything that is not sky.

    Returns:
        (H, W) bool.
    """
    return ndimage.binary_erosion(picture.valid, iterations=margin) if margin else picture.valid


def _draw_places(pictures: Sequence[SkyPicture], count: int, seed: int, margin: int) -> np.ndarray:
    """Picture, row and column of each patch's middle; each class's pictures take turns, in a random order."""
    inside = [patch_pixels(one, margin) for one in pictures]
    places = np.empty((count, 3), np.int64)
    for first, code in enumerate((SKY, CLOUD)):
        pixels = [np.flatnonzero((one.codes == code) & may) for one, may in zip(pictures, inside, strict=True)]
        holding = [number for number, some in enumerate(pixels) if len(some)]
        if not holding:
            raise SplitError(f"found no pixel of {'sky' if code == SKY else 'cloud'} in {len(pictures)} pictures at "
                             f"{margin} pixels from anything else, expected some; add pictures")
        for turn, item in enumerate(range(first, count, 2)):
            number = holding[turn % len(holding)]
            rng = np.random.default_rng((seed, item))
            place = pixels[number][rng.integers(len(pixels[number]))]
            places[item] = number, *np.unravel_index(place, pictures[number].codes.shape)
    return places
