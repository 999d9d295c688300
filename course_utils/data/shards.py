"""Shards: patches in a few tar files that are read from front to back (chapter 13).

Where every file costs a request, as on the disks of a supercomputer or in an object store, a hundred thousand small
files are slow, and so are jumps inside a big one. A shard is an ordinary tar file with three members a patch,
``0000057.image.npy``, ``.codes.npy`` and ``.valid.npy``, in the naming of WebDataset. Reading in order cannot shuffle,
so the order of the shards is drawn, and a buffer mixes what they hold.

Source:
    Aizman, Maltby, Breuel (2020), High performance I/O for large scale deep learning, doi:10.48550/arXiv.2001.01858.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from course_utils.data.errors import LayoutError
from course_utils.data.folders import refuse_existing, settle
from course_utils.data.samples import Patches
from course_utils.files import aside_folder, plain_file, reading
from course_utils.runtime import generator

__all__ = ["Shards", "shards_of_worker", "shuffled", "write_shards"]

HEADER = "header.json"
ARRAYS = ("image", "codes", "valid")
LARGEST = 2**28         # bytes of an array of one patch


def write_shards(folder: str | Path, patches: Patches, per_shard: int = 256) -> None:
    """Write patches as shards, in their order, aside first: a reader never meets a half-written folder.

    Args:
        folder: the folder to make.
        patches: what to write.
        per_shard: patches in a shard; the last one may hold fewer.

    Raises:
        LayoutError: the folder is there already, or a shard would be empty.
        WriteError: the disk is full, or nothing may be written there.
    """
    folder = Path(folder)
    refuse_existing(folder)
    if per_shard < 1 or not len(patches):
        raise LayoutError(f"found {len(patches)} patches for shards of {per_shard}, expected at least one of each")
    with aside_folder(folder) as new:
        names = []
        for place, start in enumerate(range(0, len(patches), per_shard)):
            names.append(f"shard-{place:05d}.tar")
            _write_shard(new / names[-1], patches, range(start, min(start + per_shard, len(patches))))
        header = {"shards": names, "channels": list(patches.channels), "encoding": patches.encoding,
                  "scenes": patches.scene.tolist(), "per_shard": per_shard}
        (new / HEADER).write_text(json.dumps(header) + "\n", encoding="utf-8")
        settle(new, folder)


def _write_shard(path: Path, patches: Patches, rows: Iterable[int]) -> None:
    """One tar file, the members of a patch beside each other."""
    with tarfile.open(path, "w") as tar:
        for row in rows:
            for name in ARRAYS:
                file = io.BytesIO()
                np.save(file, getattr(patches, name)[row])
                member = tarfile.TarInfo(_member(row, name))
                member.size = file.tell()
                file.seek(0)
                tar.addfile(member, file)


class Shards(IterableDataset):
    """Patches read from shards, one after the other; for ``DataLoader(shards, batch_size)``.

    Each epoch has its own order, drawn from the seed and the epoch's number: call `set_epoch` before an epoch, as for
    PyTorch's ``DistributedSampler``, and leave ``persistent_workers`` off, for such a worker would not notice. Workers
    share out the shards, so the order of the samples depends on the number of workers. Each ends with a batch of its
    own that may be small: there may be more batches than ``len(loader)`` says.

    Args:
        folder: what `write_shards` made.
        buffer: patches that are held and mixed; 1 keeps the order of the shards.
        seed: of the order, from 0; None reads the shards in the order in which they were written, and mixes nothing.
        as_bytes: give each image as the bytes that are kept, for `samples.decode` on the model's device.

    Attributes:
        channels: name of each channel.

    Raises:
        LayoutError: the folder holds no shards, a shard is damaged, or nothing may be held.
    """

    def __init__(self, folder: str | Path, buffer: int = 1, seed: int | None = 0, as_bytes: bool = False):
        self.folder, self.buffer, self.seed, self.as_bytes = Path(folder), buffer, seed, as_bytes
        self.epoch = 0
        if buffer < 1 or (seed is not None and seed < 0):
            raise LayoutError(f"found buffer={buffer} and seed={seed}, expected at least 1 patch and a seed from 0 "
                              "or None")
        with reading(f"no shards in {folder}", f"{HEADER} and tar files; make them with write_shards", LayoutError):
            header = json.loads(plain_file(self.folder / HEADER).read_text(encoding="utf-8"))
            self.channels, self._encoding = tuple(header["channels"]), header["encoding"]
            self._names, self._scenes, self._per_shard = header["shards"], header["scenes"], header["per_shard"]
            if not all(Path(name).name == name for name in self._names):
                raise ValueError("a shard that lies elsewhere")
            if not isinstance(self._scenes, list) or not all(type(scene) is int for scene in self._scenes):
                raise ValueError("scenes without numbers")
            if len(self._names) != len(range(0, len(self), self._per_shard)):
                raise ValueError(f"{len(self)} patches in {len(self._names)} shards of {self._per_shard}")

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next, so that it has an order of its own.

        Args:
            epoch: its number, from 0.
        """
        self.epoch = epoch

    def __len__(self):
        return len(self._scenes)

    def __iter__(self) -> Iterator[dict]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        if self.seed is None:
            yield from self._samples(shards_of_worker(self._names, worker, workers))
            return
        shared = np.random.default_rng([self.seed, self.epoch])         # all workers draw the same order of shards
        order = shared.permutation(len(self._names))
        own = generator(int(np.random.default_rng([self.seed, self.epoch, worker + 1]).integers(2**63)))
        mine = shards_of_worker([self._names[place] for place in order], worker, workers)
        yield from shuffled(self._samples(mine), self.buffer, own)

    def _samples(self, names: Sequence[str]) -> Iterator[dict]:
        """The samples of some shards, in order."""
        for name in names:
            start = self._names.index(name) * self._per_shard
            rows = range(start, min(start + self._per_shard, len(self)))
            for row, arrays in _patches_in(self.folder / name, rows):
                patch = Patches(*(arrays[key][None] for key in ARRAYS), np.array([self._scenes[row]]), self.channels,
                                self._encoding)
                yield patch.stored(0) if self.as_bytes else patch.decode(0)


def _patches_in(path: Path, rows: range) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """These rows with their arrays, read as a stream from the shard that holds just them."""
    expected = f"a tar file of {len(rows)} whole patches; remove the folder and write the shards again"
    with reading(f"{path} damaged", expected, LayoutError), tarfile.open(plain_file(path), "r|") as tar:
        for row in rows:
            yield row, {name: _array(tar, _member(row, name)) for name in ARRAYS}
        if tar.next() is not None:
            raise ValueError("more than these")


def _array(tar: tarfile.TarFile, name: str) -> np.ndarray:
    """The array of the next member, which must have this name."""
    member = tar.next()
    if member is None or member.name != name or member.size > LARGEST:
        raise ValueError(f"{'its end' if member is None else member.name[:60]} in place of {name}")
    return np.lib.format.read_array(io.BytesIO(tar.extractfile(member).read()), allow_pickle=False)


def _member(row: int, name: str) -> str:
    """The name of an array in a shard, in the naming of WebDataset."""
    return f"{row:07d}.{name}.npy"


def shards_of_worker(names: Sequence[str], worker: int, workers: int) -> list[str]:
    """Name the shards that one of several readers reads: every shard has one reader.

    Args:
        names: all shards, in the order of the epoch.
        worker: number of the reader, from 0.
        workers: how many readers there are.

    Returns:
        Its part of the shards, in their order.

    Example:
        >>> [shards_of_worker("abcde", worker, 2) for worker in (0, 1)]
        [['a', 'c', 'e'], ['b', 'd']]
    """
    return list(names[worker::workers])


def shuffled(items: Iterable[Any], buffer: int, generator: torch.Generator) -> Iterator[Any]:
    """Mix a stream with a buffer: hold some items, give one of them at random whenever the buffer is full.

    Args:
        items: the stream.
        buffer: items that are held, at least 1; 1 keeps the order.
        generator: where the choice is drawn from.

    Yields:
        Every item of the stream once.

    Source:
        Chapter 13.

    Example:
        >>> sorted(shuffled("cloud", 3, torch.Generator().manual_seed(0)))
        ['c', 'd', 'l', 'o', 'u']
    """
    held = []
    for item in items:
        held.append(item)
        if len(held) == buffer:
            yield _drawn(held, generator)
    while held:
        yield _drawn(held, generator)


def _drawn(held: list, generator: torch.Generator) -> Any:
    """Take one of the items out, each equally likely."""
    place = int(torch.randint(len(held), (), generator=generator))
    held[place], held[-1] = held[-1], held[place]
    return held.pop()
