"""The PNG layout of the NASA PACE tutorials: six small images per patch.

``input/0000057_0.png`` … ``_3.png`` hold three channels each, ``input/0000057_mask.png`` is white where the
measurement is valid, ``output/0000057.png`` is white where it is CLEAR: the mask is inverted on disk. The layout
says neither which scene a patch comes from nor what its bytes stand for; ``about.json`` adds both when this package
writes it. Without that file, bytes are read as shares of 255, as the tutorials do.
"""

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from course_utils.codes import CLEAR, IGNORE, THICK
from course_utils.data.errors import LayoutError
from course_utils.data.samples import PATCH_SIZE, SCALE, Patches, channel_names
from course_utils.files import aside_folder, plain_file, reading
from course_utils.sensors import PACE_OCI

__all__ = ["PngPatches", "write_png_layout"]

ABOUT = "about.json"
REASONS = ("cannot be read as an image", "has the wrong size")


class _UnreadableError(Exception):
    """File number `file` of a patch cannot be used, for reason number `reason`."""

    def __init__(self, file: int, reason: int):
        super().__init__(file, reason)
        self.file, self.reason = file, reason


def write_png_layout(folder: str | Path, patches: Patches, replace: bool = False) -> None:
    """Write patches as PNG files, numbered from 0, and the scene of each in ``about.json``.

    The layout knows cloud and clear only: thin and thick cloud are the same in it. All files are written aside
    first, so a write that fails changes nothing. What remains are six renames, the old patches out and the new ones in.
    A process that is killed between two of them leaves no ``output``, without which no reader takes the folder for
    patches; writing once more mends it.

    Args:
        folder: where ``input/`` and ``output/`` are made.
        patches: what to write; three channels go into a file, so their number is a multiple of three.
        replace: whether the patches that are there already may be replaced, all of them.

    Raises:
        LayoutError: the channels do not fill the files, or patches are there already.
        WriteError: the disk is full, or nothing may be written there.
    """
    folder, channels = Path(folder), len(patches.channels)
    if channels % 3:
        raise LayoutError(f"found {channels} channels, expected a multiple of three: a PNG file holds three; "
                          "use the packed layout for this sensor")
    if not replace and any((folder / "output").glob("*.png")):
        raise LayoutError(f"found patches in {folder}, expected an empty folder; choose another one, or pass "
                          "replace=True")
    with aside_folder(folder / "patches") as new:
        _write_files(new, patches)
        old = new / "old"
        old.mkdir()
        for name in ("output", "input", ABOUT):     # output is the first to go and the last to come
            if (folder / name).exists():
                (folder / name).rename(old / name)
        for name in (ABOUT, "input", "output"):
            (new / name).rename(folder / name)


def _write_files(folder: Path, patches: Patches) -> None:
    """All files of the layout, into an empty folder."""
    channels = len(patches.channels)
    for name in ("input", "output"):
        (folder / name).mkdir()
    for number in range(len(patches)):
        *bands, valid, clear = _paths(folder, number, channels)
        triplets = np.split(np.moveaxis(patches.image[number], 0, -1), channels // 3, axis=-1)
        for path, triplet in zip(bands, triplets, strict=True):
            Image.fromarray(np.ascontiguousarray(triplet)).save(path)
        Image.fromarray(patches.valid[number]).save(valid)
        Image.fromarray(patches.codes[number] == CLEAR).save(clear)
    about = {"encoding": patches.encoding, "scenes": patches.scene.tolist()}
    (folder / ABOUT).write_text(json.dumps(about) + "\n")


def _paths(folder: Path, number: int, channels: int) -> list[Path]:
    """The files of a patch: bands, validity, clear sky."""
    stem = f"{number:07d}"
    return [*(folder / "input" / f"{stem}_{i}.png" for i in range(channels // 3)),
            folder / "input" / f"{stem}_mask.png", folder / "output" / f"{stem}.png"]


class PngPatches(Dataset):
    """Patches read from the PNG layout, one sample at a time.

    A patch with a file that cannot be read, or is not of the patch size, becomes zeros with zero validity,
    so that it counts nowhere. `unreadable` lists these files; one warning gives their number and the first.
    The layout does not store thin clouds, so every cloud has code 1.

    Args:
        folder: the folder that holds ``input/`` and ``output/``.
        numbers: numbers of the patches to read, in this order; None takes all.
        channels: names of the channels; None takes PACE OCI's eleven bands and land.
        size: rows and columns of a patch.
        check: whether all files are checked for damage now, so that the warning counts all of them; takes a
            quarter of the time of reading them. Without it, damage is noticed when a patch is read.
        as_bytes: give each image as the bytes of the files, for `samples.decode` on the model's device.

    Raises:
        LayoutError: the folder is not in this layout, a file of a patch is missing, or a band file does not
            hold three channels.
    """

    def __init__(self, folder: str | Path, numbers: Sequence[int] | None = None,
                 channels: tuple[str, ...] | None = None, size: int = PATCH_SIZE, check: bool = True,
                 as_bytes: bool = False):
        self.folder, self.size, self.as_bytes = Path(folder), size, as_bytes
        self.channels = channel_names(PACE_OCI) if channels is None else channels
        present = _numbers(self.folder)
        self.numbers = present if numbers is None else list(numbers)
        self._check_complete(set(present))
        self._encoding, scenes = _about(self.folder / ABOUT)
        self._scenes = [scenes[n] if n < len(scenes) else -1 for n in self.numbers]
        # Both live in shared memory: what a DataLoader's worker notices, this process knows.
        self._trouble = torch.zeros(len(self), dtype=torch.int16).share_memory_()
        self._warned = torch.zeros(1, dtype=torch.bool).share_memory_()
        if check:
            self._check_files()

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict:
        files = _paths(self.folder, self.numbers[index], len(self.channels))
        try:
            *bands, valid, clear = (self._read(files, i) for i in range(len(files)))
        except _UnreadableError as error:
            self._note(index, error)
            self._warn_once()
            return self._sample(np.zeros((len(self.channels), self.size, self.size), np.uint8),
                                np.zeros((self.size, self.size), bool), clear=False, scene=self._scenes[index])
        image = np.moveaxis(np.concatenate(bands, axis=-1), -1, 0)
        return self._sample(np.where(valid, image, np.uint8(0)), valid, clear, self._scenes[index])

    def _sample(self, image: np.ndarray, valid: np.ndarray, clear: np.ndarray | bool, scene: int) -> dict:
        """A sample dictionary; the inverted mask is turned round here and nowhere else."""
        codes = np.where(valid, np.where(clear, CLEAR, THICK), IGNORE).astype(np.uint8)
        patch = Patches(image[None], codes[None], valid[None], np.array([scene]), self.channels, self._encoding)
        return patch.stored(0) if self.as_bytes else patch.decode(0)

    def _read(self, files: list[Path], i: int) -> np.ndarray:
        """File number i of a patch as an array: (H, W, 3) uint8 for bands, (H, W) bool for the last two."""
        try:
            with Image.open(plain_file(files[i]), formats=["PNG"]) as picture:
                self._check_picture(picture, files, i)
                array = np.asarray(picture)
        except (LayoutError, _UnreadableError):
            raise
        except Exception as error:          # of every kind, and so below: a broken chunk is a SyntaxError
            raise _UnreadableError(i, 0) from error
        return array if i < len(files) - 2 else array > 0

    def _check_picture(self, picture: Image.Image, files: list[Path], i: int) -> None:
        """The size is a matter of one file; the number of channels is a matter of the whole folder."""
        expected = 3 if i < len(files) - 2 else 1
        if len(picture.getbands()) != expected:
            raise LayoutError(f"found {len(picture.getbands())} channels (mode {picture.mode}) in {files[i]}, "
                              f"expected {expected}; this is not the PNG layout of {', '.join(self.channels)}")
        if picture.size != (self.size, self.size):
            raise _UnreadableError(i, 1)

    def _check_complete(self, present: set[int]) -> None:
        """Every patch has all its files, and no more band files than the channels need."""
        if len(self.channels) % 3:
            raise LayoutError(f"found {len(self.channels)} channels, expected a multiple of three: a PNG file holds "
                              "three; name all the channels that the folder holds")
        inputs = {path.name for path in (self.folder / "input").iterdir()}
        for number in self.numbers:
            if number not in present:
                raise LayoutError(f"found no patch {number} in {self.folder}, expected one of its {len(present)} "
                                  "patches; a split may belong to another folder")
            files = _paths(self.folder, number, len(self.channels))[:-1]
            missing = [path.name for path in files if path.name not in inputs]
            if missing:
                raise LayoutError(f"found no {missing[0]} in {self.folder / 'input'}, expected {len(files)} files "
                                  f"for patch {number}; unpack the archive again")
            surplus = f"{number:07d}_{len(files) - 1}.png"
            if surplus in inputs:
                raise LayoutError(f"found {surplus} in {self.folder / 'input'}, expected {len(files) - 1} band files "
                                  f"for the {len(self.channels)} channels {', '.join(self.channels)}; name all the "
                                  "channels that the folder holds")

    def _check_files(self) -> None:
        """Checksums and sizes of all files, without decoding them."""
        for index, number in enumerate(self.numbers):
            files = _paths(self.folder, number, len(self.channels))
            try:
                for i in range(len(files)):
                    self._verify(files, i)
            except _UnreadableError as error:
                self._note(index, error)
        if self.unreadable:
            self._warn_once()

    def _verify(self, files: list[Path], i: int) -> None:
        """What `_read` would find out, by the checksums that a PNG file carries."""
        try:
            with Image.open(plain_file(files[i]), formats=["PNG"]) as picture:
                picture.verify()
        except Exception as error:
            raise _UnreadableError(i, 0) from error
        self._check_picture(picture, files, i)

    def _note(self, index: int, error: _UnreadableError) -> None:
        """Remember which file of a patch is unreadable and why: one number, because it is shared memory."""
        self._trouble[index] = 1 + error.file * len(REASONS) + error.reason

    @property
    def unreadable(self) -> dict[str, str]:
        """The first unreadable file of each patch that has one, and the reason; grows as patches are read."""
        found = {}
        for index in self._trouble.nonzero()[:, 0].tolist():
            file, reason = divmod(int(self._trouble[index]) - 1, len(REASONS))
            path = _paths(self.folder, self.numbers[index], len(self.channels))[file]
            found[path.relative_to(self.folder).as_posix()] = REASONS[reason]
        return found

    def _warn_once(self) -> None:
        """One warning per dataset, whichever process notices first."""
        if not self._warned:
            self._warned[0] = True
            first, reason = next(iter(self.unreadable.items()))
            warnings.warn(f"found {len(self.unreadable)} of {len(self)} patches unreadable so far, the first because "
                          f"{first} {reason}; they are zeros with zero validity, see dataset.unreadable", stacklevel=3)


def _about(path: Path) -> tuple[str, list[int]]:
    """What this package notes beside patches: what bytes stand for, and the scene of each patch."""
    if not path.is_file():
        return "share", []
    with reading(f"{path} damaged", "encoding and scenes; write the patches again", LayoutError):
        about = json.loads(path.read_text(encoding="utf-8"))
        encoding, scenes = about["encoding"], about["scenes"]
    numbers = isinstance(scenes, list) and all(type(scene) is int for scene in scenes)
    if not isinstance(encoding, str) or encoding not in SCALE or not numbers:
        raise LayoutError(f"found encoding {encoding!r} and scenes {str(scenes)[:60]} in {path}, expected one of "
                          f"{', '.join(SCALE)} and a list of whole numbers; write the patches again")
    return encoding, scenes


def _numbers(folder: Path) -> list[int]:
    """The numbers of the patches in a folder, in increasing order."""
    if not (folder / "input").is_dir() or not (folder / "output").is_dir():
        raise LayoutError(f"found no folders input and output in {folder}, expected the PNG layout; "
                          "name the folder that holds both")
    numbers = sorted(int(path.stem) for path in (folder / "output").iterdir()
                     if re.fullmatch(r"\d{7}\.png", path.name))
    if not numbers:
        raise LayoutError(f"found no patch in {folder / 'output'}, expected files such as 0000057.png")
    return numbers
