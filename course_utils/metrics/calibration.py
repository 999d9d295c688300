"""Whether probabilities mean what they say: of all pixels called 70 % likely, are 70 % cloud (chapter 10)?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.metrics.counts import MaskError, ratio
from course_utils.metrics.curves import valid_pixels

if TYPE_CHECKING:
    from course_utils.metrics.counts import Array


@dataclass(frozen=True)
class Reliability:
    """Pixels sorted into bins of equal width by their probability. Bins of several batches can be added.

    Attributes:
        pixels: (K,) int64; how many pixels fell into each bin.
        total: (K,) float64; sum of their probabilities.
        cloudy: (K,) int64; how many of them are cloud.
    """

    pixels: np.ndarray
    total: np.ndarray
    cloudy: np.ndarray

    def __add__(self, other: Reliability) -> Reliability:
        if len(self.pixels) != len(other.pixels):
            raise MaskError(f"found {len(self.pixels)} and {len(other.pixels)} bins; expected the same number")
        return Reliability(self.pixels + other.pixels, self.total + other.total, self.cloudy + other.cloudy)

    @property
    def prob(self) -> np.ndarray:
        """Mean probability in each bin, (K,) float64; nan where a bin is empty."""
        return self._share(self.total)

    @property
    def observed(self) -> np.ndarray:
        """Share of cloud in each bin, (K,) float64; nan where a bin is empty."""
        return self._share(self.cloudy)

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of `observed` from `prob`, each bin weighted by its pixels.

        nan with an `UndefinedScore` warning where there is no pixel.
        """
        gaps = np.abs(self.cloudy - self.total)  # pixels × |observed − prob|, also where a bin is empty
        return ratio(gaps.sum(), self.pixels.sum(), "calibration error", "no pixel is valid")

    def _share(self, part: np.ndarray) -> np.ndarray:
        """A part of each bin's pixels, divided by all of them."""
        return np.divide(part, self.pixels, out=np.full(len(self.pixels), np.nan), where=self.pixels > 0)


def reliability(prob: Array, mask: Array, valid: Array, bins: int = 10) -> Reliability:
    """Sort valid pixels by their predicted probability, and count how many of each bin are cloud.

    Args:
        prob: any shape, float, 0–1; predicted probability of cloud.
        mask: true cloud, same shape, bool.
        valid: where a measurement exists, same shape, bool.
        bins: how many bins of equal width; a probability on an edge belongs to the lower one.

    Returns:
        Reliability, one entry per bin.

    Raises:
        MaskError: the shapes differ, a probability is not finite or outside 0–1 (a logit?), or there is no bin.

    Source:
        Guo, Pleiss, Sun, Weinberger (2017), arXiv:1706.04599; the bins are those of scikit-learn's
        `calibration_curve`.

    Example:
        >>> prob, mask = np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, True, True, True])
        >>> found = reliability(prob, mask, np.ones(4, bool), bins=2)
        >>> found.observed.tolist(), round(found.error, 2)
        ([0.5, 1.0], 0.25)
    """
    if bins < 1:
        raise MaskError(f"found bins={bins}; expected 1 or more")
    prob, mask = valid_pixels(prob, mask, valid)
    if prob.size and not (prob.min() >= 0 and prob.max() <= 1):
        raise MaskError(f"found values from {prob.min():.3g} to {prob.max():.3g}; expected probabilities in 0–1: "
                        "take the sigmoid of logits first")
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], prob)
    return Reliability(np.bincount(place, minlength=bins),
                       np.bincount(place, weights=prob, minlength=bins),
                       np.bincount(place[mask], minlength=bins))
