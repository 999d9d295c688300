"""A golden patch: an input, the answer to it and how far one may be off, shipped beside the model (chapter 15).

A bundle is a folder with ``model.onnx``, ``model.pt2``, ``golden.bin`` and ``SHA256SUMS``. The last has the format of
the command ``sha256sum``, so ``sha256sum --check SHA256SUMS`` needs no Python.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from course_utils.files import aside, digest, plain_file, reading

__all__ = ["FILES", "Golden", "GoldenError", "add_golden", "digest", "require_intact", "require_same"]

FILES = ("model.onnx", "model.pt2", "golden.bin")
SUMS = "SHA256SUMS"
HEADER = struct.Struct("<8s4if")            # little-endian: letters, N, C, H, W, tolerance
LETTERS = b"GOLDEN01"


class GoldenError(ValueError):
    """A bundle that was changed, or a model that does not give the golden answer."""


@dataclass(frozen=True)
class Golden:
    """An input and the answer that every engine has to give.

    Attributes:
        image: (N, C, H, W) float32.
        prob: (N, H, W) float32, by PyTorch.
        tolerance: largest allowed difference of a probability.
    """

    image: np.ndarray
    prob: np.ndarray
    tolerance: float

    def save(self, path: str | Path) -> None:
        """Write it as bytes that Fortran and C read in ten lines.

        Args:
            path: of the file.

        Raises:
            WriteError: the disk is full, or nothing may be written there.
        """
        with aside(path) as new:
            arrays = [np.ascontiguousarray(array, "<f4").tobytes() for array in (self.image, self.prob)]
            new.write_bytes(b"".join([HEADER.pack(LETTERS, *self.image.shape, self.tolerance), *arrays]))

    @classmethod
    def load(cls, path: str | Path) -> "Golden":
        """Read one.

        Args:
            path: written by `save`.

        Returns:
            The golden patch.

        Raises:
            GoldenError: the file is none, or incomplete.
        """
        with reading(f"{Path(path).name} that cannot be read", "a golden patch; take the bundle again", GoldenError):
            data = plain_file(path).read_bytes()
        if len(data) < HEADER.size or data[:8] != LETTERS:
            raise GoldenError(f"found no golden patch in {Path(path).name}, expected {LETTERS.decode()} at its "
                              "beginning; take the bundle again")
        _, n, c, h, w, tolerance = HEADER.unpack_from(data)
        numbers = np.frombuffer(data, "<f4", offset=HEADER.size) if len(data) % 4 == 0 else np.empty(0)
        if min(n, c, h, w) < 1 or len(numbers) != n * (c + 1) * h * w:
            raise GoldenError(f"found {len(data)} bytes in {Path(path).name}, expected as many as the shape "
                              f"({n}, {c}, {h}, {w}) needs; take the bundle again")
        image, prob = np.split(numbers.copy(), [n * c * h * w])
        return cls(image.reshape(n, c, h, w), prob.reshape(n, h, w), tolerance)


def add_golden(folder: str | Path, frozen: nn.Module, image: np.ndarray, tolerance: float) -> Golden:
    """Make the golden patch of exported files, and sum all of them up.

    Args:
        folder: holds model.onnx and model.pt2.
        frozen: what they were exported from.
        image: (N, C, H, W) float32 of the model's bands and size.
        tolerance: largest allowed difference of a probability.

    Returns:
        The golden patch.

    Raises:
        GoldenError: the answer is no number somewhere.
        WriteError: the disk is full, or nothing may be written there.
    """
    folder = Path(folder)
    with torch.no_grad():
        golden = Golden(image, frozen(torch.from_numpy(image)).numpy(), tolerance)
    if not np.isfinite(golden.prob).all():
        raise GoldenError("found an answer that is no number, expected probabilities; choose an input without NaN")
    golden.save(folder / "golden.bin")
    with aside(folder / SUMS) as new:
        new.write_text("".join(f"{digest(folder / name)}  {name}\n" for name in FILES), encoding="ascii")
    return golden


def require_intact(folder: str | Path) -> None:
    """Refuse a bundle of which a file was changed or lost since it was written.

    Args:
        folder: the bundle.

    Raises:
        GoldenError: names the file.
    """
    folder = Path(folder)
    if not (folder / SUMS).is_file():
        raise GoldenError(f"found no {SUMS} in the bundle, expected one beside the model; take the bundle again")
    lines = (folder / SUMS).read_text(encoding="ascii", errors="replace").splitlines()
    sums = {name: value for value, _, name in (line.partition("  ") for line in lines)}
    for name in FILES:
        found = digest(folder / name) if (folder / name).is_file() else "no such file"
        if found != sums.get(name):
            raise GoldenError(f"found {name} with SHA-256 {found[:12]}, expected {sums.get(name, 'none')[:12]}; "
                              "it is not the file that was tested: take the bundle again")


def require_same(run: Callable[[np.ndarray], np.ndarray], golden: Golden) -> float:
    """Refuse an engine that does not give the golden answer.

    Args:
        run: from images (N, C, H, W) to probabilities (N, H, W).
        golden: input and answer.

    Returns:
        The largest difference.

    Raises:
        GoldenError: another shape, no number, or a difference above the tolerance.
    """
    prob = np.asarray(run(golden.image))
    if prob.shape != golden.prob.shape:
        raise GoldenError(f"found probabilities of shape {prob.shape}, expected {golden.prob.shape}; "
                          "compare the order of the axes with the card")
    difference = float(np.abs(prob - golden.prob).max())
    if not difference <= golden.tolerance:              # also where it is not a number
        raise GoldenError(f"found a difference of {difference:.2g}, expected at most {golden.tolerance:.2g}; "
                          "compare weights, scaling, bands and precision with those of the card")
    return difference
