"""A leaderboard: a file of results that several processes may add to at once (chapters 14 and 17).

The file is JSON, a list of entries, the best first. Whoever adds takes the lock that lies beside it, so that of two who
add at once none is lost, and writes a new file before the old one goes, so that a crash leaves the old board.
"""

import json
import math
import numbers
import os
from pathlib import Path

from filelock import FileLock, Timeout

from course_utils.files import aside, plain_file, reading

__all__ = ["DuplicateError", "LeaderboardError", "add", "read"]

LONGEST_TEXT = 200
PATIENCE = 60                   # seconds to wait for the others who add


class LeaderboardError(ValueError):
    """An entry that cannot stand on a leaderboard, or a file that is none."""


class DuplicateError(LeaderboardError):
    """An entry whose digest is on the board already."""


def read(path: str | Path) -> list[dict]:
    """Read a leaderboard.

    Args:
        path: the file; one that does not exist is an empty board.

    Returns:
        The entries, the best first.

    Raises:
        LeaderboardError: the file is no list of entries.

    Example:
        >>> read("no-such-board.json")
        []
    """
    path = Path(path)
    advice = f"mend {path.name} by hand, or move it away to begin a new board"
    if not os.path.lexists(path):
        return []
    with reading(f"{path.name} that is no leaderboard", f"a list of entries; {advice}", LeaderboardError, ()):
        board = json.loads(plain_file(path).read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        if not isinstance(board, list):
            raise ValueError(f"found a {type(board).__name__}, expected a list of entries")
        for entry in board:
            _check(entry)
    return board


def add(path: str | Path, entry: dict, key: str = "score", same: str | None = None) -> list[dict]:
    """Add an entry to a leaderboard; processes that add at the same time wait for each other.

    Args:
        path: the file; made if it does not exist.
        entry: texts of one line and finite numbers by name; ``"name"`` says whose result it is. An entry with a
            ``"digest"``, a text that stands for what was handed in, is taken once.
        key: the number that the board is sorted by, the highest first; of equals the earlier one stands first.
        same: name of a value in which all entries of a board agree, such as what they were scored on.

    Returns:
        The board with the new entry, the best first.

    Raises:
        DuplicateError: the board has an entry with this digest.
        LeaderboardError: the entry has no name or no such number, or a value of another kind; the file is no
            leaderboard of this number, or of entries that agree with this one, or cannot be written; or somebody holds
            the lock for a minute. The file is left as it was.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "board.json"
        >>> for name, score in (("threshold", 0.5), ("network", 0.75)):
        ...     board = add(path, {"name": name, "score": score})
        >>> [entry["name"] for entry in board], board == read(path)
        (['network', 'threshold'], True)
    """
    path = Path(os.path.realpath(path))             # who comes by a link waits for the same lock
    _check(entry, key)
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=PATIENCE, mode=0o666):          # other users of a shared folder take it, too
            board = read(path)
            for other in board:
                _check(other, key)
                if same is not None and other.get(same) != entry[same]:
                    raise LeaderboardError(f"found {same} {other.get(same)!r} on the board, expected {entry[same]!r}: "
                                           "such scores cannot be compared; name another board")
                if "digest" in entry and other.get("digest") == entry["digest"]:
                    raise DuplicateError(f"found what {other['name']!r} on the board handed in, {key} {other[key]}; "
                                         "expected something new: the same thing is taken once")
            board = sorted([*board, entry], key=lambda one: -one[key])              # stable: of equals the earlier
            with aside(path) as new:
                new.write_text(json.dumps(board, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except Timeout:
        raise LeaderboardError(f"found {path.name} locked for {PATIENCE} s, expected whoever adds to it to be done "
                               f"sooner; when nobody is adding, remove {lock.name} and try again") from None
    except OSError as error:
        raise LeaderboardError(f"found {path.name} that cannot be written ({error.strerror}), expected a folder that "
                               "can; name another board") from error
    return board


def _check(entry: dict, key: str | None = None) -> None:
    """Refuse what is no entry, or one that cannot be sorted by the key."""
    if not isinstance(entry, dict) or not all(isinstance(name, str) for name in entry):
        raise LeaderboardError(f"found {str(entry)[:60]!r}, expected an entry: texts and numbers by name")
    for name, value in entry.items():
        number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
        text = isinstance(value, str) and value.isprintable() and len(value) <= LONGEST_TEXT
        if not (number or text):
            raise LeaderboardError(
                f"found {name} {str(value)[:60]!r} of type {type(value).__name__}; expected a finite "
                f"number (of numpy's: float(...)) or one line of at most {LONGEST_TEXT} characters")
    if not isinstance(entry.get("name"), str) or not entry["name"].strip():
        raise LeaderboardError(f"found name {entry.get('name')!r}, expected a few words in one line")
    if key is not None and (not isinstance(entry.get(key), numbers.Real) or isinstance(entry[key], bool)):
        raise LeaderboardError(f"found {key} {entry.get(key)!r} of {entry['name']!r}, expected the number that the "
                               "board is sorted by")


def _refuse_constant(name: str) -> float:
    """NaN and Infinity, which Python's JSON knows and nobody else's."""
    raise LeaderboardError(f"found {name}, expected finite numbers")
