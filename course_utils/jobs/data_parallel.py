"""Train one model with several processes: ``torchrun --nproc-per-node 2 -m course_utils.jobs.data_parallel``.

Run without torchrun it trains alone. The batch size is that of all processes together, so the same command gives the
same model, up to rounding, whatever the number of processes (chapter 14 says for which models that does not hold).
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import nn, optim
from torch.utils.data import BatchSampler, DataLoader, Dataset, DistributedSampler, Subset

from course_utils.checkpoint import load_checkpoint, require_parts, require_settings, save_checkpoint
from course_utils.data.patches import load_patches
from course_utils.jobs.team import Team, TeamError, join
from course_utils.models.cnn import SimpleCNN
from course_utils.models.group_norm import group_normalised
from course_utils.models.mlp import PixelMLP
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from course_utils.runtime import generator, seeded
from course_utils.tasks import Segmentation, Task
from course_utils.train import OPTIMIZERS, FitConfig, TrainingDivergedError, to_device

MODELS = {
    "unet": lambda channels: UNet(channels, width=8),
    "unet-group": lambda channels: group_normalised(UNet(channels, width=8)),
    "unet-tiny": lambda channels: group_normalised(UNet(channels, width=4, depth=2)),
    "cnn": SimpleCNN,
    "mlp": PixelMLP,
}


@dataclass(frozen=True)
class Settings:
    """What a data-parallel training is told; every field is an option of the command.

    Attributes:
        model: one of `MODELS`.
        epochs: passes over the training patches.
        batch_size: patches of all processes together in a step; a multiple of their number.
        learning_rate: of every step, constant.
        optimizer: "sgd", "adam" or "adamw".
        scenes: how many simulated scenes there are, from number 0; the course has 150.
        patches: how many of their training patches are used, and at most as many of validation, drawn at random; 0
            uses all.
        seed: of the draw, of the first weights, of the order of the patches.
        device: "cpu" leaves GPUs alone; empty takes them where there are any.
        checkpoint: file written after every epoch, and read at the start if it is there; empty for none.
    """

    model: str = "unet"
    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    optimizer: str = "adamw"
    scenes: int = 150
    patches: int = 0
    seed: int = 0
    device: str = ""
    checkpoint: str = ""

    def __post_init__(self):
        for name, known in (("model", MODELS), ("optimizer", OPTIMIZERS)):
            if getattr(self, name) not in known:
                raise ValueError(f"found {name}={getattr(self, name)!r}, expected one of {', '.join(known)}")
        if min(self.epochs, self.batch_size, self.scenes) < 1 or self.patches < 0:
            raise ValueError(f"found epochs={self.epochs}, batch_size={self.batch_size}, scenes={self.scenes}, "
                             f"patches={self.patches}; expected at least 1, and patches from 0")


def train(settings: Settings, team: Team | None = None) -> Iterator[dict]:
    """Train, epoch after epoch, going on from the checkpoint if there is one.

    Args:
        settings: the same in every process.
        team: the processes; None trains alone, on the CPU.

    Yields:
        After every epoch ``epoch`` (from 1), ``loss`` (training, over valid pixels of all processes),
        ``validation_loss``, ``iou``, ``accuracy``, ``seconds``; the same in every process. The checkpoint is written
        before.

    Raises:
        TeamError: the batch size is no multiple of the number of processes.
        CheckpointError: the checkpoint was made with other settings, or by another model.

    Source:
        Chapter 14.
    """
    team = team or Team()
    if settings.batch_size % team.world:
        raise TeamError(f"found a batch of {settings.batch_size} for {team.world} processes, expected a multiple; "
                        f"choose {settings.batch_size // team.world * team.world or team.world}")
    learning, checking = _datasets(settings, team)
    model = build(settings, learning)
    shared = team.share(model)
    config = FitConfig(learning_rate=settings.learning_rate, optimizer=settings.optimizer)
    optimizer = OPTIMIZERS[settings.optimizer](model.parameters(), config)
    first = _resume(settings, model, optimizer, team)
    task = Segmentation()
    order = DistributedSampler(learning, team.world, team.rank, shuffle=True, seed=settings.seed)
    batches = loader(learning, order, settings.batch_size // team.world)
    for epoch in range(first, settings.epochs):
        started = time.perf_counter()
        order.set_epoch(epoch)                                  # or every epoch has the order of the first
        torch.manual_seed((settings.seed * 1_000_003 + epoch) * team.world + team.rank)         # of dropout
        loss = train_epoch(shared, task, batches, optimizer, team)
        report = {"epoch": epoch + 1, "loss": loss, **evaluate(model, task, checking, settings.batch_size, team)}
        report["seconds"] = time.perf_counter() - started
        if settings.checkpoint and team.leads:
            save_checkpoint(settings.checkpoint, model, optimizer=optimizer.state_dict(), epoch=epoch + 1,
                            settings=_binding(settings))
        yield report


def train_epoch(model: nn.Module, task: Task, batches: DataLoader, optimizer: optim.Optimizer, team: Team) -> float:
    """One pass over this process's share of the training data.

    Gradients are averaged over processes, each counted once. Where one process has more valid pixels than another, the
    loss is weighted by its share of them, so that the average is the gradient of the mean over all.

    Args:
        model: what `Team.share` gave.
        task: gives the loss of a batch and how much it weighs.
        batches: this process's; as many as every other process has.
        optimizer: of the model's parameters.
        team: the processes.

    Returns:
        The loss averaged over the items of all processes.

    Raises:
        TrainingDivergedError: the loss of a batch is not finite.
    """
    model.train()
    total, count = 0.0, 0.0
    for batch in batches:
        batch = to_device(batch, team.device)
        items = task.items(batch)
        mean = team.sum(items) / team.world                     # of all processes
        optimizer.zero_grad()
        loss = task.loss(model(batch["image"]), batch)
        if not math.isfinite(loss.item()):
            raise TrainingDivergedError(f"process {team.rank}: found loss {loss.item()}; try a lower learning rate")
        (loss * (items / max(mean, 1))).backward()              # averages the gradients over processes
        optimizer.step()
        total, count = total + loss.item() * items, count + items
    return team.sum(total) / max(team.sum(count), 1)


@torch.no_grad()
def evaluate(model: nn.Module, task: Task, dataset: Dataset, batch_size: int, team: Team) -> dict[str, float]:
    """Loss and scores over a dataset of which each process takes every n-th sample, and none is taken twice.

    Args:
        model: the model itself, not the shared one: processes may have different numbers of batches here.
        task: loss and scores.
        dataset: all samples; their number need not be a multiple of anything.
        batch_size: samples at once, of all processes together.
        team: the processes.

    Returns:
        ``validation_loss`` and the task's scores, the same in every process.
    """
    model.eval()
    total, count, tallies = 0.0, 0.0, []
    for batch in loader(dataset, range(team.rank, len(dataset), team.world), max(1, batch_size // team.world)):
        batch = to_device(batch, team.device)
        output, items = model(batch["image"]), task.items(batch)
        total, count = total + task.loss(output, batch).item() * items, count + items
        tallies.append(task.tally(output, batch))
    tallies = [tally for part in team.gather(tallies) for tally in part]
    scores = task.scores(sum(tallies[1:], start=tallies[0]))
    return {"validation_loss": team.sum(total) / max(team.sum(count), 1), **scores}


def loader(dataset: Dataset, order: Iterable[int], batch_size: int) -> DataLoader:
    """Make a DataLoader that reads each batch of packed patches in one go.

    Args:
        dataset: gives a batch for a list of numbers, as `PackedPatches` does.
        order: the numbers of one pass, such as a DistributedSampler.
        batch_size: patches in a batch; the last one may be smaller.

    Returns:
        The loader.
    """
    return DataLoader(dataset, sampler=BatchSampler(order, batch_size, drop_last=False), batch_size=None)


def build(settings: Settings, learning: Dataset) -> nn.Module:
    """Make the model with its first weights, the same in every process.

    Args:
        settings: name and seed.
        learning: training patches; a few of them tell how inputs are scaled.

    Returns:
        The model, on the CPU.
    """
    few = learning[torch.randperm(len(learning), generator=generator(settings.seed))[:64].tolist()]
    pixels = few["image"].movedim(1, -1)[few["valid"]]          # (N, C)
    with seeded(settings.seed):
        return Scaled(MODELS[settings.model](pixels.shape[1]), pixels)


def main(arguments: list[str] | None = None) -> int:
    """Train as the options say; process 0 prints a line of JSON at the start and after every epoch.

    Args:
        arguments: what follows the name of the module; None takes it from the command line.

    Returns:
        The exit code: 0 if all is well, 2 if the settings do not fit.
    """
    try:
        settings = _parsed(arguments)
        with join(settings.device or None) as team:
            beginning = {"processes": team.world, "backend": team.backend, "device": team.device.type,
                         "patches_per_process": settings.batch_size // team.world, "pids": team.gather(os.getpid())}
            _say(beginning, team)
            for report in train(settings, team):
                _say(report, team)
    except (ValueError, TeamError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parsed(arguments: list[str] | None) -> Settings:
    """The settings that the options give; an option for every field."""
    parser = argparse.ArgumentParser(prog="course_utils.jobs.data_parallel", description=train.__doc__.split("\n")[0])
    for field in fields(Settings):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default,
                            help=f"default: {field.default!r}")
    return Settings(**vars(parser.parse_args(arguments)))


def _say(report: dict, team: Team) -> None:
    """Print a line, once for all processes."""
    if team.leads:
        print(json.dumps(report), flush=True)


def _datasets(settings: Settings, team: Team) -> tuple[Dataset, Dataset]:
    """Training and validation patches; process 0 simulates them if they are not there yet, the others wait."""
    options = {"scenes": settings.scenes, "progress": False, "workers": 1}
    if team.leads:
        load_patches("all", **options)
    team.wait()
    parts = load_patches("train", **options), load_patches("validation", **options)
    if not settings.patches:
        return parts
    orders = (torch.randperm(len(part), generator=generator(settings.seed)) for part in parts)
    learning, checking = (Subset(part, order[:settings.patches].tolist())
                          for part, order in zip(parts, orders, strict=True))
    return learning, checking


def _binding(settings: Settings) -> dict:
    """The settings that may not change when a training goes on."""
    return {name: value for name, value in asdict(settings).items() if name not in ("epochs", "device", "checkpoint")}


def _resume(settings: Settings, model: nn.Module, optimizer: optim.Optimizer, team: Team) -> int:
    """Put what the checkpoint holds into model and optimizer, in every process; the number of finished epochs."""
    there = team.gather(bool(settings.checkpoint) and Path(settings.checkpoint).exists())
    if not there[0]:                    # one process decides: on a shared disk, others may not see the file yet
        return 0
    state = load_checkpoint(settings.checkpoint, model)
    require_parts(settings.checkpoint, state, ("optimizer", "epoch", "settings"))
    require_settings(settings.checkpoint, state["settings"], _binding(settings))
    optimizer.load_state_dict(state["optimizer"])
    return state["epoch"]


if __name__ == "__main__":
    sys.exit(main())
