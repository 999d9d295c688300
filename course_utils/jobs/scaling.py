"""Time a training step alone, shared, and grown: ``torchrun --nproc-per-node 2 -m course_utils.jobs.scaling``."""

import argparse
import json
import sys
from collections.abc import Callable

import torch
from torch import nn

from course_utils import losses
from course_utils.jobs.team import Team, join
from course_utils.measure.clock import seconds
from course_utils.models.unet import UNet
from course_utils.runtime import generator

CHANNELS = 12


def measure(team: Team, batch_size: int = 16, size: int = 64, repeats: int = 4) -> dict[str, float]:
    """Time the step of a U-Net on random images, in three ways.

    Args:
        team: the processes; with one process, all three are the same.
        batch_size: images of the step that one process makes alone.
        size: rows and columns of an image.
        repeats: steps of which the median counts.

    Returns:
        ``processes``, their number; and seconds of a step: ``alone``, one process with the whole batch while the others
        wait; ``strong``, the same batch shared by all; ``weak``, a whole batch for each. The same in every process.

    Source:
        Chapter 14.
    """
    def timed(model: nn.Module, count: int) -> float:
        return seconds(_step(model, count, size, team), repeats, warmup=1, device=team.device)

    model = UNet(CHANNELS, width=8).to(team.device)
    alone = timed(model, batch_size) if team.leads else 0.0
    team.wait()
    shared = team.share(model)
    strong = timed(shared, max(1, batch_size // team.world))
    weak = timed(shared, batch_size)
    alone, strong, weak = team.gather((alone, strong, weak))[0]
    return {"processes": team.world, "alone": alone, "strong": strong, "weak": weak}


def _step(model: nn.Module, count: int, size: int, team: Team) -> Callable[[], None]:
    """One step on images that stay the same."""
    draw = generator(team.rank)
    image = torch.rand(count, CHANNELS, size, size, generator=draw).to(team.device)
    mask = (torch.rand(count, size, size, generator=draw) > 0.5).to(team.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        losses.bce(model(image), mask).backward()
        optimizer.step()

    return step


def main(arguments: list[str] | None = None) -> int:
    """Print the times as one line of JSON.

    Args:
        arguments: what follows the name of the module; None takes it from the command line.

    Returns:
        The exit code, 0.
    """
    parser = argparse.ArgumentParser(prog="course_utils.jobs.scaling", description=measure.__doc__.split("\n")[0])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--device", default="", help="cpu leaves GPUs alone")
    options = parser.parse_args(arguments)
    with join(options.device or None) as team:
        times = measure(team, options.batch_size)
        if team.leads:
            print(json.dumps(times))
    return 0


if __name__ == "__main__":
    sys.exit(main())
