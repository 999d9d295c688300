"""What a model is asked to do: the loss of a batch, how much the batch weighs, and how its answers are scored.

`train.fit` works with anything that has these four methods. Tallies of batches are added first and divided once, so
that a score is an average over valid pixels (or samples), never over batches of different size.

Args:
    output: what the model gives for `batch["image"]`; for a segmentation logits (B, H, W).
    batch: dictionary of tensors with B in front, on the device of the output.
    tally: what `tally` gave for a batch, or the sum of several.
"""

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

from course_utils import losses, metrics

Batch = dict[str, Any]


class Task(Protocol):
    """The four questions that `train.fit` asks."""

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Scalar loss, averaged over the batch's items."""

    def items(self, batch: Batch) -> int:
        """How many items the loss averages over: valid pixels, or samples."""

    def tally(self, output: Tensor, batch: Batch) -> Any:
        """What the scores need from this batch; tallies of batches can be added."""

    def scores(self, tally: Any) -> dict[str, float]:
        """Scores by name, from the sum of all tallies."""


class Segmentation:
    """Is each pixel cloud? Batches hold `image`, `mask` and `valid`; the output is one logit per pixel.

    Args:
        loss: one of `course_utils.losses`, called as loss(logits, mask, valid).
        threshold: probability from which a pixel is called cloud, between 0 and 1.

    Source:
        Chapter 06.
    """

    def __init__(self, loss: Callable[..., Tensor] = losses.bce, threshold: float = 0.5):
        self._loss = loss
        self.threshold = threshold

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Loss over the valid pixels."""
        return self._loss(output, batch["mask"], batch["valid"])

    def items(self, batch: Batch) -> int:
        """Number of valid pixels."""
        return int(batch["valid"].sum())

    def tally(self, output: Tensor, batch: Batch) -> metrics.Counts:
        """Counts of right and wrong valid pixels."""
        return metrics.count(output.sigmoid() >= self.threshold, batch["mask"], batch["valid"])

    def scores(self, tally: metrics.Counts) -> dict[str, float]:
        """IoU of cloud and accuracy, over all valid pixels."""
        return {"iou": metrics.iou(tally), "accuracy": metrics.accuracy(tally)}
