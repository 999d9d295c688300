"""The images of a round, without their labels: made by whoever has the key, opened by everybody else."""

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from course_utils import simulate
from course_utils.challenge.rounds import IDS, PATCHES, SCENES, ChallengeError, Round
from course_utils.codes import IGNORE
from course_utils.data.cached import shared_twin
from course_utils.data.errors import LayoutError
from course_utils.data.folders import data_folder, warn_not_kept
from course_utils.data.packed import HEADER, PackedPatches, open_packed, simulate_patches, write_packed
from course_utils.data.samples import PATCH_SIZE, Patches, channel_names
from course_utils.files import plain_file, reading
from course_utils.sensors import PACE_OCI

__all__ = ["FOLDER_VARIABLE", "TestImages", "kept_images", "open_images", "test_images", "write_images"]

FOLDER_VARIABLE = "COURSE_CHALLENGE"


class TestImages(Dataset):
    """The patches to be masked: sixteen for each scene, in the order of their ids.

    ``images[5]`` is one, ``images[[5, 2, 9]]`` and ``images[:64]`` are batches: ``image`` (C, H, W) float32, ``valid``
    (H, W) bool, ``id`` a number. `data.patches.batches` makes a loader of it.

    Args:
        patches: all of the round, in the order of `IDS`.
        round_id: the public name of the round.
    """

    __test__ = False                # its name begins like that of a test, for pytest

    def __init__(self, patches: Patches, round_id: str):
        self.round_id = round_id
        self.channels = patches.channels
        self._patches = PackedPatches(patches)

    @property
    def ids(self) -> np.ndarray:
        """Id of each patch, (N,) int64."""
        return IDS

    def __len__(self) -> int:
        return len(self._patches)

    def __getitem__(self, rows: int | slice | Sequence[int]) -> dict[str, torch.Tensor]:
        sample = self._patches[rows]
        ids = IDS[rows]
        return {"image": sample["image"], "valid": sample["valid"],
                "id": torch.from_numpy(ids.copy()) if ids.ndim else int(ids)}


def test_images() -> TestImages:
    """Open the images of the round that is on: a class's, or those for self-study.

    The environment variable ``COURSE_CHALLENGE`` names the folder that an instructor made. Without it, the images for
    self-study are simulated at first use, in some seconds, and kept in the cache; where it cannot be
    written, a warning says so.

    Returns:
        The images.

    Raises:
        ChallengeError: the folder that was named holds no such images.
    """
    kept = kept_images()
    if kept is not None:
        return kept
    own = Round()
    folder = _own_folder(own)
    shutil.rmtree(folder, ignore_errors=True)           # damaged, or not there
    patches = _unlabelled(own)
    try:
        with suppress(LayoutError):                     # another process was faster
            write_packed(folder, patches, _about(own.id))
    except OSError as error:
        warn_not_kept("images", folder, error, stacklevel=2)
    return TestImages(patches, own.id)


test_images.__test__ = False


def kept_images() -> TestImages | None:
    """Open the images of the round that is on if they need not be simulated.

    Returns:
        Those of the folder that ``COURSE_CHALLENGE`` names; without it those for self-study, from a shared folder or
        the cache. None if they are in neither.

    Raises:
        ChallengeError: the folder that was named holds no such images.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return open_images(named)
    folder = _own_folder(Round())
    for place in (shared_twin(folder), folder):
        with suppress(ChallengeError):
            return open_images(place)
    return None


def open_images(folder: str | Path) -> TestImages:
    """Open a folder of images.

    Args:
        folder: what `write_images` made.

    Returns:
        The images, mapped from the files.

    Raises:
        ChallengeError: the folder is missing, damaged, or of another version of the simulator.
    """
    folder = Path(folder)
    expected = "a folder that python -m course_utils challenge --make wrote with this version of the course"
    with reading(f"no images of the challenge in {folder.name}", expected, ChallengeError):
        about = json.loads(plain_file(folder / HEADER).read_text(encoding="utf-8"))["about"]
        patches = open_packed(folder, _about(str(about["challenge"])))
        shape = (PATCHES, len(channel_names(PACE_OCI)), PATCH_SIZE, PATCH_SIZE)
        if patches.image.shape != shape:
            raise ValueError(f"images {patches.image.shape} in place of {shape}")
    return TestImages(patches, about["challenge"])


def write_images(folder: str | Path, round_: Round) -> None:
    """Simulate the scenes of a round and write their images, without a trace of the labels.

    Args:
        folder: the folder to make.
        round_: the round.

    Raises:
        ChallengeError: the folder is there already.
        WriteError: the disk is full, or nothing may be written there.
    """
    if Path(folder).exists():
        raise ChallengeError(f"found {Path(folder).name} already there, expected to make it; choose another name")
    write_packed(folder, _unlabelled(round_), _about(round_.id))


def _own_folder(round_: Round) -> Path:
    """Where the images of a round that nobody has handed out are kept."""
    return data_folder() / "challenge" / round_.id


def _unlabelled(round_: Round) -> Patches:
    """The patches of a round with every label replaced by 255, ignore; land and validity stay, they are measured."""
    patches = simulate_patches(range(SCENES), round_.seed)
    return replace(patches, codes=np.full_like(patches.codes, IGNORE))


def _about(round_id: str) -> dict:
    """What the header says: neither key nor seed."""
    return {"challenge": round_id, "simulator": simulate.VERSION, "patches": PATCHES}
