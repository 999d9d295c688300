"""A class's progress: every learner's file, and what they say together."""

import os
import stat
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.progress.record import FILE, VARIABLE, Line, parse

__all__ = ["Class", "Learner", "ProgressError", "read_class"]

MOST_BYTES = 4_000_000          # of one learner's file, some 30,000 checks
STUCK = 5                       # so many exercises are named as those where the class is stuck


class ProgressError(ValueError):
    """A folder in which no learner's file can be read."""


@dataclass(frozen=True)
class Learner:
    """What one learner's file says.

    Attributes:
        folder: name of the learner's home folder.
        lines: the checks, in the order in which they were made.
        spoiled: how many lines could not be read.
    """

    folder: str
    lines: tuple[Line, ...]
    spoiled: int = 0

    def checks(self, exercise: str) -> tuple[Line, ...]:
        """The checks of one exercise until it passed.

        Args:
            exercise: its name.

        Returns:
            The checks, the first that passed the last; all of them if none has passed.
        """
        own = [line for line in self.lines if line.exercise == exercise]
        until = next((place for place, line in enumerate(own) if line.passed), len(own))
        return tuple(own[:until + 1])


@dataclass(frozen=True)
class Class:
    """A class's learners, in the order in which they began; print it to see where they are.

    Attributes:
        learners: those with at least one check.
        spoiled: lines of all files that could not be read.
        refused: files that could not be opened.
        folders: whether learners are shown with the name of their folder, not with a number.
    """

    learners: tuple[Learner, ...]
    spoiled: int = 0
    refused: int = 0
    folders: bool = field(default=False, compare=False)

    def exercises(self) -> list[dict]:
        """How the class fares with each exercise, in the order in which it came to them.

        Returns:
            For each exercise its name, how many learners ``tried`` and ``passed`` it, the median number of checks
            that each made of it (``attempts``; until it passed), and how many asked for a ``hint``.
        """
        seen: dict[str, list[tuple[Line, ...]]] = {}
        for learner in self.learners:
            for exercise in dict.fromkeys(line.exercise for line in learner.lines):
                seen.setdefault(exercise, []).append(learner.checks(exercise))
        begun = {exercise: statistics.median_low(own[0].time for own in checks) for exercise, checks in seen.items()}
        return [{"exercise": exercise, "tried": len(seen[exercise]),
                 "passed": sum(own[-1].passed for own in seen[exercise]),
                 "attempts": statistics.median(map(len, seen[exercise])),
                 "hints": sum(any(line.hint for line in own) for own in seen[exercise])}
                for exercise in sorted(seen, key=lambda exercise: (begun[exercise], exercise))]

    def stuck(self) -> list[dict]:
        """The exercises that most learners have tried and not passed.

        Returns:
            At most five of `exercises`, the worst first; empty if everybody passed what they tried.
        """
        open_ = [one for one in self.exercises() if one["passed"] < one["tried"]]
        return sorted(open_, key=lambda one: (one["passed"] - one["tried"], -one["attempts"]))[:STUCK]

    def rows(self) -> list[dict]:
        """How far each learner is.

        Returns:
            For each the ``learner`` (a number in the order of the first check, or the folder), how many exercises
            were ``tried`` and ``passed``, the ``last`` one, and whether it is ``done``.
        """
        rows = []
        for number, learner in enumerate(self.learners, 1):
            exercises = dict.fromkeys(line.exercise for line in learner.lines)
            done = [exercise for exercise in exercises if learner.checks(exercise)[-1].passed]
            last = learner.lines[-1].exercise
            rows.append({"learner": learner.folder if self.folders else f"learner {number}", "tried": len(exercises),
                         "passed": len(done), "last": last, "done": last in done})
        return rows

    def as_json(self) -> dict:
        """Give the tables as plain data.

        Returns:
            ``exercises``, ``stuck``, ``learners``, and the counts ``spoiled`` (lines) and ``refused`` (files).
        """
        return {"exercises": self.exercises(), "stuck": self.stuck(), "learners": self.rows(),
                "spoiled": self.spoiled, "refused": self.refused}

    def __str__(self):
        lines = [f"learners: {len(self.learners)}, checks: {sum(len(one.lines) for one in self.learners)}"]
        if self.spoiled:
            lines += [f"lines left out because they have another form: {self.spoiled}"]
        if self.refused:
            lines += [f"files that could not be opened: {self.refused}; run this as somebody who may read them"]
        lines += ["", *_table(self.exercises(), ("exercise", "tried", "passed", "attempts", "hints"))]
        if self.stuck():
            lines += ["", "where the class is stuck"]
            lines += [f"  {one['exercise']}: {one['tried'] - one['passed']} of {one['tried']} have not passed it, "
                      f"median {one['attempts']:g} checks" for one in self.stuck()]
        rows = [row | {"last": row["last"] + ("" if row["done"] else " (not passed)")} for row in self.rows()]
        return "\n".join([*lines, "", *_table(rows, ("learner", "tried", "passed", "last"))])


def read_class(folder: str | Path, file: str = FILE, folders: bool = False) -> Class:
    """Read every learner's file of a class.

    Args:
        folder: the folder that holds the learners' homes.
        file: where the file is in each home.
        folders: whether learners are shown with the name of their folder, not with a number.

    Returns:
        What the files say. Lines that are not of the form that `note` writes are counted and left out.

    Raises:
        ProgressError: there is no such folder, or no learner's file in it.
    """
    folder, learners, refused = Path(folder), [], 0
    try:
        homes = sorted(folder.iterdir())
    except OSError as error:
        raise ProgressError(f"found no folder {folder} ({error.strerror}), expected the one that holds the learners' "
                            "homes") from error
    for home in homes:
        try:
            learners.append(_learner(home.name, _text(home / file)))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            refused += 1
    if not learners and not refused:
        raise ProgressError(f"found no */{file} in {folder}, expected a file in each learner's home; {VARIABLE}={file} "
                            "in the learners' environment has the checks write it, --file names another")
    begun = sorted((one for one in learners if one.lines), key=lambda one: (one.lines[0].time, one.folder))
    return Class(tuple(begun), sum(one.spoiled for one in learners), refused, folders)


def _text(path: Path) -> str:
    """A learner's file; nothing that a learner may have put in its place to mislead somebody with more rights."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as file:              # noqa: PTH123  (a descriptor, not a path)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"found {path}, which is no ordinary file")
        return file.read(MOST_BYTES).decode("utf-8", errors="replace")


def _learner(folder: str, text: str) -> Learner:
    """What can be read of a learner's file."""
    lines, spoiled = [], 0
    for written in filter(str.strip, text.splitlines()):
        try:
            lines.append(parse(written))
        except ValueError:
            spoiled += 1
    return Learner(folder, tuple(lines), spoiled)


def _table(rows: list[dict], columns: tuple[str, ...]) -> list[str]:
    """Lines of a table: the first column and texts on the left, numbers on the right."""
    cells = [columns, *(tuple(f"{row[name]:g}" if isinstance(row[name], int | float) else row[name]
                              for name in columns) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [bool(rows) and isinstance(rows[0][name], int | float) for name in columns]
    return ["  ".join(cell.rjust(width) if number else cell.ljust(width)
                      for cell, width, number in zip(line, widths, right, strict=True)).rstrip() for line in cells]
