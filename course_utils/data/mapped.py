"""Arrays that stay in their file: reading them leaves no trace in this process's memory."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.data.errors import LayoutError
from course_utils.files import plain_file, reading

__all__ = ["MappedArray", "map_array"]

PIECE = 4 * 2**20                               # bytes of the file that are read before they are let go


class MappedArray(np.memmap):
    """An array in a file, read when it is used and let go at the next use.

    A mapped file that was read counts as memory of the process, page by page, although the system could take the
    pages back at any time. So each ``array[index]`` gives back what was read before it, and many rows at once,
    ``array[[5, 2, 9]]`` or ``array[rows, :, row, column]``, are copied a few at a time. Values and shapes are those
    of any array.
    """

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        """What is computed from the file is an ordinary array."""
        return array[()] if return_scalar else np.asarray(array)

    def __getitem__(self, index: Any) -> Any:
        self.let_go()
        rows, *others = index if isinstance(index, tuple) else (index,)
        rows, *others = (np.asarray(part) if isinstance(part, (list, range)) else part for part in (rows, *others))
        if isinstance(rows, np.ndarray) and rows.dtype == bool and rows.shape == self.shape[:1]:
            rows = np.flatnonzero(rows)
        if self._mmap is not None and _numbers(rows) and all(_fits(other, rows) for other in others):
            return self._pieces(rows, others)
        part = super().__getitem__(index)
        return part if getattr(part, "_mmap", None) is not None else np.asarray(part)[()]

    def take(self, rows: np.ndarray, axis: int | None = None, out: np.ndarray | None = None,
             mode: str = "raise") -> np.ndarray:
        """Copy rows: what ``np.take`` calls, and the quickest way to a few whole ones.

        Args:
            rows: numbers along the axis.
            axis: where they are counted; None counts all elements, one row after another.
            out: where to write; None makes a new array.
            mode: what happens to a number out of range, as `numpy.take` says.

        Returns:
            The copy.
        """
        taken = np.asarray(self).take(rows, axis, out, mode)
        self.let_go()
        return taken

    def _pieces(self, rows: np.ndarray, others: list) -> np.ndarray:
        """The rows and what else is asked for of each, a few rows at a time."""
        step = max(1, PIECE * len(self) // self.nbytes)
        for start in range(0, len(rows), step):
            now = slice(start, start + step)
            piece = np.asarray(self)[rows[now], *(o[now] if isinstance(o, np.ndarray) else o for o in others)]
            if start == 0:
                result = np.empty((len(rows), *piece.shape[1:]), piece.dtype)
            result[now] = piece
            self.let_go()
        return result

    def let_go(self) -> None:
        """Stop counting the pages that were read as this process's memory; the system keeps them while it has room."""
        if self._mmap is not None and hasattr(mmap, "MADV_DONTNEED"):       # Windows does without
            self._mmap.madvise(mmap.MADV_DONTNEED)


def _numbers(part: Any) -> bool:
    """Whether an index is a list of numbers, at least one."""
    return isinstance(part, np.ndarray) and part.ndim == 1 and part.size > 0 and part.dtype.kind in "iu"


def _fits(other: Any, rows: np.ndarray) -> bool:
    """Whether an index beside the rows is the same for all of them, or one number for each of them."""
    if _numbers(other):
        return other.shape == rows.shape
    return other is None or other is ... or isinstance(other, (slice, int, np.integer))


def map_array(path: str | Path) -> MappedArray:
    """Map a ``.npy`` file into memory, for reading only.

    Args:
        path: the file.

    Returns:
        The array; bytes are read from disk when they are used.

    Raises:
        LayoutError: there is no such file, or it is damaged.
    """
    with reading(f"{path} that cannot be mapped", "an array as numpy.save writes it; make it again", LayoutError):
        return np.lib.format.open_memmap(plain_file(path), mode="r").view(MappedArray)
