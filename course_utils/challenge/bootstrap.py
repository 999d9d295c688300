"""How far a score would move if other scenes had been drawn: the bootstrap, scene by scene."""

import numpy as np

from course_utils.metrics import Counts, iou

__all__ = ["resample", "resampled_iou"]


def resample(scenes: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Draw test sets of the same size from the scenes, with replacement.

    Args:
        scenes: how many there are, and how many each test set gets.
        draws: how many test sets.
        generator: where the draws come from.

    Returns:
        (draws, scenes) int64: how often each scene is in each test set.

    Source:
        Chapter 17.

    Example:
        >>> resample(3, 2, np.random.default_rng(0)).sum(axis=1).tolist()
        [3, 3]
    """
    return generator.multinomial(scenes, np.full(scenes, 1 / scenes), size=draws)


def resampled_iou(scenes: Counts, times: np.ndarray) -> np.ndarray:
    """Score every resampled test set, its counts pooled.

    Args:
        scenes: counts of each scene: fields are arrays (S,).
        times: what `resample` gave. Give two models the same, and their differences are paired.

    Returns:
        (draws,) IoU.

    Source:
        Chapter 17.
    """
    return iou(Counts(*(times @ part for part in (scenes.tp, scenes.fp, scenes.fn, scenes.tn))))
