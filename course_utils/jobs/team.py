"""The processes of one job: who am I of how many, on which device, and how do we add up (built in chapter 14).

torchrun starts every process with its number in the environment. Without torchrun a team has one member and nothing to
exchange, so that the same program runs alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from course_utils.runtime import pick_device

__all__ = ["Team", "TeamError", "join"]

CPU = torch.device("cpu")


class TeamError(RuntimeError):
    """A set of processes that cannot work together as they were started."""


@dataclass(frozen=True)
class Team:
    """What a process knows about the others.

    Attributes:
        rank: number of this process, from 0; number 0 writes files and speaks.
        world: how many processes there are.
        device: where this process computes.
        backend: what carries the messages: "nccl" between GPUs (on AMD's, RCCL answers to that name), "gloo" between
            CPUs, "none" for a process alone.

    Source:
        Chapter 14.
    """

    rank: int = 0
    world: int = 1
    device: torch.device = CPU
    backend: str = "none"

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def sum(self, value: float) -> float:
        """Add a number over all processes.

        Args:
            value: this process's share.

        Returns:
            The sum, the same number in every process.

        Example:
            >>> Team().sum(2.5)
            2.5
        """
        if self.world == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.item()

    def gather(self, value: Any) -> list[Any]:
        """Collect a value from every process.

        Args:
            value: anything that can be pickled.

        Returns:
            The values of all processes, in the order of their ranks, in every process.

        Example:
            >>> Team().gather("here")
            ['here']
        """
        values = [value]
        if self.world > 1:
            values = [None] * self.world
            dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            dist.barrier()

    def share(self, model: nn.Module) -> nn.Module:
        """Make copies of a model, one in each process, that start equal and average their gradients in `backward`.

        Batch normalisation looks at the batch. On GPUs it is made to look at all processes' share of it; on CPUs
        PyTorch cannot do that, and each process normalises its own share.

        Args:
            model: the model of this process; it is moved to the team's device.

        Returns:
            What to call in its place in training. The model itself holds the trained weights, under their own names.
        """
        if self.world == 1:
            return model.to(self.device)
        if self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
            return DistributedDataParallel(model.to(self.device), device_ids=[self.device.index])
        return DistributedDataParallel(model)


@contextmanager
def join(prefer: str | None = None) -> Iterator[Team]:
    """Meet the other processes that torchrun started, and part from them at the end.

    Args:
        prefer: "cpu" to leave the GPUs alone; None takes a GPU for each process where there are any.

    Yields:
        The team; alone if torchrun did not start this process.

    Raises:
        TeamError: there are GPUs, but fewer than processes on this machine.

    Example:
        >>> with join("cpu") as team:
        ...     team.rank, team.world
        (0, 1)
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Team(device=pick_device(prefer))
        return
    rank, local = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    backend, device = "gloo", torch.device("cpu")
    if prefer != "cpu" and torch.cuda.is_available():
        if local >= torch.cuda.device_count():
            raise TeamError(f"found {torch.cuda.device_count()} GPUs for process {local + 1} of this machine, expected "
                            "one for each; start fewer processes per node, or ask for device cpu")
        backend, device = "nccl", torch.device("cuda", local)
        torch.cuda.set_device(device)
    dist.init_process_group(backend, device_id=device if backend == "nccl" else None)
    try:
        yield Team(rank, world, device, backend)
    finally:
        dist.destroy_process_group()
