"""How much computing an entry may cost, and a clock that counts it."""

import os
import time

__all__ = ["SECONDS", "Budget"]

SECONDS = 300.0


class Budget:
    """A clock that counts the processor's seconds, those of all cores together, while a ``with`` block runs.

    One budget may be entered many times, once in every cell that trains, chooses or predicts. Child processes are
    counted when they end, so let them end inside the block; on Windows they are not counted. The seconds of an
    accelerator are not counted either: entries compute on the processor.

    Args:
        seconds: what there is to spend.

    Source:
        Chapter 17.

    Example:
        >>> budget = Budget()
        >>> with budget:
        ...     _ = sum(range(1000))
        >>> 0 <= budget.spent < budget.left
        True
    """

    def __init__(self, seconds: float = SECONDS):
        self.seconds = seconds
        self._before = 0.0
        self._started: float | None = None

    @property
    def spent(self) -> float:
        """Processor seconds counted so far, also while a block is running."""
        return self._before + (0.0 if self._started is None else _processor_seconds() - self._started)

    @property
    def left(self) -> float:
        """Processor seconds still to spend; negative when there is none."""
        return self.seconds - self.spent

    def __enter__(self) -> "Budget":
        if self._started is not None:
            raise RuntimeError("found a budget that is counting already, expected one block at a time; "
                               "take the inner `with` away")
        self._started = _processor_seconds()
        return self

    def __exit__(self, *error: object) -> None:
        self._before, self._started = self.spent, None

    def __str__(self) -> str:
        return f"{self.spent:.1f} of {self.seconds:.0f} processor seconds"


def _processor_seconds() -> float:
    """What this process and its children that have ended took, in user and in system mode, on all cores."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system
