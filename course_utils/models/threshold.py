"""The simplest cloud masks: a pixel brighter than a value is cloud (built in chapter 02)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.metrics import Counts, MaskError, iou

if TYPE_CHECKING:
    from course_utils.metrics.counts import Array

    Criterion = Callable[[Counts], float | np.ndarray]


@dataclass(frozen=True)
class Threshold:
    """Call cloud every pixel that is brighter than `value` in one band.

    Attributes:
        band: index of the band along the channel axis of an image.
        value: reflectance; a pixel exactly at it is clear.

    Source:
        Chapter 02.

    Example:
        >>> image = np.array([0.1, 0.5, 0.2, 0.9], np.float32).reshape(1, 2, 2)
        >>> Threshold(band=0, value=0.3).predict(image).tolist()
        [[False, True], [False, True]]
    """

    band: int
    value: float

    @property
    def parameters(self) -> int:
        """How many numbers were learned from the training part."""
        return 1

    @classmethod
    def fit(cls, band: int, images: Array, masks: Array, valid: Array, criterion: Criterion = iou) -> Threshold:
        """Find the value that scores best on training pixels, by trying every one that makes a difference.

        Args:
            band: index of the band to look at.
            images: (N, C, H, W) or (C, H, W) reflectance; numpy or torch.
            masks: (N, H, W) or (H, W) bool, true = cloud.
            valid: same shape as masks, bool; other pixels are not looked at.
            criterion: a score of `course_utils.metrics`, a function of Counts; larger is better.

        Returns:
            Threshold with the best value of all, one that occurs in the data or -inf (everything is cloud); of
            several equally good ones the lowest.

        Raises:
            MaskError: the shapes do not belong together, a value is not finite, or only one class is present.
        """
        (values,), cloud = _training_pixels((band,), images, masks, valid)
        cuts = _with_all_cloud(np.unique(values))
        tp, fp = _above(values[cloud], cuts), _above(values[~cloud], cuts)
        return cls(band, float(cuts[_best(tp, fp, cloud, criterion)]))

    def predict(self, image: Array) -> Array:
        """Mask one image or a batch.

        Args:
            image: (C, H, W) or (B, C, H, W) reflectance; numpy or torch.

        Returns:
            (H, W) or (B, H, W) bool, true = cloud.
        """
        return image[..., self.band, :, :] > self.value


@dataclass(frozen=True)
class AllOf:
    """Call cloud what every one of several thresholds calls cloud: bright in the blue and at 1.6 µm, say.

    Attributes:
        rules: tuple of Threshold, each on its own band.

    Source:
        Chapter 02; that snow is dark at 1.6 µm and cloud is not: Crane and Anderson (1984).

    Example:
        >>> rule = AllOf((Threshold(0, 0.3), Threshold(1, 0.2)))
        >>> rule.predict(np.array([0.9, 0.1], np.float32).reshape(2, 1, 1)).tolist()
        [[False]]
    """

    rules: tuple[Threshold, ...]

    @property
    def parameters(self) -> int:
        """How many numbers were learned from the training part."""
        return len(self.rules)

    @classmethod
    def fit(
        cls,
        bands: tuple[int, ...],
        images: Array,
        masks: Array,
        valid: Array,
        criterion: Criterion = iou,
        steps: int = 256,
    ) -> AllOf:
        """Find the values that score best together on training pixels, by trying every combination of a grid.

        Args:
            bands: tuple of band indices.
            images: (N, C, H, W) or (C, H, W) reflectance; numpy or torch.
            masks: (N, H, W) or (H, W) bool, true = cloud.
            valid: same shape as masks, bool; other pixels are not looked at.
            criterion: a score of `course_utils.metrics`, a function of Counts; larger is better.
            steps: values tried in a band: every one where no more occur, else so many quantiles. The work and
                the memory grow as steps to the power of the number of bands.

        Returns:
            AllOf with the best combination of the grid; each value may be -inf (the band is not used).

        Raises:
            MaskError: as `Threshold.fit`.
        """
        values, cloud = _training_pixels(bands, images, masks, valid)
        cuts = [_with_all_cloud(_grid(band, steps)) for band in values]
        tp, fp = (_above_all([band[pixels] for band in values], cuts) for pixels in (cloud, ~cloud))
        places = _best(tp, fp, cloud, criterion)
        return cls(tuple(Threshold(band, float(c[k])) for band, c, k in zip(bands, cuts, places, strict=True)))

    def predict(self, image: Array) -> Array:
        """Mask one image or a batch.

        Args:
            image: (C, H, W) or (B, C, H, W) reflectance; numpy or torch.

        Returns:
            (H, W) or (B, H, W) bool, true = cloud.
        """
        pred = self.rules[0].predict(image)
        for rule in self.rules[1:]:
            pred = pred & rule.predict(image)
        return pred


def _training_pixels(
    bands: tuple[int, ...], images: Array, masks: Array, valid: Array
) -> tuple[list[np.ndarray], np.ndarray]:
    """Flatten to (list of value arrays, one per band; cloud), valid pixels only."""
    images, masks, valid = (np.asarray(array) for array in (images, masks, valid))
    fits = images.ndim in (3, 4) and masks.shape == valid.shape == images.shape[:-3] + images.shape[-2:]
    if not fits or masks.dtype != bool or valid.dtype != bool:
        raise MaskError(
            f"found images {images.shape}, masks {masks.shape} {masks.dtype}, valid {valid.shape} {valid.dtype}; "
            "expected (N, C, H, W) with (N, H, W) bool twice, or one image without N"
        )
    values = [images[..., band, :, :][valid] for band in bands]
    if not all(np.isfinite(band).all() for band in values):
        raise MaskError("found a reflectance that is not finite at a valid pixel: mark such pixels invalid")
    cloud = masks[valid]
    if cloud.all() or not cloud.any():
        raise MaskError(
            f"found {int(cloud.sum())} cloudy of {cloud.size} valid pixels; expected both classes: add scenes"
        )
    return values, cloud


def _grid(values: np.ndarray, steps: int) -> np.ndarray:
    """Every value that occurs, or quantiles of them where they are more than `steps`."""
    found = np.unique(values)
    if found.size <= steps:
        return found
    return np.unique(np.quantile(values, np.linspace(0, 1, steps), method="lower"))


def _with_all_cloud(cuts: np.ndarray) -> np.ndarray:
    """Add the threshold that every pixel exceeds."""
    return np.insert(cuts, 0, -np.inf)


def _above(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """How many values lie above each cut: what sorting them once tells."""
    return values.size - np.searchsorted(np.sort(values), cuts, side="right")


def _above_all(values: list[np.ndarray], cuts: list[np.ndarray]) -> np.ndarray:
    """How many pixels lie above cuts[0][i] in the first band, above cuts[1][j] in the second, and so on."""
    # A pixel is above cut k of a band if more than k cuts lie below it. Sort pixels into boxes by that number,
    # then sum the boxes from the bright end, along each band in turn.
    boxes = [np.searchsorted(c, v, side="left") for c, v in zip(cuts, values, strict=True)]
    shape = tuple(c.size + 1 for c in cuts)
    table = np.bincount(np.ravel_multi_index(boxes, shape), minlength=np.prod(shape)).reshape(shape)
    for axis in range(table.ndim):
        table = np.flip(np.cumsum(np.flip(table, axis), axis), axis)
    return table[(slice(1, None),) * table.ndim]


def _best(tp: np.ndarray, fp: np.ndarray, cloud: np.ndarray, criterion: Criterion) -> tuple[int, ...]:
    """Where the criterion is largest; the place of the first of equals."""
    scores = criterion(Counts(tp, fp, cloud.sum() - tp, (~cloud).sum() - fp))
    return np.unravel_index(np.nanargmax(scores), scores.shape)
