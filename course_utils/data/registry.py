"""What can be fetched: address, size, checksum, licence and citation of every file, from ``registry.json``."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from course_utils.data.errors import UnknownDatasetError

__all__ = ["DATASETS", "Dataset", "RemoteFile", "resolve"]


@dataclass(frozen=True)
class RemoteFile:
    """A file that lies on a public server.

    Attributes:
        path: name within the data folder, such as ``ukis/landsat5.npz``.
        url: where it is downloaded from.
        bytes: its size; None if it is not known.
        sha256: its SHA-256 in hexadecimal; None if it is not known.
        md5: its MD5, for files whose publisher gives no better sum.
        unpack: for an archive, the folder within the data folder that it makes.
    """

    path: str
    url: str
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    unpack: str | None = None

    @property
    def known_hash(self) -> str | None:
        """The checksum in pooch's notation, ``sha256:…`` or ``md5:…``; None if there is none."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        return f"md5:{self.md5}" if self.md5 else None


@dataclass(frozen=True)
class Dataset:
    """Files that belong together, and what has to be known before they are used.

    Attributes:
        name: what `fetch` calls it.
        title: what it is, in one line.
        files: its files.
        licence: what its makers allow.
        citation: what to cite when it is used.
        homepage: where it comes from.
        note: what to know about the format or the check.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    licence: str
    citation: str
    homepage: str
    note: str

    @property
    def bytes(self) -> int | None:
        """The size of all files; None if one of them is not known."""
        sizes = [file.bytes for file in self.files]
        return None if None in sizes else sum(sizes)


def _load() -> dict[str, Dataset]:
    """The registry as it is stored beside this file."""
    stored = json.loads(files("course_utils.data").joinpath("registry.json").read_text(encoding="utf-8"))
    return {name: Dataset(name=name, **{**entry, "files": tuple(RemoteFile(**file) for file in entry["files"])})
            for name, entry in stored.items()}


DATASETS: dict[str, Dataset] = _load()


def resolve(names: Iterable[str]) -> list[RemoteFile]:
    """Turn names of datasets and of single files into files.

    Args:
        names: names such as ``"ukis"`` (all its files) or ``"ukis/landsat5.npz"`` (one).

    Returns:
        The files, each once, in the order of the names.

    Raises:
        UnknownDatasetError: a name is neither; the message lists the known datasets and the nearest name.

    Example:
        >>> [file.path for file in resolve(["ukis/landsat5.npz"])]
        ['ukis/landsat5.npz']
    """
    single = {file.path: file for dataset in DATASETS.values() for file in dataset.files}
    found: dict[str, RemoteFile] = {}
    for name in names:
        if name in DATASETS:
            found |= {file.path: file for file in DATASETS[name].files}
        elif name in single:
            found[name] = single[name]
        else:
            near = difflib.get_close_matches(name, [*DATASETS, *single], n=1)
            guess = f"; did you mean {near[0]}?" if near else ""
            raise UnknownDatasetError(f"found no dataset {name!r}, expected one of {', '.join(DATASETS)}, "
                                      f"or one of their files such as {next(iter(single))}{guess}")
    return list(found.values())
