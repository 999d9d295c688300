"""Is a training waiting for its data? Loader alone, model alone, both together (built in chapter 13)."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from course_utils.measure.clock import synchronize
from course_utils.runtime import pick_device

__all__ = ["Event", "Feeding", "Recorder", "feeding", "patches_per_second"]


def patches_per_second(loader: Iterable[dict], seconds: float = 1.0) -> float:
    """Read everything again and again, with nothing else to do.

    Args:
        loader: gives batch dictionaries.
        seconds: how long; the last pass is completed.

    Returns:
        Patches a second in the best pass: what another program did meanwhile counts least there.
    """
    best, end = 0.0, time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        patches = sum(len(batch["image"]) for batch in loader)
        best = max(best, patches / (time.perf_counter() - start))
        if time.perf_counter() > end:
            return best


@dataclass(frozen=True)
class Feeding:
    """Seconds a batch, measured three times: the loader alone, the model alone, both together.

    Attributes:
        load: the loader gives a batch.
        step: the model learns from a batch that lies ready.
        both: the training as it is.

    Example:
        >>> slow = Feeding(load=0.04, step=0.01, both=0.05)
        >>> slow.in_turn, slow.overlapped, slow.bottleneck
        (0.05, 0.04, 'loader')
    """

    load: float
    step: float
    both: float

    @property
    def in_turn(self) -> float:
        """Seconds a batch, predicted: first load, then step."""
        return self.load + self.step

    @property
    def overlapped(self) -> float:
        """Seconds a batch, predicted: the next batch is loaded during the step, so the slower of the two counts."""
        return max(self.load, self.step)

    @property
    def bottleneck(self) -> str:
        """What the other one waits for, ``"loader"`` or ``"model"``."""
        return "loader" if self.load > self.step else "model"


def feeding(
    loader: Iterable[dict],
    step: Callable[[dict], object],
    device: torch.device | str | None = None,
    rounds: int = 2,
) -> Feeding:
    """Measure a training's loader alone, its model alone, and both; the best pass of each counts.

    Args:
        loader: gives batch dictionaries.
        step: learns from one batch.
        device: where the model is; None is the one that `pick_device` chooses.
        rounds: passes of each, by turns.

    Returns:
        Seconds a batch.

    Raises:
        ValueError: the loader is empty.
    """
    device = device or pick_device()
    first = next(iter(loader), None)
    if first is None:
        raise ValueError("found no batch in the loader, expected at least one")
    step(first)                                         # what is done once only does not count

    synchronize(device)
    ready, passes = [first] * max(3, len(loader) // 2), []
    for _ in range(rounds):
        passes.append((_a_batch(loader, lambda batch: None, device), _a_batch(ready, step, device),
                       _a_batch(loader, step, device)))
    return Feeding(*(min(taken) for taken in zip(*passes, strict=True)))


def _a_batch(batches: Iterable[dict], use: Callable[[dict], object], device: torch.device | str) -> float:
    """Seconds a batch, everything waited for."""
    count, start = 0, time.perf_counter()
    for batch in batches:
        use(batch)
        count += 1
    synchronize(device)
    return (time.perf_counter() - start) / count


@dataclass(frozen=True)
class Event:
    """Something that took time: which stage, of which batch (from 0), from when to when in seconds."""

    stage: str
    batch: int
    start: float
    stop: float


@dataclass
class Recorder:
    """Notes when each batch was loaded and when it was learned from, in whichever thread.

    Attributes:
        events: in the order in which they ended.

    Example:
        >>> recorder = Recorder()
        >>> for batch in recorder.loading(range(2)):
        ...     with recorder.during("step", batch):
        ...         time.sleep(0.001)
        >>> [(event.stage, event.batch) for event in recorder.events]
        [('load', 0), ('step', 0), ('load', 1), ('step', 1)]
    """

    events: list[Event] = field(default_factory=list)

    @contextmanager
    def during(self, stage: str, batch: int) -> Iterator[None]:
        """Note how long a block takes.

        Args:
            stage: what it is called.
            batch: number of the batch that it works on.
        """
        start = time.perf_counter()
        yield
        self.events.append(Event(stage, batch, start, time.perf_counter()))

    def loading(self, loader: Iterable) -> Iterator:
        """Pass on a loader's batches and note how long each took.

        Args:
            loader: any iterable of batches.

        Yields:
            Its batches.
        """
        batches, number = iter(loader), 0
        while True:
            start = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                return
            self.events.append(Event("load", number, start, time.perf_counter()))
            yield batch
            number += 1
