"""All that is looked at before a workshop, and what to mend."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from course_utils import doctor
from course_utils.doctor import MARKS, Check
from course_utils.preflight import limits, machine, needs
from course_utils.preflight.chapters import CHAPTERS, Chapter

__all__ = ["Preflight", "Row", "examine"]

SEEN_BY_CHAPTER = {"memory", "simulated scenes"}        # what doctor warns of, said here chapter by chapter


@dataclass(frozen=True)
class Row:
    """A chapter and what was found for it.

    Attributes:
        chapter: which.
        checks: of its data, memory, time, and what it has use for.
        seconds: how long its notebook may take here; None if it was not measured.
    """

    chapter: Chapter
    checks: tuple[Check, ...]
    seconds: float | None

    @property
    def status(self) -> str:
        """The worst of its checks."""
        return _worst(self.checks).status


@dataclass(frozen=True)
class Preflight:
    """What was found, to be printed as a table with a line for each chapter and then what to mend.

    Attributes:
        machine: what holds for all chapters.
        chapters: in the order of the book.
    """

    machine: tuple[Check, ...]
    chapters: tuple[Row, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be mended."""
        return all(check.status != "error" for _, check in self._all())

    def _all(self) -> list[tuple[str, Check]]:
        """Every check with whom it concerns: a chapter's number, or nobody in particular."""
        return [("", check) for check in self.machine] + [
            (row.chapter.number, check) for row in self.chapters for check in row.checks]

    def advice(self) -> list[tuple[Check, list[str]]]:
        """Collect what can be done.

        Returns:
            Checks that come with advice, the errors first, each once; with the numbers of the chapters concerned.
        """
        found: dict[Check, list[str]] = {}
        for who, check in self._all():
            if check.advice:
                found.setdefault(check, []).extend(filter(None, [who]))
        return sorted(found.items(), key=lambda item: -doctor.STATUSES.index(item[0].status))

    def as_json(self) -> dict:
        """Give the findings as plain data.

        Returns:
            ``healthy`` (bool), ``machine`` (checks as objects) and ``chapters`` (objects with ``number``, ``title``,
            ``status``, ``seconds``, ``peak_mb`` and ``checks``).
        """
        return {"healthy": self.healthy, "machine": [asdict(check) for check in self.machine],
                "chapters": [{"chapter": row.chapter.name, "title": row.chapter.title, "status": row.status,
                              "seconds": row.seconds, "peak_mb": row.chapter.peak_mb,
                              "checks": [asdict(check) for check in row.checks]} for row in self.chapters]}

    def __str__(self):
        wide = max(len(check.name) for check in self.machine)
        lines = [f"{MARKS[check.status]} {check.name:{wide}}  {check.found}" for check in self.machine]
        wide = max(len(row.chapter.title) for row in self.chapters)
        lines += ["", f"  {'chapter':{wide + 3}}  {'MB':>5}  {'s':>4}  data"]
        for row in self.chapters:
            number, title = row.chapter.number, row.chapter.title
            lines.append(f"{MARKS[row.status]} {number} {title:{wide}}  {_round(row.chapter.peak_mb):>5}  "
                         f"{_round(row.seconds):>4}  {_data(row)}")
        advice = self.advice()
        for heading, statuses in (("to mend", ("error", "warning")), ("optional", ("ok",))):
            shown = [(check, who) for check, who in advice if check.status in statuses]
            lines += ["", heading] if shown else []
            for check, who in shown:
                lines += [f"{MARKS[check.status]} {', '.join(who) or check.name}: {check.found}",
                          f"    → {check.advice}"]
        count = sum(check.status == "warning" for check, _ in advice)
        lines += ["", "not ready: mend the lines marked ✗" if not self.healthy else
                  f"ready for a workshop{f'; warnings: {count}' if count else ''}"]
        return "\n".join(lines)


def examine() -> Preflight:
    """Look at this machine as a learner's account meets it, for every chapter.

    Returns:
        What was found. It takes some seconds, starts a kernel, ends it, and leaves nothing behind.
    """
    checks = doctor.examine()
    cache = next(check for check in checks if check.name == "data folder")
    started, about = machine.kernel()
    speed, slower = machine.speed(machine.training_step())
    free = limits.free_memory_mb()
    data = needs.of_data(can_be_written=cache.status == "ok")
    found = [check for check in checks if check.status != "ok" and check.name not in SEEN_BY_CHAPTER]
    found += [Check("packages", "ok", f"{len(doctor.OLDEST)} of the versions that the course is tested with, or newer")]
    found += [started, machine.home(), machine.scratch(), speed,
              Check("free memory", "ok", "unknown" if free is None else f"{free:,.0f} MB")]
    found += [machine.threads(about["threads"])] if about else []
    return Preflight(tuple(found), tuple(
        Row(chapter, needs.of_chapter(chapter, data, free, slower), chapter.seconds and chapter.seconds * slower)
        for chapter in CHAPTERS))


def _worst(checks: Iterable[Check]) -> Check:
    """The check to look at first."""
    return max(checks, key=lambda check: doctor.STATUSES.index(check.status))


def _data(row: Row) -> str:
    """What the table says of a chapter's data."""
    worst = _worst(check for check in row.checks if check.name == "data")
    return {"ok": worst.found, "warning": "made when first used", "error": "missing"}[worst.status]


def _round(number: float | None) -> str:
    """A number of the table."""
    return "?" if number is None else f"{number:.0f}"
