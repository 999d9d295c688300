"""One line for each check, in a file of the learner's home: what it holds, how it is written, how it is read."""

import json
import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["FILE", "VARIABLE", "Line", "note", "parse"]

VARIABLE = "COURSE_PROGRESS"
FILE = "course-progress.jsonl"          # what the instructor guide suggests as the variable's value
LONGEST = 300                           # characters of a line
EXERCISE = re.compile(r"[a-z]\w{0,39}\.[a-z]\w{0,59}", re.ASCII)

_tried: Counter[str] = Counter()        # checks of each exercise in this process


@dataclass(frozen=True)
class Line:
    """One check of one exercise.

    Attributes:
        time: when, in seconds since 1970.
        exercise: such as ``tensors.cloud_index``.
        passed: whether the answer was accepted.
        hint: how many hints were asked for.
        attempt: how many checks of this exercise the kernel had seen, this one included.
    """

    time: int
    exercise: str
    passed: bool
    hint: int
    attempt: int


def note(exercise: str, passed: bool, hint: int) -> None:
    """Append a line about a check to the learner's file, if the instructor has turned that on.

    Whatever goes wrong, from a full disk to a missing home, the learner does not notice. The line is written at once to
    the end of the file, so several kernels do not mix theirs, and nobody but the learner (and root) may read it.

    Args:
        exercise: name of the exercise, such as ``tensors.cloud_index``.
        passed: whether the answer was accepted.
        hint: how many hints were asked for.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return
    _tried[exercise] += 1
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "exercise": exercise, "passed": passed,
            "hint": int(hint), "attempt": _tried[exercise]}
    with suppress(OSError, RuntimeError, ValueError):           # RuntimeError: no home; ValueError: a name with a null
        path = Path.home() / Path(named).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, (json.dumps(line) + "\n").encode())
        finally:
            os.close(file)


def parse(text: str) -> Line:
    """Read one line of a learner's file.

    Args:
        text: the line.

    Returns:
        What it says.

    Raises:
        ValueError: it is not a line that `note` writes.

    Example:
        >>> parse('{"time": "2026-05-04T09:30:00+00:00", "exercise": "tensors.cloud_index", "passed": true, '
        ...       '"hint": 1, "attempt": 3}').exercise
        'tensors.cloud_index'
    """
    if len(text) > LONGEST:
        raise ValueError(f"found {len(text)} characters, expected at most {LONGEST}")
    found = json.loads(text)
    if not isinstance(found, dict) or set(found) != {"time", "exercise", "passed", "hint", "attempt"}:
        raise ValueError("found other values, expected time, exercise, passed, hint and attempt")
    if not isinstance(found["exercise"], str) or not EXERCISE.fullmatch(found["exercise"]):
        raise ValueError("found no name of an exercise, expected one such as tensors.cloud_index")
    counts = found["hint"], found["attempt"]
    if type(found["passed"]) is not bool or any(type(count) is not int or not 0 <= count < 1e6 for count in counts):
        raise ValueError("found other types, expected passed to be true or false, hint and attempt to be counts")
    time = datetime.fromisoformat(found["time"]) if isinstance(found["time"], str) else None
    if time is None or time.tzinfo is None:
        raise ValueError("found no time, expected one such as 2026-05-04T09:30:00+00:00")
    return Line(**{**found, "time": int(time.timestamp())})
