"""Files that are whole or not there: written under another name beside their place, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["aside"]


@contextmanager
def aside(path: str | Path) -> Iterator[Path]:
    """Give a name to write a file to; it takes its place when the block ends, and is removed if the block fails.

    A reader of the path sees the old file or the new one, never a part. Processes do not get in each other's way.

    Args:
        path: where the file is to be; its folder is made if it is not there.

    Yields:
        A hidden name beside it, with the same ending.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
        >>> with aside(path) as new:
        ...     characters = new.write_text("whole")
        >>> path.read_text(), [file.name for file in path.parent.iterdir()]
        ('whole', ['notes.txt'])
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
