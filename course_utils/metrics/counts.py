"""Counts of right and wrong pixels, and the scores made from them (built in chapter 02).

Cloud is the positive class, and only valid pixels count. A score is a ratio of counts, so the counts of many
images are added first and divided once: an image with three valid pixels weighs three pixels, not one image.
Where its denominator is zero a score is undefined: the function returns nan and warns with `UndefinedScore`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    Array = np.ndarray | Tensor


class MaskError(ValueError):
    """A mask, a prediction or a code array that cannot be scored as it is."""


class UndefinedScore(UserWarning):
    """A score whose denominator is zero; its value is nan."""


@dataclass(frozen=True)
class Counts:
    """How many valid pixels fell in each cell of the confusion matrix.

    The fields are whole numbers, or arrays of them to score many thresholds at once.

    Attributes:
        tp: cloud called cloud (true positives).
        fp: clear called cloud (false positives, false alarms).
        fn: cloud called clear (false negatives, misses).
        tn: clear called clear (true negatives).

    Example:
        >>> Counts(tp=3, fn=1) + Counts(tp=1, tn=5)
        Counts(tp=4, fp=0, fn=1, tn=5)
    """

    tp: int | np.ndarray = 0
    fp: int | np.ndarray = 0
    fn: int | np.ndarray = 0
    tn: int | np.ndarray = 0

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    def __radd__(self, other: int) -> Counts:
        """Let `sum` start from its 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    @property
    def total(self) -> int | np.ndarray:
        """All valid pixels."""
        return self.tp + self.fp + self.fn + self.tn


def count(pred: Array, mask: Array, valid: Array) -> Counts:
    """Count true and false positives and negatives over the valid pixels.

    Args:
        pred: predicted cloud, any shape, bool; numpy arrays or torch tensors, all three of one kind.
        mask: true cloud, same shape, bool.
        valid: where a measurement exists, same shape, bool.

    Returns:
        Counts, whose total is the number of valid pixels. All zero where nothing is valid.

    Raises:
        MaskError: a dtype is not bool, the shapes differ, or numpy and torch are mixed.

    Source:
        Chapter 02.

    Example:
        >>> truth = np.array([True, True, False, False])
        >>> count(np.array([True, False, False, True]), truth, np.array([True, True, True, False]))
        Counts(tp=1, fp=0, fn=1, tn=1)
    """
    check_masks(pred=pred, mask=mask, valid=valid)
    return Counts(
        tp=int((pred & mask & valid).sum()),
        fp=int((pred & ~mask & valid).sum()),
        fn=int((~pred & mask & valid).sum()),
        tn=int((~pred & ~mask & valid).sum()),
    )


def accuracy(counts: Counts) -> float | np.ndarray:
    """Share of valid pixels that got the right class: (TP + TN) / all.

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where no pixel is valid.

    Example:
        >>> accuracy(Counts(tp=1, fp=1, fn=1, tn=7))
        0.8
    """
    return ratio(counts.tp + counts.tn, counts.total, "accuracy", "no pixel is valid")


def iou(counts: Counts) -> float | np.ndarray:
    """Intersection over union of the cloud class: TP / (TP + FP + FN), also called the Jaccard index.

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where there is no cloud, true or predicted.

    Source:
        Chapter 02.

    Example:
        >>> iou(Counts(tp=1, fp=1, fn=2, tn=96))
        0.25
    """
    union = counts.tp + counts.fp + counts.fn
    return ratio(counts.tp, union, "IoU", "there is no cloud, true or predicted")


def clear_iou(counts: Counts) -> float | np.ndarray:
    """Intersection over union of the clear class: TN / (TN + FP + FN).

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where nothing is clear, true or predicted.
    """
    union = counts.tn + counts.fp + counts.fn
    return ratio(counts.tn, union, "clear IoU", "nothing is clear, true or predicted")


def mean_iou(counts: Counts) -> float | np.ndarray:
    """Mean of the IoU of cloud and the IoU of clear.

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan, with a warning, where either of the two is undefined.
    """
    return (iou(counts) + clear_iou(counts)) / 2


def recall(counts: Counts) -> float | np.ndarray:
    """Share of the true cloud that was found: TP / (TP + FN), the producer's accuracy of cloud.

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where there is no true cloud.
    """
    return ratio(counts.tp, counts.tp + counts.fn, "recall", "there is no true cloud")


def precision(counts: Counts) -> float | np.ndarray:
    """Share of the predicted cloud that is cloud: TP / (TP + FP), the user's accuracy of cloud.

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where no cloud was predicted.
    """
    return ratio(counts.tp, counts.tp + counts.fp, "precision", "no cloud was predicted")


def false_alarm_rate(counts: Counts) -> float | np.ndarray:
    """Share of the truly clear pixels that were called cloud: FP / (FP + TN).

    Args:
        counts: Counts.

    Returns:
        float in 0–1; nan with an `UndefinedScore` warning where nothing is truly clear.
    """
    return ratio(counts.fp, counts.fp + counts.tn, "false-alarm rate", "nothing is truly clear")


def ratio(part: float | np.ndarray, whole: float | np.ndarray, name: str, when: str) -> float | np.ndarray:
    """Divide counts, as every score does.

    Args:
        part: count above the line.
        whole: count below it, of the same shape.
        name: of the score, for the warning.
        when: what makes the whole zero, for the warning.

    Returns:
        Of the same shape, a plain number for plain numbers; nan with an `UndefinedScore` warning where the whole is 0.
    """
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    if (whole == 0).any():
        warnings.warn(f"{name} is undefined because {when}; it is nan", UndefinedScore, stacklevel=3)
    ratio = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)
    return ratio.item() if ratio.ndim == 0 else ratio


def check_masks(**masks: Array) -> None:
    """Refuse anything but bool arrays of one shape and one kind.

    Args:
        masks: the arrays, by the names that a message gives them.

    Raises:
        MaskError: a dtype is not bool, the shapes differ, or numpy and torch are mixed.
    """
    for name, array in masks.items():
        dtype = getattr(array, "dtype", f"{type(array).__name__}, which is no array")
        if str(dtype) not in ("bool", "torch.bool"):
            raise MaskError(
                f"found {name} of type {dtype}; expected bool, true = cloud (valid: true = measured): "
                "compare probabilities with a threshold, split label codes with from_codes"
            )
    if len({tuple(array.shape) for array in masks.values()}) > 1:
        found = ", ".join(f"{name} {tuple(array.shape)}" for name, array in masks.items())
        raise MaskError(f"found shapes {found}; expected one shape: pixels are compared one to one")
    if len({type(array) for array in masks.values()}) > 1:
        found = ", ".join(f"{name} {type(array).__name__}" for name, array in masks.items())
        raise MaskError(f"found {found}; expected one kind: use torch.as_tensor or Tensor.numpy")
