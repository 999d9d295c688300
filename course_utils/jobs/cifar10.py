"""The tuning challenge as a batch job: ``python -m course_utils.jobs.cifar10 --epochs 10 --batch-size 64``.

A LeNet on CIFAR-10, Adam with a fixed learning rate of 0.001. Only epochs and batch size may change. Tuning is scored
on validation pictures. The test set is scored once, by ``--final``. 60 % within an hour of training passes, 70 % is
excellent.
"""

import argparse
import datetime
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils import leaderboard
from course_utils.data.cifar import load_cifar10
from course_utils.data.errors import DataError
from course_utils.data.packed import batches
from course_utils.files import WriteError, aside, plain_file, reading
from course_utils.jobs.report import TABLE, save_report
from course_utils.models.lenet import LeNet
from course_utils.models.scaled import Scaled
from course_utils.runtime import generator, pick_device
from course_utils.tasks import Classification
from course_utils.train import FitConfig, fit, to_device

LEARNING_RATE = 1e-3
PASSES, EXCELLENT = 0.60, 0.70
HOUR = 3600.0                       # seconds of training
SCORED_AT_ONCE = 256
TASK = Classification(10)


class FinalTakenError(RuntimeError):
    """The test set was scored before; a second look would be tuning on it."""


@dataclass(frozen=True)
class Run:
    """Where a training stands and with which two settings.

    Attributes:
        epochs: passes over the training pictures.
        batch_size: pictures in a step.
        data: folder of the .bin files; None takes what was fetched.
        folder: what all runs of a challenge are kept in: checkpoints, pictures, boards.
        name: who takes part, for the boards.
        device: see `runtime.pick_device`.
    """

    epochs: int
    batch_size: int
    data: Path | None = None
    folder: Path = Path("cifar10-runs")
    name: str = "somebody"
    device: str | None = None

    def __post_init__(self):
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"found epochs={self.epochs}, batch_size={self.batch_size}; expected at least 1")

    @property
    def place(self) -> Path:
        """The folder of this run alone."""
        return self.folder / f"epochs-{self.epochs}-batch-{self.batch_size}"

    @property
    def final_place(self) -> Path:
        """The folder of the final score's table and pictures."""
        return self.place / "final"


def tune(run: Run) -> dict:
    """Train with two settings and score on validation; the result is added to ``tuning.json``.

    A table of the classes and two pictures are left in the run's folder. A run that was cut short goes on from its last
    epoch.

    Args:
        run: settings and places.

    Returns:
        ``name``, ``part``, ``score`` (accuracy), ``epochs``, ``batch_size``, ``seconds`` (of training), ``verdict``,
        ``date``.

    Raises:
        DataError: the pictures are not there, or damaged.

    Source:
        Chapter 14.
    """
    model, seconds = _trained(run)
    result, confusion, last, names = _scored(run, model, seconds, "validation")
    save_report(run.place, confusion, names, last)
    leaderboard.add(run.folder / "tuning.json", result)
    return result


def final(run: Run) -> dict:
    """Score a run on the test set, once for the whole folder; the result is added to ``leaderboard.json``.

    Args:
        run: the run that was chosen on validation; trained first if it was not.

    Returns:
        As `tune`, of the test part.

    Raises:
        FinalTakenError: there was a final score before.
        DataError: the pictures are not there, or damaged.

    Source:
        Chapter 14.
    """
    taken = run.folder / "final.json"
    _refuse_second(taken)
    model, seconds = _trained(run)
    result, confusion, last, names = _scored(run, model, seconds, "test")
    try:
        taken.touch(exist_ok=False)                     # of two that come here at once, one fails
    except FileExistsError:
        _refuse_second(taken)
    except OSError as error:
        raise WriteError(error.errno, error.strerror, str(taken)) from error
    try:
        with aside(taken) as new:
            new.write_text(json.dumps(result, indent=1), encoding="utf-8")
    except OSError:
        taken.unlink()
        raise
    save_report(run.final_place, confusion, names, last)
    leaderboard.add(run.folder / "leaderboard.json", result)
    return result


def verdict(accuracy: float, seconds: float) -> str:
    """Judge a run.

    Args:
        accuracy: share of the pictures that are called what they are.
        seconds: of training.

    Returns:
        "excellent", "passed" or "not yet".

    Example:
        >>> verdict(0.7, 60), verdict(0.65, 3600), verdict(0.65, 3601)
        ('excellent', 'passed', 'not yet')
    """
    if accuracy < PASSES or seconds > HOUR:
        return "not yet"
    return "excellent" if accuracy >= EXCELLENT else "passed"


def main(arguments: list[str] | None = None) -> int:
    """Run one training of the challenge, or the final score.

    Args:
        arguments: what follows the name of the module; None takes it from the command line.

    Returns:
        The exit code: 0 if the run ended, whatever its score; 1 if the pictures are not there, the test set was
        scored before or the disk is full; 2 if the settings do not fit.
    """
    parser = argparse.ArgumentParser(prog="course_utils.jobs.cifar10", description="the tuning challenge on CIFAR-10",
                                     epilog=f"the optimiser is Adam with a learning rate of {LEARNING_RATE}, for all")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--data", type=Path, help="folder of the .bin files (default: what was fetched)")
    parser.add_argument("--folder", type=Path, default=Run.folder, help="for checkpoints, pictures, boards")
    parser.add_argument("--name", default=Run.name, help="for the boards")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the fastest)")
    parser.add_argument("--final", action="store_true", help="score on the test set, once")
    options = vars(parser.parse_args(arguments))
    last_look = options.pop("final")
    try:
        run = Run(**options)
        result = final(run) if last_look else tune(run)
    except (DataError, FinalTakenError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(((run.final_place if last_look else run.place) / TABLE).read_text(encoding="utf-8"), end="")
    print(f"{result['part']} accuracy {result['score']:.3f} after {result['seconds']:.0f} s: {result['verdict']}")
    return 0


def _trained(run: Run) -> tuple[nn.Module, float]:
    """The network with the weights of its best epoch, and the seconds that its training took."""
    train, validation = load_cifar10("train", run.data), load_cifar10("validation", run.data)
    few = torch.randperm(len(train), generator=generator(0))[:1000].tolist()
    torch.manual_seed(0)
    model = Scaled(LeNet(), train[few]["image"].movedim(1, -1).flatten(0, 2)).to(pick_device(run.device))
    learning = batches(train, run.batch_size, shuffle=True, generator=torch.Generator())
    config = FitConfig(epochs=run.epochs, learning_rate=LEARNING_RATE, optimizer="adam")
    run.place.mkdir(parents=True, exist_ok=True)
    history = fit(model, TASK, learning, batches(validation, SCORED_AT_ONCE), config, run.place / "checkpoint.pt")
    return model, sum(history.seconds)


@torch.no_grad()
def _scored(run: Run, model: nn.Module, seconds: float, part: str) -> tuple[dict, Tensor, tuple, tuple[str, ...]]:
    """The result of a run, its confusion matrix, its last batch, and the names of the classes."""
    pictures = load_cifar10(part, run.data)
    device = next(model.parameters()).device
    model.eval()
    confusion = torch.zeros(10, 10, dtype=torch.int64)
    for batch in batches(pictures, SCORED_AT_ONCE):
        output = model(to_device(batch, device)["image"]).cpu()
        confusion += TASK.tally(output, batch)
    accuracy = TASK.scores(confusion)["accuracy"]
    result = {"name": run.name, "part": part, "score": accuracy, "epochs": run.epochs, "batch_size": run.batch_size,
              "seconds": seconds, "verdict": verdict(accuracy, seconds),
              "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")}
    return result, confusion, (batch["image"], batch["label"], output.argmax(dim=1)), pictures.names


def _refuse_second(taken: Path) -> None:
    """Refuse if there was a final score."""
    if os.path.lexists(taken):
        expected = "none: the test set is scored once. Report that score; for another challenge, choose another folder"
        with reading(f"a final score in {taken} that cannot be read", expected, FinalTakenError):
            first = json.loads(plain_file(taken).read_text(encoding="utf-8"))
            settings = f"epochs {first['epochs']}, batch size {first['batch_size']}"
            raise FinalTakenError(f"found a final score of {first['date']} ({first['score']:.3f}, {settings}), "
                                  f"expected {expected}")


if __name__ == "__main__":
    sys.exit(main())
