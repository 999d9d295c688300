"""One small training, and the same with one mistake each: what chapter 06 draws and what its tests must catch."""

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.colours import CLOUD, FALSE_POSITIVE
from course_utils.runtime import seeded

DROPOUT = 0.5
BATCH_SIZE = 20
HIGHEST = 1.2  # of the losses shown

__all__ = ["MISTAKES", "VARIANTS", "Experiment", "curves", "fingerprints", "make"]


class Experiment:
    """A whole training in five short methods, so that one of them can be wrong.

    Args:
        model: maps inputs (N, F) to logits (N,).
        train: a pair, inputs (N, F) float32 and mask (N,) float32 of 0 and 1.
        validation: a pair of the same kind.
        learning_rate: step size of plain gradient descent.

    Source:
        Chapter 06.
    """

    def __init__(self, model, train, validation, learning_rate=0.05):
        self.model = model
        self.mean, self.spread = train[0].mean(dim=0), train[0].std(dim=0)
        self.train = (self.scaled(train[0]), train[1])
        self.validation = (self.scaled(validation[0]), validation[1])
        self.optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

    def scaled(self, inputs):
        """Take the mean and the spread of the training inputs out of any inputs.

        Args:
            inputs: (N, F) float32.

        Returns:
            (N, F) float32.
        """
        return (inputs - self.mean) / self.spread

    def batch(self, rows):
        """Give the training inputs and the mask of some rows.

        Args:
            rows: (B,) row numbers.

        Returns:
            A pair, inputs (B, F) and mask (B,).
        """
        inputs, mask = self.train
        return inputs[rows], mask[rows]

    def step(self, rows):
        """Learn from some rows.

        Args:
            rows: (B,) row numbers.

        Returns:
            The mean loss of the rows before the step.
        """
        inputs, mask = self.batch(rows)
        self.model.train()
        self.optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(self.model(inputs), mask)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def validate(self):
        """The loss on the validation part."""
        inputs, mask = self.validation
        self.model.eval()
        with torch.no_grad():
            return F.binary_cross_entropy_with_logits(self.model(inputs), mask).item()


class _ForgottenGradients(Experiment):
    """`zero_grad` is missing: the gradients of all steps so far are added up."""

    def step(self, rows):
        inputs, mask = self.batch(rows)
        self.model.train()
        loss = F.binary_cross_entropy_with_logits(self.model(inputs), mask)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class _IgnoredIndex(Experiment):
    """Whatever rows are asked for, the first ones come."""

    def batch(self, rows):
        inputs, mask = self.train
        return inputs[: len(rows)], mask[: len(rows)]


class _UnscaledValidation(Experiment):
    """The validation inputs are not scaled like the training inputs."""

    def __init__(self, model, train, validation, learning_rate=0.05):
        super().__init__(model, train, validation, learning_rate)
        self.validation = validation


class _StillTraining(Experiment):
    """`eval` is missing: dropout is active in the validation."""

    def validate(self):
        inputs, mask = self.validation
        with torch.no_grad():
            return F.binary_cross_entropy_with_logits(self.model(inputs), mask).item()


class _ValidatesOnTraining(Experiment):
    """The validation looks at the training part."""

    def validate(self):
        inputs, mask = self.train
        self.model.eval()
        with torch.no_grad():
            return F.binary_cross_entropy_with_logits(self.model(inputs), mask).item()


MISTAKES = {
    "zero_grad forgotten": _ForgottenGradients,
    "index ignored": _IgnoredIndex,
    "validation not scaled": _UnscaledValidation,
    "eval forgotten": _StillTraining,
    "training part validated": _ValidatesOnTraining,
}


class _HalfScaled(Experiment):
    """The validation inputs are divided by the spread only: half scaled."""

    def __init__(self, model, train, validation, learning_rate=0.05):
        super().__init__(model, train, validation, learning_rate)
        self.validation = (validation[0] / self.spread, validation[1])


class _Shifted(Experiment):
    """The rows after those asked for come."""

    def batch(self, rows):
        return super().batch((torch.as_tensor(rows) + 1) % len(self.train[0]))


# Other forms of a mistake, not drawn, that a test for it must catch as well.
VARIANTS = {"index ignored": _Shifted, "validation not scaled": _HalfScaled}


def make(kind, learning_rate=0.05):
    """Make a small experiment with data of its own, to test a class like `Experiment`.

    Args:
        kind: the class; called as `kind(model, train, validation, learning_rate)`.
        learning_rate: step size.

    Returns:
        An experiment with a network with dropout, 40 training and 30 validation rows of three inputs each, all rows
        different, with a mean and a spread far from 0 and 1. The same at every call.

    Example:
        >>> make(Experiment).train[0].shape
        torch.Size([40, 3])
    """
    generator = torch.Generator().manual_seed(0)
    inputs = 50 + 10 * torch.randn(70, 3, generator=generator)
    mask = (inputs.mean(dim=1) > 50).float()
    model = _network(3, 16, seed=0)
    return kind(model, (inputs[:40], mask[:40]), (inputs[40:], mask[40:]), learning_rate)


def _network(inputs, width, seed):
    """A network with dropout, the same for the same seed."""
    with seeded(seed):
        layers = [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(width, width), nn.ReLU()]
        return nn.Sequential(*layers, nn.Dropout(DROPOUT), nn.Linear(width, 1), nn.Flatten(0))


def curves(kind, train, validation, *, epochs=30, seed=0):
    """Train a small network with dropout, rightly or with a mistake.

    Args:
        kind: `Experiment` or one of `MISTAKES`.
        train: a pair, inputs (N, F) float32 and mask (N,) float32 of 0 and 1.
        validation: a pair of the same kind.
        epochs: passes over the training part.
        seed: of the weights, the order of the rows and the dropout.

    Returns:
        Two lists with a number per epoch: mean training loss, and what the experiment takes for its validation loss.
    """
    experiment = kind(_network(train[0].shape[1], 64, seed), train, validation)
    generator = torch.Generator().manual_seed(seed)
    training, validating = [], []
    with seeded(seed):
        for _ in range(epochs):
            batches = torch.randperm(len(train[0]), generator=generator).split(BATCH_SIZE)
            training.append(sum(experiment.step(rows) * len(rows) for rows in batches) / len(train[0]))
            validating.append(experiment.validate())
    return training, validating


def fingerprints(train, validation, axes, *, epochs=30):
    """Draw the curves of the right training and of each mistake, same data, same seed.

    Args:
        train: a pair, inputs (N, F) float32 and mask (N,) float32 of 0 and 1.
        validation: a pair of the same kind.
        axes: six of them; all but the first show the right validation curve in grey.
        epochs: passes over the training part.

    Returns:
        The curves by name, `healthy` first; each is a pair as `curves` gives it.

    Raises:
        ValueError: there are not six axes.
    """
    if len(axes) != 1 + len(MISTAKES):
        raise ValueError(f"found {len(axes)} axes, expected {1 + len(MISTAKES)}: one for each training")
    drawn = {}
    for ax, (name, kind) in zip(axes, {"healthy": Experiment, **MISTAKES}.items(), strict=True):
        drawn[name] = training, validating = curves(kind, train, validation, epochs=epochs)
        if name != "healthy":
            ax.plot(drawn["healthy"][1], color="0.7", label="validation, healthy")
        ax.plot(training, color=CLOUD, label="training")
        ax.plot(validating, "--", color=FALSE_POSITIVE, label="validation, as reported")
        ax.set(ylim=(0, HIGHEST), xlim=(0, epochs))
        ax.set_title(name)
    return drawn
