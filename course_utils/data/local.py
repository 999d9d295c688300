"""Where fetched files are on this machine, and whether they are the published ones."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from course_utils.data.errors import HashMismatchError, MissingDataError
from course_utils.data.folders import data_folder, shared_folder
from course_utils.data.registry import RemoteFile
from course_utils.files import digest

__all__ = ["find", "locate", "matches", "verify"]


def find(file: RemoteFile) -> Path | None:
    """Look for a file without using the network and without reading it.

    Args:
        file: an entry of the registry.

    Returns:
        Where it (for an archive: what was unpacked from it) is, or None if it is not there.
    """
    return next((path for path in _places(file) if path.exists()), None)


def locate(file: RemoteFile) -> Path:
    """Find a file without using the network, and verify it.

    The hash is computed once per process, and again when the file's size or time of change is another.

    Args:
        file: an entry of the registry.

    Returns:
        Where it is.

    Raises:
        MissingDataError: it is not there; the message gives the command that fetches it.
        HashMismatchError: its bytes are not the published ones.
    """
    path = find(file)
    if path is None:
        places = " or ".join(map(str, _folders()))
        raise MissingDataError(f"found no {file.path} in {places}, expected a fetched file; run "
                               f"python -m course_utils fetch {file.path.split('/')[0]}")
    if path.is_file():
        verify(path, file)
    elif file.unpack is None:
        raise MissingDataError(f"found a folder at {path}, expected the file {file.path}; remove the folder and run "
                               f"python -m course_utils fetch {file.path}")
    return path


def verify(path: Path, file: RemoteFile) -> None:
    """Set a file aside whose hash is not the registry's, where it is ours to move, and say so.

    Args:
        path: where the file is.
        file: its entry in the registry.

    Raises:
        HashMismatchError: its bytes are not the published ones; in the cache it is now named ``.corrupt``.
    """
    if matches(path, file):
        return
    kind, expected = file.known_hash.split(":")
    size, found = path.stat().st_size, _file_hash(path, kind)
    advice = "remove it from this shared folder, or put the right file there"
    if path.is_relative_to(data_folder()):
        advice = f"it is never used; run python -m course_utils fetch {file.path}"
        with suppress(OSError):                     # a cache that can only be read
            path = path.replace(path.with_name(f"{path.name.removesuffix('.part')}.corrupt"))
            advice = f"it is kept as {path} and never used; run python -m course_utils fetch {file.path}"
    raise HashMismatchError(f"found {kind} {found[:12]}… for {file.path} ({size} bytes in {path}), expected "
                            f"{expected[:12]}…; {advice}")


def matches(path: Path, file: RemoteFile) -> bool:
    """Compare a file's hash with the registry's.

    Args:
        path: where the file is.
        file: its entry in the registry.

    Returns:
        Whether they are equal; true where no hash is published.
    """
    if file.known_hash is None:
        return True
    kind, expected = file.known_hash.split(":")
    return _file_hash(path, kind) == expected


def _file_hash(path: Path, kind: str) -> str:
    """The hash of a file, computed once per process unless its size or time of change is another."""
    status = path.stat()
    return _hash(path, kind, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _hash(path: Path, kind: str, size: int, changed_ns: int) -> str:
    """Read a file and compute its hash; size and time of change only tell one state of it from another."""
    return digest(path, kind)


def _folders() -> list[Path]:
    """Where files are looked for, in this order."""
    shared = shared_folder()
    return [data_folder()] if shared is None else [shared, data_folder()]


def _places(file: RemoteFile) -> list[Path]:
    """Where a file may be; for an archive, what was unpacked from it comes first."""
    names = [file.unpack, file.path] if file.unpack else [file.path]
    return [folder / name for name in names for folder in _folders()]
