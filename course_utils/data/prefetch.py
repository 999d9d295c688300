"""Batches that a background thread reads ahead while the model works (built in chapter 13)."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import torch

__all__ = ["Prefetched"]


class Prefetched:
    """A loader that is read ahead: while a batch is used, a thread prepares the next ones.

    Batches come in the loader's order. An error of the loader is raised where its batch would have come, and the
    thread ends with the loop over the batches, also when that is left early.

    Args:
        loader: what to read; any iterable.
        ahead: batches that may wait, at least 1; each of them takes memory.

    Attributes:
        generator: the loader's, which `train.fit` seeds; None if it has none.

    Raises:
        ValueError: nothing may wait.

    Source:
        Chapter 13.

    Example:
        >>> list(Prefetched(range(4)))
        [0, 1, 2, 3]
    """

    def __init__(self, loader: Iterable, ahead: int = 2):
        if ahead < 1:
            raise ValueError(f"found ahead={ahead}, expected at least 1 batch that may wait")
        self.loader, self.ahead = loader, ahead

    @property
    def generator(self) -> torch.Generator | None:
        """The loader's generator."""
        return getattr(self.loader, "generator", None)

    def __len__(self):
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        waiting, left = queue.Queue(maxsize=self.ahead), threading.Event()
        thread = threading.Thread(target=_read, args=(self.loader, waiting, left), daemon=True)
        thread.start()
        try:
            while True:
                batch, error, ended = waiting.get()
                if error is not None:
                    raise error
                if ended:
                    return
                yield batch
        finally:
            left.set()
            while not waiting.empty():          # a thread that waits for room goes on, and sees that we have left
                waiting.get()
            thread.join()


def _read(loader: Iterable, waiting: queue.Queue, left: threading.Event) -> None:
    """The thread: every batch, then that there was an error or the end. After `left`, at most one thing is put."""
    try:
        for batch in loader:
            waiting.put((batch, None, False))
            if left.is_set():
                return
    except BaseException as error:  # noqa: BLE001  (whatever ends the thread belongs to whoever waits for a batch)
        waiting.put((None, error, False))
    else:
        waiting.put((None, None, True))
