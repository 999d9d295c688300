"""What a model is asked to do: the loss of a batch, how much the batch weighs, and how its answers are scored.

`train.fit` works with anything that has these four methods. Tallies of batches are added first and divided once, so
that a score is an average over valid pixels (or samples), never over batches of different size.

Args:
    output: what the model gives for `batch["image"]`; for a segmentation logits (B, H, W), for a classification logits
        (B, classes), for a regression values (B, K).
    batch: dictionary of tensors with B in front, on the device of the output.
    tally: what `tally` gave for a batch, or the sum of several.
"""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

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
        loss: one of `course_utils.losses`, called as `loss(logits, mask, valid)`.
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


class Classification:
    """Which of several classes is each picture? Batches hold `image` and `label` (B,), classes counted from 0.

    The output is one logit per class. The softmax is inside the loss; a tally is the confusion matrix, a row for each
    true class and a column for each predicted one.

    Args:
        classes: how many classes there are.

    Source:
        Chapter 08.
    """

    def __init__(self, classes: int):
        self.classes = classes

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the logits, averaged over the pictures."""
        return F.cross_entropy(output, batch["label"])

    def items(self, batch: Batch) -> int:
        """Number of pictures."""
        return len(batch["label"])

    def tally(self, output: Tensor, batch: Batch) -> Tensor:
        """Confusion matrix of the batch, (classes, classes) int64: how many of row's class were called column's."""
        pairs = batch["label"] * self.classes + output.argmax(dim=1)
        return torch.bincount(pairs, minlength=self.classes**2).reshape(self.classes, self.classes)

    def scores(self, tally: Tensor) -> dict[str, float]:
        """Share of the pictures that are called what they are."""
        return {"accuracy": (tally.trace() / tally.sum()).item()}


class Regression:
    """Which numbers belong to each picture? Batches hold `image` and `target` (B, K); so many values are the output.

    Args:
        names: what each of the K numbers is called in the scores.
        scale: a difference of this size, in the unit of the targets, has a loss of 1.

    Source:
        Chapter 08.
    """

    def __init__(self, names: tuple[str, ...], scale: float = 1.0):
        self.names = names
        self.scale = scale

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Mean squared difference over pictures and targets, in units of the square of ``scale``."""
        return F.mse_loss(output / self.scale, batch["target"] / self.scale)

    def items(self, batch: Batch) -> int:
        """Number of pictures."""
        return len(batch["target"])

    def tally(self, output: Tensor, batch: Batch) -> Tensor:
        """Sums of the squared differences, one per target, and behind them the number of pictures: (K + 1,)."""
        squares = ((output - batch["target"]) ** 2).sum(dim=0)
        return torch.cat([squares, squares.new_tensor([len(batch["target"])])])

    def scores(self, tally: Tensor) -> dict[str, float]:
        """Root mean squared error of each target, and of all together, in the unit of the targets."""
        squares = tally[:-1] / tally[-1]
        each = {f"rmse {name}": value for name, value in zip(self.names, squares.sqrt().tolist(), strict=True)}
        return {"rmse": squares.mean().sqrt().item(), **each}
