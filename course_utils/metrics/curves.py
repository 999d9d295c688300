"""What every threshold on a score would give: ROC and precision–recall curves (drawn in chapter 02)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.metrics.counts import MaskError

if TYPE_CHECKING:
    from course_utils.metrics.counts import Array


@dataclass(frozen=True)
class Curve:
    """One point per threshold, and the area under them.

    Attributes:
        x: (K,) float64; false-alarm rate (ROC) or recall (precision–recall).
        y: (K,) float64; recall (ROC) or precision (precision–recall).
        thresholds: (K,) float64; point k calls cloud what scores at least `thresholds[k]`.
        area: area under the ROC curve, or average precision.
    """

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray
    area: float


def roc_curve(score: Array, mask: Array, valid: Array) -> Curve:
    """Recall against false-alarm rate, for every threshold on a score.

    Args:
        score: any shape, float; larger means more likely cloud (a reflectance, a probability).
        mask: true cloud, same shape, bool.
        valid: where a measurement exists, same shape, bool.

    Returns:
        Curve from (0, 0) to (1, 1). Its area is the probability that a random cloudy pixel scores higher than
        a random clear one, ties counted half.

    Raises:
        MaskError: the shapes differ, a score is not finite, or only one class is present.

    Source:
        Fawcett (2006), Pattern Recognition Letters 27, 861–874.

    Example:
        >>> score, mask = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
        >>> roc_curve(score, mask, np.ones(4, bool)).area
        0.75
    """
    thresholds, tp, fp = _called_cloud(score, mask, valid)
    thresholds, tp, fp = (np.append(values, end)[::-1] for values, end in ((thresholds, np.inf), (tp, 0), (fp, 0)))
    bends = np.ones(tp.size, bool)                       # points on a straight line between others say nothing
    bends[1:-1] = (np.diff(tp, 2) != 0) | (np.diff(fp, 2) != 0)
    x, y = fp[bends] / fp[-1], tp[bends] / tp[-1]
    return Curve(x, y, thresholds[bends], float(np.trapezoid(y, x)))


def precision_recall_curve(score: Array, mask: Array, valid: Array) -> Curve:
    """Precision against recall, for every threshold on a score.

    Args:
        score: any shape, float; larger means more likely cloud.
        mask: true cloud, same shape, bool.
        valid: where a measurement exists, same shape, bool.

    Returns:
        Curve from the lowest threshold (everything is cloud: recall 1, precision = the cloud fraction) to an
        infinite one (nothing is: recall 0, precision 1 by convention). Its area is the average precision.

    Raises:
        MaskError: as `roc_curve`.

    Source:
        Chapter 02; the area is scikit-learn's `average_precision_score`.

    Example:
        >>> score, mask = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
        >>> precision_recall_curve(score, mask, np.ones(4, bool)).y.round(2).tolist()
        [0.5, 0.67, 0.5, 1.0, 1.0]
    """
    thresholds, tp, fp = _called_cloud(score, mask, valid)
    x, y = np.append(tp / tp[0], 0.0), np.append(tp / (tp + fp), 1.0)
    return Curve(x, y, np.append(thresholds, np.inf), -float(np.sum(np.diff(x) * y[:-1])))


def valid_pixels(score: Array, mask: Array, valid: Array) -> tuple[np.ndarray, np.ndarray]:
    """Flatten a score and the truth to the valid pixels.

    Args:
        score: any shape, float.
        mask: true cloud, same shape, bool.
        valid: where a measurement exists, same shape, bool.

    Returns:
        Score and mask of the valid pixels, each (N,).

    Raises:
        MaskError: the shapes differ, or a score is not finite at a valid pixel.
    """
    score, mask, valid = (np.asarray(array) for array in (score, mask, valid))
    if not score.shape == mask.shape == valid.shape or mask.dtype != bool or valid.dtype != bool:
        raise MaskError(
            f"found score {score.shape}, mask {mask.shape} {mask.dtype}, valid {valid.shape} {valid.dtype}; "
            "expected one shape, mask and valid bool"
        )
    score, mask = score[valid], mask[valid]
    if not np.isfinite(score).all():
        raise MaskError("found a score that is not finite at a valid pixel: mark such pixels invalid")
    return score, mask


def _called_cloud(score: Array, mask: Array, valid: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every value that occurs, in increasing order, and the cloudy and the clear pixels that score at least that."""
    score, mask = valid_pixels(score, mask, valid)
    if mask.all() or not mask.any():
        raise MaskError(
            f"found {int(mask.sum())} cloudy of {mask.size} valid pixels; expected both classes: add scenes"
        )
    cloud, clear = np.sort(score[mask]), np.sort(score[~mask])
    thresholds = np.union1d(cloud, clear)
    tp, fp = (values.size - np.searchsorted(values, thresholds) for values in (cloud, clear))
    return thresholds.astype(float), tp, fp
