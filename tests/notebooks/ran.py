"""What nbval's notebooks took and printed, gathered from its workers: judged by budgets, kept in one file.

Notebooks run side by side, on machines that have other work, so wall times say little. Judged is the processor time,
times the part of it that passed on the wall when the notebook was recorded alone on two cores. Processors differ, so
only twice the budget fails; so do builds of PyTorch, so half as much memory again does.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_utils.budgets import BOOK_SECONDS, MEMORY_MB, measured, seconds_allowed
from course_utils.files import aside
from tools.execution import Usage

TIMES, MEMORY_TIMES = 2, 1.5
PRINTED, USED = "printed", "used"           # what a cell's report carries from its worker


def alone(stem: str, usage: Usage) -> float:
    """Seconds that a reader would wait on two such cores; the processor time of a notebook that was not recorded."""
    took = measured().of(stem)
    return usage.cpu_seconds * (min(1, took["seconds"] / took["cpu_seconds"]) if took else 1)


def over_budget(stem: str, usage: Usage) -> Iterator[str]:
    """Say what a notebook took far beyond its budget."""
    seconds = seconds_allowed(stem)
    if alone(stem, usage) > TIMES * seconds:
        yield (f"{stem}: found {usage.cpu_seconds:.0f} s of processor time, {alone(stem, usage):.0f} s on two cores, "
               f"the budget is {seconds} s (here {TIMES} times that are allowed)")
    if usage.peak_rss_mb > MEMORY_TIMES * MEMORY_MB:
        yield (f"{stem}: found a peak of {usage.peak_rss_mb:.0f} MB, the budget is {MEMORY_MB} MB "
               f"(here {MEMORY_TIMES} times that are allowed)")


def repeats(name: str, text: str, before: dict[str, str]) -> Iterator[str]:
    """Say where a cell does not print what it printed in an earlier run on this machine; spaces do not count."""
    if name in before and text.split() != before[name].split():
        yield f"{name}: a second run on the same machine prints {text!r}, the first printed {before[name]!r}"


class Ran:
    """Gathers what the cells' reports carry, in the process that sees them all.

    Attributes:
        used: by notebook, what it took.
        printed: by notebook, what its compared cells printed, by name.
    """

    def __init__(self, path: Path | None):
        self.path, self.used, self.printed = path, {}, {}

    def total(self) -> float:
        """Processor time of all notebooks."""
        return sum(one["cpu_seconds"] for one in self.used.values())

    def pytest_runtest_logreport(self, report):
        """Take what a cell left."""
        if report.when == "call":
            carried = dict(report.user_properties)
            self.used |= carried.get(USED, {})
            for stem, texts in carried.get(PRINTED, {}).items():
                self.printed.setdefault(stem, {}).update(texts)

    def pytest_sessionfinish(self, session):
        """Write the file; fail if the whole book takes too long."""
        if self.path and self.used:
            found = {"cpu_seconds": round(self.total(), 1), "notebooks": self.used, "printed": self.printed}
            with aside(self.path) as new:
                new.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if self.total() > TIMES * BOOK_SECONDS:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """Show what each notebook took, the slowest first."""
        for stem, one in sorted(self.used.items(), key=lambda item: -item[1]["cpu_seconds"]):
            terminalreporter.write_line(f"{stem:20} {one['seconds']:6.1f} s, processor {one['cpu_seconds']:6.1f} s, "
                                        f"{one['peak_rss_mb']:5.0f} MB")
        if self.total() > TIMES * BOOK_SECONDS:
            terminalreporter.write_line(f"the book: found {self.total():.0f} s of processor time, the budget is "
                                        f"{BOOK_SECONDS} s (here {TIMES} times that are allowed)", red=True)
