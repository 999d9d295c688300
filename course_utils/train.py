"""The training loop, to be read from `fit` downwards in one minute (built in chapter 06)."""

import copy
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn, optim
from tqdm import tqdm

from course_utils.checkpoint import (
    CheckpointError,
    architecture,
    load_checkpoint,
    require_parts,
    require_settings,
    save_checkpoint,
)
from course_utils.files import reading
from course_utils.history import History
from course_utils.runtime import fast_bfloat16
from course_utils.tasks import Batch, Task

SEEDS_APART = 1_000_003     # more epochs than anybody trains: no epoch of one seed draws like an epoch of another

OPTIMIZERS = {
    "sgd": lambda p, c: optim.SGD(p, c.learning_rate, momentum=c.momentum, weight_decay=c.weight_decay),
    "adam": lambda p, c: optim.Adam(p, c.learning_rate, weight_decay=c.weight_decay),
    "adamw": lambda p, c: optim.AdamW(p, c.learning_rate, weight_decay=c.weight_decay),
}
SCHEDULES = {
    "constant": lambda o, c, steps: optim.lr_scheduler.ConstantLR(o, factor=1.0),
    "cosine": lambda o, c, steps: optim.lr_scheduler.CosineAnnealingLR(o, T_max=steps),
    "onecycle": lambda o, c, steps: optim.lr_scheduler.OneCycleLR(o, max_lr=c.learning_rate, total_steps=steps),
}


@dataclass(frozen=True)
class FitConfig:
    """Everything about a training that is not the model, the task or the data.

    Attributes:
        epochs: passes over the training data, at most.
        learning_rate: the optimizer's step size; the peak of it under "onecycle".
        optimizer: "sgd", "adam" or "adamw".
        momentum: of "sgd"; "onecycle" moves it itself, from 0.95 to 0.85 and back, and likewise Adam's beta1.
        weight_decay: pull of the weights towards zero.
        schedule: "constant", "cosine" (to zero) or "onecycle" (up, then down to zero), stepped every batch.
        patience: stop after this many epochs without a lower validation loss; None never stops.
        max_seconds: stop after the first epoch that ends later than this; None never stops.
        mixed_precision: compute layers in bfloat16 where the device is faster with it (`runtime.fast_bfloat16`); the
            weights, the loss and what is not fast stay in float32 (chapter 12).
        seed: of the shuffling and of dropout.
    """

    epochs: int = 10
    learning_rate: float = 1e-3
    optimizer: str = "adamw"
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "constant"
    patience: int | None = None
    max_seconds: float | None = None
    mixed_precision: bool = False
    seed: int = 0

    def __post_init__(self):
        for name, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in known:
                raise ValueError(f"found {name}={getattr(self, name)!r}, expected one of {', '.join(known)}")
        if self.epochs < 1 or not self.learning_rate > 0:
            raise ValueError(
                f"found epochs={self.epochs}, learning_rate={self.learning_rate}; expected at least 1, and above 0"
            )


class TrainingDivergedError(RuntimeError):
    """The loss became infinite or not a number, so going on would only spoil the weights."""


def fit(
    model: nn.Module,
    task: Task,
    train: Iterable[Batch],
    validation: Iterable[Batch],
    config: FitConfig = FitConfig(),
    checkpoint: str | Path | None = None,
) -> History:
    """Train a model; it ends with the weights of its best epoch.

    The randomness of an epoch depends on the seed and the epoch's number alone, so a training that goes on from its
    checkpoint gives bit for bit what an undisturbed one gives on the same machine.

    Args:
        model: maps `batch["image"]` to the output that `task` understands; trained on the device it is on.
        task: loss and scores, e.g. `tasks.Segmentation()`.
        train: DataLoader of batches (dictionaries of tensors), shuffled.
        validation: DataLoader of batches, not shuffled.
        config: see `FitConfig`.
        checkpoint: file written after every epoch, and read at the start if it is there.

    Returns:
        History, one entry per epoch.

    Raises:
        ValueError: a loader is empty.
        TrainingDivergedError: the loss is not finite; says step, learning rate and the last good checkpoint.
        CheckpointError: the checkpoint is incomplete, or of another architecture, version or configuration.

    Source:
        Chapter 06.
    """
    if len(train) == 0:
        raise ValueError("found no batch in the training loader, expected at least one; check the split")
    optimizer = OPTIMIZERS[config.optimizer](model.parameters(), config)
    schedule = SCHEDULES[config.schedule](optimizer, config, config.epochs * len(train))
    history, best = _resume(checkpoint, model, optimizer, schedule, config)

    with tqdm(range(config.epochs), initial=len(history), desc="epochs") as bar:
        while len(history) < config.epochs and not _should_stop(history, config):
            started = time.perf_counter()
            _seed_epoch(train, config.seed, len(history))
            try:
                train_loss = train_epoch(model, task, train, optimizer, schedule, config.mixed_precision)
                validation_loss, scores = evaluate(model, task, validation, config.mixed_precision)
            except TrainingDivergedError as error:
                kept = f"{checkpoint} holds the last good epoch" if checkpoint and len(history) else "nothing was saved"
                raise TrainingDivergedError(f"epoch {len(history) + 1}, {error}; {kept}") from None

            history.train_loss.append(train_loss)
            history.validation_loss.append(validation_loss)
            history.scores.append(scores)
            history.seconds.append(time.perf_counter() - started)
            if history.best == len(history) - 1:
                best = copy.deepcopy(model.state_dict())
            if checkpoint:
                state = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(), "best": best}
                save_checkpoint(checkpoint, model, config=asdict(config), history=asdict(history), **state)
            bar.update()
            bar.set_postfix(train=f"{train_loss:.4f}", validation=f"{validation_loss:.4f}")
    model.load_state_dict(best)
    return history


def train_epoch(
    model: nn.Module,
    task: Task,
    train: Iterable[Batch],
    optimizer: optim.Optimizer,
    schedule: optim.lr_scheduler.LRScheduler,
    mixed_precision: bool = False,
) -> float:
    """One pass over the training data: for every batch predict, compare, differentiate, step.

    Args:
        model: maps `batch["image"]` to the output that `task` understands.
        task: gives the loss of a batch and how much it weighs.
        train: batches, dictionaries of tensors.
        optimizer: steps once a batch.
        schedule: steps after it.
        mixed_precision: as in `FitConfig`.

    Returns:
        The loss averaged over items.

    Raises:
        ValueError: the loader is empty.
        TrainingDivergedError: the loss of a batch is not finite.
    """
    model.train()
    device = next(model.parameters()).device
    total, items = 0.0, 0
    for step, batch in enumerate(train, start=1):
        batch = to_device(batch, device)
        optimizer.zero_grad()
        loss = task.loss(_output(model, batch, mixed_precision), batch)
        value = _finite(loss.item(), f"step {step} at learning rate {optimizer.param_groups[0]['lr']:.3g}")
        loss.backward()
        optimizer.step()
        schedule.step()
        weight = task.items(batch)
        total, items = total + value * weight, items + weight
    return _mean(total, items)


@torch.no_grad()
def evaluate(
    model: nn.Module, task: Task, loader: Iterable[Batch], mixed_precision: bool = False
) -> tuple[float, dict[str, float]]:
    """Loss and scores of a model over all batches, without learning from them.

    Args:
        model: maps `batch["image"]` to the output that `task` understands; put into eval mode.
        task: loss and scores.
        loader: batches, dictionaries of tensors.
        mixed_precision: as in `FitConfig`.

    Returns:
        The loss averaged over items, and the task's scores.

    Raises:
        ValueError: the loader is empty.
        TrainingDivergedError: the loss of a batch is not finite.
    """
    model.eval()
    device = next(model.parameters()).device
    total, items, tallies = 0.0, 0, []
    for batch in loader:
        batch = to_device(batch, device)
        output = _output(model, batch, mixed_precision)
        weight = task.items(batch)
        total, items = total + _finite(task.loss(output, batch).item(), "validation") * weight, items + weight
        tallies.append(task.tally(output, batch))
    return _mean(total, items), task.scores(sum(tallies[1:], start=tallies[0]))


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move a batch to a device.

    Args:
        batch: dictionary; what is no tensor stays as it is.
        device: where to.

    Returns:
        A new dictionary with the same keys.
    """
    return {k: v.to(device, non_blocking=True) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def _output(model: nn.Module, batch: Batch, mixed_precision: bool) -> Tensor:
    """What the model gives for a batch, in float32 also where its layers computed in bfloat16."""
    device = batch["image"].device
    if not (mixed_precision and fast_bfloat16(device)):
        return model(batch["image"])
    with torch.autocast(device.type, torch.bfloat16):
        return model(batch["image"]).float()


def _finite(loss: float, where: str) -> float:
    """The loss itself, or an error that says where it was lost."""
    if not math.isfinite(loss):
        raise TrainingDivergedError(f"{where}: found loss {loss}; try a lower learning rate, and look at the inputs")
    return loss


def _mean(total: float, items: int) -> float:
    """A mean that says what is wrong when there is nothing to average."""
    if items == 0:
        raise ValueError(
            "found no valid item in the whole loader, expected at least one; check the split and the validity"
        )
    return total / items


def _seed_epoch(train: Iterable[Batch], seed: int, epoch: int) -> None:
    """Make the shuffling and the dropout of an epoch depend on nothing but the seed and the epoch."""
    torch.manual_seed(seed * SEEDS_APART + epoch)
    if getattr(train, "generator", None) is not None:
        train.generator.manual_seed(seed * SEEDS_APART + epoch)


def _should_stop(history: History, config: FitConfig) -> bool:
    """Whether patience or time has run out."""
    stale = len(history) and config.patience is not None and len(history) - 1 - history.best >= config.patience
    late = config.max_seconds is not None and sum(history.seconds) >= config.max_seconds
    return bool(stale or late)


def _resume(checkpoint, model, optimizer, schedule, config) -> tuple[History, dict]:
    """Go on from the checkpoint if there is one; else begin."""
    if checkpoint is None or not Path(checkpoint).exists():
        return History(), copy.deepcopy(model.state_dict())
    state = load_checkpoint(checkpoint, model)
    with reading(f"{checkpoint}, which no training goes on from", "one that fit wrote; train again", CheckpointError):
        require_parts(checkpoint, state, ("config", "history", "optimizer", "schedule", "best"))
        require_settings(checkpoint, state["config"], asdict(config))
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        history, best = History(**state["history"]), state["best"]
        if len({len(values) for values in asdict(history).values()}) != 1 or not len(history):
            raise ValueError("a history of no epochs, or of some that lack a loss")
        if architecture(model)["shapes"] != {name: list(value.shape) for name, value in best.items()}:
            raise ValueError("best weights of another shape")
        return history, best
