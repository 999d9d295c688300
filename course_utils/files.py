"""Files that are whole or not there, and errors that say so: how the package writes and reads all of them.

What is written is written under another name beside its place, then renamed. What is read may be anything; whatever a
parser makes of it, the reader gets one error that says what was found, what was expected and what to do.
"""

import errno
import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["WriteError", "aside", "aside_folder", "digest", "plain_file", "reading"]

FORGOTTEN = 3600.0          # seconds after which what nobody touched was left by a process that was killed


class WriteError(OSError):
    """A file or folder that could not be written; what was there before is as it was."""

    def __str__(self) -> str:
        return (f"found {self.filename} that cannot be written ({self.strerror}), expected room on the disk and a "
                "folder that may be written to; free some space, or name another place")


@contextmanager
def aside(path: str | Path) -> Iterator[Path]:
    """Give a name to write a file to; it takes its place when the block ends, and is removed if the block fails.

    A reader of the path sees the old file or the new one, never a part. Processes do not get in each other's way. What
    one left that was killed is removed by whoever writes the same file an hour later.

    Args:
        path: where the file is to be; its folder is made if it is not there.

    Yields:
        A hidden name beside it, with the same ending.

    Raises:
        WriteError: the disk is full, or the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
        >>> with aside(path) as new:
        ...     characters = new.write_text("whole")
        >>> path.read_text(), [file.name for file in path.parent.iterdir()]
        ('whole', ['notes.txt'])
    """
    path = Path(path)
    with _clear_errors(path):
        new = _beside(path)
        try:
            yield new
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


@contextmanager
def aside_folder(path: str | Path) -> Iterator[Path]:
    """Give an empty folder to fill and then to rename; what is left of it when the block ends is removed.

    Args:
        path: where the folder is to be; the one around it is made if it is not there.

    Yields:
        A hidden folder beside it.

    Raises:
        WriteError: the disk is full, or the folder around it cannot be written to.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "notes"
        >>> with aside_folder(folder) as new:
        ...     characters = (new / "first.txt").write_text("whole")
        ...     renamed = new.rename(folder)
        >>> [path.name for path in folder.parent.rglob("*")]
        ['notes', 'first.txt']
    """
    path = Path(path)
    with _clear_errors(path):
        new = _beside(path)
        new.mkdir()
        try:
            yield new
        finally:
            shutil.rmtree(new, ignore_errors=True)


def plain_file(path: str | Path) -> Path:
    """Give back the path of a file that is to be read, unless what lies there may never end.

    Args:
        path: of an ordinary file, or of nothing at all.

    Returns:
        The same path.

    Raises:
        OSError: it is a folder, a pipe or a device; `reading` makes an error of it that is clear.

    Example:
        >>> plain_file("notes.txt").name
        'notes.txt'
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "a folder, a pipe or a device", str(path))
    return path


def digest(path: str | Path, kind: str = "sha256") -> str:
    """Give the checksum of a file, which changes with every bit of it.

    Args:
        path: of the file.
        kind: of checksum, as `hashlib` calls it.

    Returns:
        Hexadecimal digits: 64 of SHA-256.

    Raises:
        OSError: it is no ordinary file, or cannot be read.
    """
    with plain_file(path).open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


@contextmanager
def reading(found: object, expected: str, error: type[Exception],
            passes: type[Exception] | tuple[type[Exception], ...] | None = None) -> Iterator[None]:
    """Turn whatever is raised over a file that cannot be read, or makes no sense, into one clear error.

    Args:
        found: what is being read, for the message.
        expected: what it should be, and what to do when it is not.
        error: what to raise, with a message of one line.
        passes: errors that are clear already and pass as they are; None stands for those of the type `error`.

    Raises:
        Exception: of the type `error`.

    Example:
        >>> class BoardError(ValueError):
        ...     pass
        >>> try:
        ...     with reading("a board", "a list of entries; begin a new one", BoardError):
        ...         int("none")
        ... except BoardError as error:
        ...     print(str(error).split(', ')[-1])
        expected a list of entries; begin a new one
    """
    clear = error if passes is None else passes
    try:
        yield
    except clear:
        raise
    except Exception as cause:      # parsers of damaged files raise errors of every kind
        said = getattr(cause, "strerror", None) or " ".join(str(cause).split()[:40])[:200]
        why = f"{type(cause).__name__}: {said}" if said else type(cause).__name__
        raise error(f"found {found} ({''.join(filter(str.isprintable, why))}), expected {expected}") from cause


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Say of a full disk or a forbidden folder what to do about it."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        why = error.strerror or f"{error}; is the disk full?"           # NumPy counts bytes and leaves it at that
        raise WriteError(error.errno or errno.ENOSPC, why, str(path)) from error


def _beside(path: Path) -> Path:
    """A hidden name that nobody else has, beside the path; what was forgotten there long ago is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = re.compile(rf"\.[0-9a-f]{{8}}\.{re.escape(path.name)}")
    for left in path.parent.iterdir():
        if hidden.fullmatch(left.name):
            with suppress(OSError):         # somebody else was faster, or it is not ours
                if time.time() - max(part.lstat().st_ctime for part in (left, *left.rglob("*"))) > FORGOTTEN:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
    return path.with_name(f".{secrets.token_hex(4)}.{path.name}")
