"""Handwritten digits: scikit-learn's 1,797 of 8×8 pixels, always there, and MNIST's 70,000 of 28×28, when fetched."""

import gzip
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.data.local import find, locate
from course_utils.data.registry import DATASETS
from course_utils.files import reading

__all__ = ["Digits", "load_digits", "load_mnist", "mnist_available", "read_idx"]

MNIST_PARTS = {"train": "train", "test": "t10k"}
LARGEST = 2**28             # values in a file; MNIST has 47 million


@dataclass(frozen=True)
class Digits:
    """Pictures of digits and what they show.

    Attributes:
        images: (N, 1, H, W) float32, 0 paper to 1 ink.
        labels: (N,) int64, 0 to 9.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)


def load_digits() -> Digits:
    """Give the digits that scikit-learn carries.

    Returns:
        1,797 digits of 8×8 pixels, in scikit-learn's order.

    Source:
        Alpaydin, Kaynak (1998), https://archive.ics.uci.edu/dataset/80; the test part of it, by 13 writers.

    Example:
        >>> digits = load_digits()
        >>> digits.images.shape, float(digits.images.max())
        ((1797, 1, 8, 8), 1.0)
    """
    from sklearn import datasets  # here, because it takes a second and few chapters need it

    found = datasets.load_digits()
    return Digits((found.images / 16).astype(np.float32)[:, None], found.target.astype(np.int64))


def mnist_available() -> bool:
    """Tell, without using the network, whether all four files of MNIST are on this machine.

    Returns:
        Whether `load_mnist` finds both parts.
    """
    return all(find(file) for file in DATASETS["mnist"].files)


def load_mnist(part: str = "train") -> Digits:
    """Read one part of MNIST, which ``python -m course_utils fetch mnist`` brings.

    Args:
        part: ``"train"`` (60,000 digits) or ``"test"`` (10,000).

    Returns:
        Digits of 28×28 pixels, in the order of the files.

    Raises:
        ValueError: the part has another name.
        MissingDataError: a file is not there; the message gives the command that fetches it.
        HashMismatchError: a file is not the published one.
        LayoutError: the files do not hold digits and as many labels.

    Source:
        LeCun, Bottou, Bengio, Haffner (1998), doi:10.1109/5.726791.
    """
    if part not in MNIST_PARTS:
        raise ValueError(f"found part {part!r}, expected one of {', '.join(MNIST_PARTS)}")
    files = {file.path: file for file in DATASETS["mnist"].files}
    images, labels = (read_idx(locate(files[f"mnist/{MNIST_PARTS[part]}-{kind}-ubyte.gz"]))
                      for kind in ("images-idx3", "labels-idx1"))
    return as_digits(images, labels)


def as_digits(images: np.ndarray, labels: np.ndarray) -> Digits:
    """Make digits of what IDX files hold.

    Args:
        images: (N, H, W) uint8, 0 paper to 255 ink.
        labels: (N,) uint8, 0 to 9.

    Returns:
        The digits.

    Raises:
        LayoutError: the shapes do not belong together, or a label is no digit.
    """
    if images.ndim != 3 or labels.shape != images.shape[:1] or (labels > 9).any():
        raise LayoutError(f"found images {images.shape} and labels {labels.shape} up to {labels.max(initial=0)}, "
                          "expected (N, H, W) and (N,) from 0 to 9; fetch both files of a part anew")
    return Digits((images / np.float32(255))[:, None], labels.astype(np.int64))


def read_idx(path: str | Path) -> np.ndarray:
    """Read a gzipped IDX file, the format of MNIST: four bytes of kind, the sizes, then the values.

    Args:
        path: the file; its values are unsigned bytes.

    Returns:
        uint8 array with the dimensions that the header names.

    Raises:
        MissingDataError: there is no such file.
        LayoutError: it is damaged, of another kind, or has fewer or more values than its header says.

    Source:
        The format's description on MNIST's homepage, which the registry names.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"found no file {path}, expected an IDX file; run python -m course_utils fetch mnist")
    again = "remove it and fetch it again"
    with reading(f"a damaged file {path}", f"gzip; {again}", LayoutError), gzip.open(path) as file:
        kind = file.read(4)
        if kind[:3] != b"\0\0\x08" or len(kind) < 4:
            raise LayoutError(f"found {kind.hex(' ') or 'nothing'} at the start of {path}, expected 00 00 08 and "
                              "the number of dimensions: an IDX file of bytes")
        sizes = file.read(4 * kind[3])
        shape = tuple(int.from_bytes(sizes[place:place + 4], "big") for place in range(0, len(sizes), 4))
        count = math.prod(shape)
        if count > LARGEST:
            raise LayoutError(f"found the shape {shape} in {path}, expected at most {LARGEST:,} values; {again}")
        content = file.read(count + 1)                      # one more than there should be
        if len(sizes) < 4 * kind[3] or len(content) != count:
            found = f"{4 + len(sizes) + len(content)} bytes{' or more' if len(content) > count else ''}"
            raise LayoutError(f"found {found} in {path}, expected a header of {4 + 4 * kind[3]} and values for the "
                              f"shape {shape}; {again}")
        return np.frombuffer(content, np.uint8).reshape(shape)
