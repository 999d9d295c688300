"""How long a computation takes: warmed up, repeated, and waited for (built in chapter 12)."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from course_utils.runtime import pick_device

__all__ = ["Parts", "seconds", "synchronize"]


def synchronize(device: torch.device | str) -> None:
    """Wait until a device has done everything that it was asked to do.

    Args:
        device: where the work was sent; the CPU has nothing to wait for.

    Source:
        Chapter 12.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.synchronize(device)
    elif kind == "mps":
        torch.mps.synchronize()


def seconds(
    call: Callable[[], object], repeats: int = 5, warmup: int = 1, device: torch.device | str | None = None
) -> float:
    """Measure how long a call takes, in the median of some repetitions.

    The clock starts when the device is idle and stops when it is idle again, so that work which was merely sent off
    is counted, too.

    Args:
        call: what to measure, without arguments.
        repeats: measured calls, at least 1.
        warmup: calls before them that do not count: the first fills caches, reserves memory, compiles.
        device: the device that works; None is the one that `pick_device` chooses.

    Returns:
        Seconds per call.

    Raises:
        ValueError: nothing is to be measured, or `warmup` is negative.

    Source:
        Chapter 12.

    Example:
        >>> seconds(lambda: time.sleep(0.01), repeats=3) >= 0.01
        True
    """
    if repeats < 1 or warmup < 0:
        raise ValueError(f"found repeats={repeats}, warmup={warmup}; expected at least 1, and 0 or more")
    device = device or pick_device()
    for _ in range(warmup):
        call()
    taken = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        call()
        synchronize(device)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


class Parts:
    """A clock that says what the parts of a program took, each waited for.

    Waiting at every seam keeps the device from working ahead, so the parts may add up to more than the whole takes
    without a clock; measure the whole with `seconds`.

    Args:
        device: the device that works; None is the one that `pick_device` chooses.

    Attributes:
        seconds: the total for each part, in seconds, by its name, in the order in which they first ran.

    Source:
        Chapter 12.

    Example:
        >>> parts = Parts("cpu")
        >>> for _ in range(2):
        ...     with parts("sleep"):
        ...         time.sleep(0.01)
        >>> parts.seconds["sleep"] >= 0.02
        True
    """

    def __init__(self, device: torch.device | str | None = None):
        self.device = device or pick_device()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time of a block to a part.

        Args:
            name: the part.
        """
        synchronize(self.device)
        start = time.perf_counter()
        yield
        synchronize(self.device)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
