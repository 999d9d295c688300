"""The packed layout: all patches in four NumPy files that are mapped into memory, and a header in JSON."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler

from course_utils import simulate
from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.data.folders import refuse_existing, settle
from course_utils.data.mapped import map_array
from course_utils.data.samples import Patches, channel_names, patches_of
from course_utils.files import aside_folder, digest, plain_file, reading
from course_utils.sensors import PACE_OCI, Sensor

__all__ = ["PackedPatches", "batches", "build_packed", "open_packed", "origin", "simulate_patches", "write_packed"]

FORMAT = 1
HEADER = "header.json"
ARRAYS = ("image", "codes", "valid", "scene")


class PackedPatches(Dataset):
    """Patches read from the packed layout (or from memory), one by one or as a batch.

    ``dataset[5]`` is a sample, ``dataset[[5, 2, 9]]`` and ``dataset[:64]`` are batches that are read in one go.
    The files are opened for reading only.

    Args:
        source: a folder in the packed layout, or patches in memory.
        scenes: numbers of the scenes whose patches are wanted, in this order of the file; None takes all.
        as_bytes: give each image as the bytes that are kept, for `samples.decode` on the model's device.
        folder: where `source` was opened, if it is patches that `open_packed` mapped: a worker then opens that
            folder again, in place of being sent all patches.

    Raises:
        MissingDataError: there is no such folder.
        LayoutError: the folder is damaged, or holds no patch of a wanted scene.
    """

    def __init__(self, source: str | Path | Patches, scenes: Iterable[int] | None = None, as_bytes: bool = False,
                 folder: Path | None = None):
        self.as_bytes = as_bytes
        self.patches = source if isinstance(source, Patches) else open_packed(source)
        self._folder = folder if isinstance(source, Patches) else Path(source)
        self._rows = np.arange(len(self.patches))
        if scenes is not None:
            wanted = np.fromiter(scenes, dtype=np.int64)
            absent = np.setdiff1d(wanted, self.patches.scene)
            if absent.size:
                raise LayoutError(f"found no patch of scene {absent[0]} ({absent.size} scenes are absent), expected "
                                  f"some of the {np.unique(self.patches.scene).size} scenes that are here; a split "
                                  "may belong to another folder")
            self._rows = np.flatnonzero(np.isin(self.patches.scene, wanted))

    @property
    def channels(self) -> tuple[str, ...]:
        """Name of each channel."""
        return self.patches.channels

    @property
    def scenes(self) -> np.ndarray:
        """Scene number of each patch, (N,) int64."""
        return np.array(self.patches.scene[self._rows])

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index: int | slice | Sequence[int]) -> dict[str, torch.Tensor]:
        rows = self._rows[index]
        return self.patches.stored(rows) if self.as_bytes else self.patches.decode(rows)

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, torch.Tensor]]:
        """Read the samples of a batch in one go; this is what a DataLoader calls."""
        batch = self[list(indices)]
        return [{key: values[i] for key, values in batch.items()} for i in range(len(indices))]

    def __getstate__(self):
        """What a DataLoader's worker gets: the folder's name rather than its bytes."""
        return self.__dict__ | ({"patches": None} if self._folder else {})

    def __setstate__(self, state: dict):
        self.__dict__ = state | ({"patches": open_packed(state["_folder"])} if state["_folder"] else {})


def batches(dataset: Dataset, batch_size: int, *, shuffle: bool = False,
            generator: torch.Generator | None = None, workers: int = 0) -> DataLoader:
    """Make a DataLoader that reads each batch in one go.

    The same batches as ``DataLoader(dataset, batch_size, shuffle, generator=generator)``, without taking them
    apart and putting them together again. Like that loader it keeps its generator, which `train.fit` seeds.

    Args:
        dataset: gives a batch for a list of numbers, as `PackedPatches` and PyTorch's StackDataset do.
        batch_size: samples in a batch; the last one may be smaller.
        shuffle: whether each epoch has its own random order.
        generator: where the order is drawn from.
        workers: processes that read ahead.

    Returns:
        The loader; each of its items is a batch dictionary.
    """
    order = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    return DataLoader(dataset, sampler=BatchSampler(order, batch_size, drop_last=False), batch_size=None,
                      num_workers=workers, generator=generator)


def simulate_patches(numbers: Sequence[int], seed: int = 0, sensor: Sensor = PACE_OCI, workers: int = 1,
                     progress: bool = False) -> Patches:
    """Simulate scenes and cut them into patches, in memory.

    Args:
        numbers: numbers of the scenes.
        seed: seed of the simulator.
        sensor: which instrument looks at them.
        workers: processes that simulate; the result is the same for any number.
        progress: whether a progress bar is shown.

    Returns:
        The patches, sixteen per scene, in the order of the numbers.
    """
    scenes = simulate.scenes(numbers, seed=seed, sensor=sensor, workers=workers, progress=progress)
    arrays = {}
    for place, scene in enumerate(scenes):
        part = patches_of(scene)
        for name in ARRAYS:
            values = getattr(part, name)
            if place == 0:                  # all at once: pieces that are joined at the end would need twice the memory
                arrays[name] = np.empty((len(numbers) * len(part), *values.shape[1:]), values.dtype)
            arrays[name][place * len(part) : (place + 1) * len(part)] = values
    return Patches(**arrays, channels=channel_names(sensor))


def build_packed(folder: str | Path, numbers: Sequence[int], seed: int = 0, sensor: Sensor = PACE_OCI,
                 workers: int = 1, progress: bool = False) -> PackedPatches:
    """Simulate scenes and store their patches in the packed layout.

    Args:
        folder: the folder to make, whole or not at all.
        numbers: numbers of the scenes.
        seed: seed of the simulator.
        sensor: which instrument looks at them.
        workers: processes that simulate; the result is the same for any number.
        progress: whether a progress bar is shown.

    Returns:
        The patches, mapped from the new folder.

    Raises:
        LayoutError: the folder is there already.
        WriteError: the disk is full, or nothing may be written there.
    """
    refuse_existing(Path(folder))
    patches = simulate_patches(numbers, seed, sensor, workers, progress)
    write_packed(folder, patches, origin(numbers, seed, sensor))
    return PackedPatches(folder)


def origin(numbers: Sequence[int], seed: int, sensor: Sensor) -> dict:
    """Say in a header where simulated patches come from: equal headers, equal patches.

    Args:
        numbers: numbers of the scenes.
        seed: seed of the simulator.
        sensor: which instrument looks at them.

    Returns:
        ``simulator`` (its version), ``sensor`` (name), ``seed`` and ``scenes``, as JSON can hold them.
    """
    return {"simulator": simulate.VERSION, "sensor": sensor.name, "seed": seed, "scenes": list(numbers)}


def write_packed(folder: str | Path, patches: Patches, about: dict | None = None) -> None:
    """Write patches in the packed layout, aside first: a reader never meets a half-written folder.

    When two processes write the same folder at once, the first to finish makes it and the other is refused.

    Args:
        folder: the folder to make.
        patches: what to write.
        about: where the patches come from; goes into the header.

    Raises:
        LayoutError: the folder is there already.
        WriteError: the disk is full, or nothing may be written there.
    """
    folder = Path(folder)
    with aside_folder(folder) as new:
        sums = {name: _write_array(new / f"{name}.npy", getattr(patches, name)) for name in ARRAYS}
        header = {"format": FORMAT, "about": about or {}, "channels": list(patches.channels),
                  "encoding": patches.encoding, "patches": len(patches), "size": patches.image.shape[-1],
                  "sha256": sums}
        (new / HEADER).write_text(json.dumps(header, indent=1) + "\n")
        settle(new, folder)


def _write_array(path: Path, array: np.ndarray) -> str:
    """Write one array and give the SHA-256 of the file."""
    with path.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
    return digest(path)


def open_packed(folder: str | Path, about: dict | None = None, verify: bool = False) -> Patches:
    """Map a folder in the packed layout into memory, for reading only.

    Args:
        folder: what `write_packed` made.
        about: the header's account of where the patches come from must be this; None takes any.
        verify: whether the SHA-256 of the files is checked as well as their sizes (reads every byte).

    Returns:
        The patches; bytes are read from disk when they are first used.

    Raises:
        MissingDataError: there is no such folder.
        LayoutError: the header or a file is damaged, or the patches have another origin.
    """
    folder = Path(folder)
    advice = "remove the folder and build it again"
    if not folder.is_dir():
        raise MissingDataError(f"found no folder {folder}, expected packed patches; make them with build_packed")
    with reading(f"damaged packed patches in {folder}",
                 f"{HEADER} and {', '.join(ARRAYS)} as .npy; {advice}", LayoutError):
        header = json.loads(plain_file(folder / HEADER).read_text())
        if header["format"] != FORMAT or (about is not None and header["about"] != about):
            raise LayoutError(f"found packed patches of another kind in {folder}: {_kind(header)}, expected "
                              f"{_kind({'format': FORMAT, 'about': about})}; {advice}")
        if verify:
            _check_sums(folder, header["sha256"])
        arrays = {name: map_array(folder / f"{name}.npy") for name in ARRAYS}
        patches = Patches(**arrays, channels=tuple(header["channels"]), encoding=header["encoding"])
        if len(patches) != header["patches"]:
            raise LayoutError(f"found {len(patches)} patches, expected {header['patches']} as the header says")
    return patches


def _kind(header: dict) -> str:
    """One line about where patches come from."""
    about = header.get("about") or {}
    scenes = about.get("scenes")
    shown = about | ({"scenes": f"{len(scenes)} scenes"} if isinstance(scenes, list) else {})
    return ", ".join(f"{key} {value}" for key, value in {"format": header.get("format"), **shown}.items())


def _check_sums(folder: Path, sums: dict[str, str]) -> None:
    """Compare the SHA-256 of each file with the header's."""
    for name in ARRAYS:
        found = digest(folder / f"{name}.npy")
        if found != sums[name]:
            raise LayoutError(f"found SHA-256 {found[:12]}… for {folder / name}.npy, expected {sums[name][:12]}…; "
                              "remove the folder and build it again")
