"""CIFAR-10 in its binary format: files of records, each a byte for the class and 3,072 for the picture.

A picture's bytes are its red plane, then green, then blue, each row by row. `batches.meta.txt` names the ten classes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.data.local import locate
from course_utils.data.registry import DATASETS
from course_utils.files import aside, reading

__all__ = ["CIFAR_PARTS", "Cifar10", "load_cifar10", "read_records", "write_records"]

CIFAR_PARTS = ("train", "validation", "test")
CLASSES, SHAPE = 10, (3, 32, 32)
RECORD = 1 + 3 * 32 * 32            # bytes
VALIDATION = 10                     # one in so many records of the training files is held out
NAMES, TEST = "batches.meta.txt", "test_batch.bin"


class Cifar10(Dataset):
    """Pictures of ten classes, one by one or as a batch: ``pictures[5]``, ``pictures[[5, 2, 9]]``.

    Args:
        images: (N, 3, 32, 32) uint8.
        labels: (N,) int64, from 0 to 9.
        names: of the classes.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, names: tuple[str, ...]):
        self.images, self.labels, self.names = images, labels, names

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, rows: int | slice | Sequence[int]) -> dict[str, torch.Tensor]:
        """Give ``image`` (3, 32, 32) float32 in 0–1 and ``label``; a batch has B in front of each."""
        image = torch.from_numpy(np.asarray(self.images[rows], dtype=np.float32)) / 255
        return {"image": image, "label": torch.as_tensor(self.labels[rows])}


def load_cifar10(part: str = "train", folder: str | Path | None = None) -> Cifar10:
    """Read one part of CIFAR-10, which ``python -m course_utils fetch cifar10`` brings.

    The training files are dealt into train (nine tenths) and validation (one tenth), always alike; what is tuned is
    tuned on validation. The test file is for the one final score.

    Args:
        part: "train", "validation" or "test".
        folder: with ``data_batch_1.bin`` and so on, ``test_batch.bin`` and ``batches.meta.txt``; None takes what was
            fetched.

    Returns:
        The pictures, in the order of the files.

    Raises:
        ValueError: the part has another name.
        MissingDataError: the folder or a file is not there; the message says what to do.
        LayoutError: a file is damaged, or is of another format.

    Source:
        Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    if part not in CIFAR_PARTS:
        raise ValueError(f"found part {part!r}, expected one of {', '.join(CIFAR_PARTS)}")
    folder = Path(folder) if folder is not None else locate(DATASETS["cifar10"].files[0])
    if folder.is_file():
        raise MissingDataError(f"found the packed archive {folder.name}, expected the folder that it holds; run "
                               "python -m course_utils fetch cifar10, which unpacks it")
    names = _names(folder)
    if part == "test":
        return Cifar10(*read_records(folder / TEST), names)
    files = sorted(folder.glob("data_batch_*.bin"))
    if not files:
        raise MissingDataError(f"found no data_batch_1.bin in {folder}, expected the training files of CIFAR-10; "
                               "name the folder that holds the .bin files, or run python -m course_utils fetch cifar10")
    images, labels = (np.concatenate(arrays) for arrays in zip(*map(read_records, files), strict=True))
    order = np.random.default_rng(0).permutation(len(labels))
    held, rest = np.split(order, [len(labels) // VALIDATION])
    rows = np.sort(held if part == "validation" else rest)
    return Cifar10(images[rows], labels[rows], names)


def read_records(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one file of records.

    Args:
        path: the file.

    Returns:
        Pictures (N, 3, 32, 32) uint8 and classes (N,) int64.

    Raises:
        MissingDataError: there is no such file.
        LayoutError: it is empty, its size is no multiple of a record's, or a class is not in 0–9.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"found no file {path}, expected records of CIFAR-10; "
                               "run python -m course_utils fetch cifar10")
    with reading(f"{path.name} that cannot be read", "records of CIFAR-10; fetch it again", LayoutError):
        content = np.fromfile(path, dtype=np.uint8)
    if not content.size or content.size % RECORD:
        raise LayoutError(f"found {content.size} bytes in {path.name}, expected a multiple of {RECORD}, the bytes of a "
                          "record; is the file cut short, or the Python version of CIFAR-10? fetch it again")
    records = content.reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        row = int(np.argmax(labels >= CLASSES))
        raise LayoutError(f"found class {labels[row]} in record {row} of {path.name}, expected 0 to {CLASSES - 1}; "
                          "is it CIFAR-100, or damaged? fetch it again")
    return np.ascontiguousarray(records[:, 1:]).reshape(-1, *SHAPE), labels


def write_records(path: str | Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write pictures of any kind as a file of records.

    Args:
        path: the file to write.
        images: (N, 3, 32, 32) uint8.
        labels: (N,) whole numbers, from 0 to 9.

    Raises:
        LayoutError: the arrays have another shape or type, or a class is not in 0–9.
        WriteError: the disk is full, or nothing may be written there.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "test_batch.bin"
        >>> write_records(path, np.zeros((2, 3, 32, 32), np.uint8), np.array([3, 9]))
        >>> path.stat().st_size, read_records(path)[1].tolist()
        (6146, [3, 9])
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.shape[1:] != SHAPE or images.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise LayoutError(f"found images {images.shape} {images.dtype} and labels {labels.shape}, expected "
                          "(N, 3, 32, 32) uint8 and (N,)")
    if labels.size and not (labels.min() >= 0 and labels.max() < CLASSES):
        raise LayoutError(f"found classes from {labels.min()} to {labels.max()}, expected 0 to {CLASSES - 1}")
    records = np.concatenate([labels.astype(np.uint8)[:, None], images.reshape(len(images), -1)], axis=1)
    with aside(path) as new:
        records.tofile(new)


def _names(folder: Path) -> tuple[str, ...]:
    """What the classes are called."""
    path = folder / NAMES
    if not path.is_file():
        raise MissingDataError(f"found no {NAMES} in {folder}, expected the unpacked folder of CIFAR-10; "
                               "run python -m course_utils fetch cifar10")
    with reading(f"{NAMES} that cannot be read", f"{CLASSES} names; fetch cifar10 again", LayoutError):
        names = tuple(path.read_text(encoding="utf-8").split())
    if len(names) != CLASSES:
        raise LayoutError(f"found {len(names)} names in {NAMES}, expected {CLASSES}; fetch cifar10 again")
    return names
