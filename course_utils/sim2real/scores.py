"""Scores on labelled real images, the same for every experiment."""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from course_utils import metrics
from course_utils.data.real import LabelledScene

GREEN, NIR, SWIR1 = "B3", "B5", "B6"        # bands of the snow test, by Landsat-8 name
# Probability from which a pixel is called cloud. A missed cloud is taken to cost twice a lost clear pixel, and calling
# cloud is the cheaper mistake where p · 2 > (1 − p) · 1.
CLOUD_FROM = 1 / 3
SCORES = ("accuracy", "cloud_iou", "clear_iou", "mean_iou", "thin_recall", "snow_false_alarms")


@dataclass(frozen=True)
class Tally:
    """What is counted on a labelled image; tallies of images can be added, so that all pixels are pooled.

    Attributes:
        everywhere: all pixels whose truth is known.
        thin: those of thin cloud.
        snow: those that are clear and covered with snow.
    """

    everywhere: metrics.Counts = field(default_factory=metrics.Counts)
    thin: metrics.Counts = field(default_factory=metrics.Counts)
    snow: metrics.Counts = field(default_factory=metrics.Counts)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.everywhere + other.everywhere, self.thin + other.thin, self.snow + other.snow)

    def scores(self) -> dict[str, float | None]:
        """Divide once.

        Returns:
            Scores by name, as `score`.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", metrics.UndefinedScore)
            values = (
                metrics.accuracy(self.everywhere), metrics.iou(self.everywhere), metrics.clear_iou(self.everywhere),
                metrics.mean_iou(self.everywhere), metrics.recall(self.thin), metrics.false_alarm_rate(self.snow),
            )  # fmt: skip
        return {name: None if math.isnan(value) else value for name, value in zip(SCORES, values, strict=True)}


def tally(pred: np.ndarray, scene: LabelledScene) -> Tally:
    """Count what a mask gets right and wrong on a labelled image.

    Args:
        pred: (H, W) bool, true = called cloud.
        scene: the image and its truth.

    Returns:
        The tally.
    """
    return Tally(
        metrics.count(pred, scene.mask, scene.valid),
        metrics.count(pred, scene.mask, scene.codes == metrics.THIN),
        metrics.count(pred, scene.mask, is_snow(scene) & (scene.codes == metrics.CLEAR)),
    )


def score(predict: Callable[[np.ndarray], np.ndarray], scenes: Iterable[LabelledScene], bands: Sequence[str]) -> dict:
    """Score a mask maker on labelled images, all pixels pooled.

    Args:
        predict: maps an image (C, H, W) in `bands` to a mask (H, W) bool.
        scenes: labelled images that have at least `bands`.
        bands: what `predict` looks at.

    Returns:
        Scores by name, each in 0–1: ``accuracy``, ``cloud_iou``, ``clear_iou``, ``mean_iou``, ``thin_recall`` (share of
        thin cloud that was found), ``snow_false_alarms`` (share of the clear, snow-covered pixels called cloud). None
        where there is nothing to score.
    """
    total = Tally()
    for scene in scenes:
        total += tally(predict(scene.seen_in(bands)), scene)
    return total.scores()


def is_snow(scene: LabelledScene) -> np.ndarray:
    """Where a scene looks like snow: NDSI above 0.4 and NIR reflectance above 0.11; nowhere if a band is missing.

    Args:
        scene: a labelled image.

    Returns:
        (H, W) bool.

    Source:
        Hall, Riggs, Salomonson (1995), doi:10.1016/0034-4257(95)00137-P.
    """
    if not {GREEN, NIR, SWIR1} <= set(scene.bands):
        return np.zeros(scene.codes.shape, bool)
    green, nir, swir1 = scene.seen_in((GREEN, NIR, SWIR1))
    total = green + swir1
    ndsi = np.divide(green - swir1, total, out=np.zeros_like(total), where=total > 0)
    return (ndsi > 0.4) & (nir > 0.11)
