"""What a chapter may take of a reader's machine, and what each took when the whole book was last measured.

The budgets hold for two processor cores. `python -m benchmarks.book --record` measures every chapter's notebook alone
and writes `recorded/chapters.json`; the table in the appendix, `doctor --workshop` and the order of the tests read it.
"""

import json
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

__all__ = ["BOOK_SECONDS", "MEMORY_MB", "Measured", "measured", "seconds_allowed"]

BOOK_SECONDS = 600              # all notebooks, one after another
MEMORY_MB = 1000                # 10⁶ bytes: a kernel and all that it starts, pages that they share counted once
SECONDS = 60
LONGER = {"09_patches": 90, "10_unet": 90}
RECORD = files("course_utils") / "recorded" / "chapters.json"          # read without importing PyTorch
HEADS = ("chapter", "seconds", "MB")


def seconds_allowed(chapter: str) -> int:
    """Say how long a chapter's notebook may run on two cores.

    Args:
        chapter: its file name without ending.

    Returns:
        Seconds of wall time.

    Example:
        >>> seconds_allowed("03_descent"), seconds_allowed("10_unet")
        (60, 90)
    """
    return LONGER.get(chapter, SECONDS)


@dataclass(frozen=True)
class Measured:
    """What the chapters took: a table in a notebook, lines of text elsewhere.

    Attributes:
        notebooks: for the path of each chapter, ``seconds`` (wall time), ``cpu_seconds`` (of all cores together)
            and ``peak_rss_mb`` (10⁶ bytes; the kernel and what it started).
        book_seconds: wall time of all of them, one after another.
        machine: as `runtime.describe_machine` says.
        date: of the measurement.
        note: what else a reader should know.
        training_step: seconds of a step of `preflight.machine.training_step` there; 0 if it was not measured.
    """

    notebooks: dict[str, dict[str, float]]
    book_seconds: float
    machine: dict[str, Any]
    date: str
    note: str = ""
    training_step: float = 0.0

    def of(self, chapter: str) -> dict[str, float] | None:
        """Give the numbers of one chapter.

        Args:
            chapter: its file name without ending.

        Returns:
            As in `notebooks`; None for a chapter that was not measured.
        """
        return next((took for path, took in self.notebooks.items() if PurePosixPath(path).stem == chapter), None)

    def rows(self) -> list[tuple[str, float, int, float, int]]:
        """List what the table shows.

        Returns:
            For each chapter its name, seconds and seconds allowed, MB and MB allowed.
        """
        stems = {path: PurePosixPath(path).stem for path in self.notebooks}
        return [(stems[path], took["seconds"], seconds_allowed(stems[path]), took["peak_rss_mb"], MEMORY_MB)
                for path, took in self.notebooks.items()]

    def where(self) -> str:
        """Say on what machine and when.

        Returns:
            One line.
        """
        machine = self.machine
        return (f"{self.date}, {machine['device'].removeprefix('cpu: ')}, {machine['cores']} cores, "
                f"{machine['memory_gb']} GB, torch {machine['torch']}" + (f"; {self.note}" if self.note else ""))

    def __str__(self) -> str:
        lines = [f"{chapter:18} {seconds:6.1f} s of {allowed:3} {mb:7.0f} MB of {room}"
                 for chapter, seconds, allowed, mb, room in self.rows()]
        return "\n".join([*lines, f"{'the book':18} {self.book_seconds:6.1f} s of {BOOK_SECONDS}", self.where()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
        lines = [(chapter, f"{seconds:.0f}&nbsp;/&nbsp;{allowed}", f"{mb:,.0f}&nbsp;/&nbsp;{room:,}")
                 for chapter, seconds, allowed, mb, room in self.rows()]
        lines.append(("the book", f"{self.book_seconds:.0f}&nbsp;/&nbsp;{BOOK_SECONDS}", ""))
        where = escape(self.where()).replace(" cores", "&nbsp;cores").replace(" GB", "&nbsp;GB")
        body = "".join(f'<tr><th scope="row">{escape(chapter)}</th>'
                       f'{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for chapter, *cells in lines)
        return (f'<table class="scoreboard"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
                f"<p>{where}</p>")


def measured() -> Measured:
    """Read what the chapters took when they were last measured.

    Returns:
        The record that the package holds.

    Example:
        >>> measured().of("01_tensors")["peak_rss_mb"] < MEMORY_MB
        True
    """
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    return Measured(**record["results"], date=record["about"]["recorded"])
