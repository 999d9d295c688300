"""Plans for teaching the course: `book/plans.yml` read, checked, and laid out as the Markdown of a page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from course_chapters import Chapter
from sphinx.errors import ExtensionError

LONGEST_STRETCH = 120           # minutes without a pause that a room can bear
KINDS = ("teach", "tell", "home", "meet", "pause")


@dataclass(frozen=True)
class Session:
    """What happens at one time of a day.

    Attributes:
        kind: one of `KINDS`.
        starts: minutes after midnight.
        minutes: how long; 0 for what is read at home.
        chapter: the chapter's number; None for meetings and pauses.
        short: whether only what the chapter's note keeps is taught.
        note: words for the plan, in Markdown.
    """

    kind: str
    starts: int
    minutes: int
    chapter: int | None
    short: bool
    note: str


@dataclass(frozen=True)
class Plan:
    """A course of some days.

    Attributes:
        title: how long it takes, in words.
        audience: for whom.
        days: the sessions of each day.
    """

    title: str
    audience: str
    days: tuple[tuple[Session, ...], ...]

    @property
    def sessions(self) -> Iterator[Session]:
        """The sessions of all days."""
        return (session for day in self.days for session in day)

    @property
    def taught(self) -> dict[int, bool]:
        """The chapters that are taught, by number: whether in short."""
        return {session.chapter: session.short for session in self.sessions if session.kind == "teach"}


def working_minutes(sessions: Iterable[Session]) -> int:
    """Add up sessions without the pauses."""
    return sum(session.minutes for session in sessions if session.kind != "pause")


def read_plans(path: Path, chapters: dict[int, Chapter]) -> dict[str, Plan]:
    """Read the plans.

    Args:
        path: of `plans.yml`.
        chapters: of the book, by number.

    Returns:
        The plans by name, in the order of the file.

    Raises:
        ExtensionError: a plan cannot be taught; says why.
    """
    plans = {}
    for name, stored in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        days = tuple(tuple(_timetable(name, day, chapters)) for day in stored["days"])
        plans[name] = Plan(stored["title"], stored["for"], days)
        _require_order(name, plans[name], chapters)
        _require_pauses(name, plans[name])
    return plans


def _timetable(name: str, day: dict[str, Any], chapters: dict[int, Chapter]) -> Iterator[Session]:
    """The sessions of a day, each with its time."""
    hours, minutes = day["starts"].split(":")
    clock = 60 * int(hours) + int(minutes)
    for entry in day["sessions"]:
        kind = next((kind for kind in KINDS if kind in entry), None)
        if kind is None:
            raise ExtensionError(f"plan {name}: found {entry}, expected one of {', '.join(KINDS)}")
        number = entry[kind] if kind in ("teach", "tell", "home") else None
        if number is not None and number not in chapters:
            raise ExtensionError(f"plan {name}: found chapter {number}, expected one of the table of contents")
        lasts = _teaching_time(name, entry, chapters) if number is not None else entry[kind]
        yield Session(kind, clock, lasts, number, entry.get("short", False), entry.get("note", ""))
        clock += lasts


def _teaching_time(name: str, entry: dict[str, Any], chapters: dict[int, Chapter]) -> int:
    """Minutes for a chapter: its own where it is taught."""
    if "teach" not in entry:
        return entry.get("minutes", 0)
    chapter = chapters[entry["teach"]]
    if not entry.get("short"):
        return chapter.minutes
    if chapter.short_minutes is None:
        raise ExtensionError(f"plan {name}: found a short chapter {chapter.label}, expected the words \"With ... "
                             "minutes\" in its note for instructors; write them, or plan the whole chapter")
    return chapter.short_minutes


def _require_order(name: str, plan: Plan, chapters: dict[int, Chapter]) -> None:
    """Refuse a plan that puts a chapter before one that it needs, or names one twice."""
    met: set[int] = set()
    for session in plan.sessions:
        if session.chapter is None:
            continue
        missing = sorted(set(chapters[session.chapter].needs or ()) - met)
        if missing or session.chapter in met:
            wrong = f"without {missing}, which it needs" if missing else "twice"
            raise ExtensionError(f"plan {name}: found chapter {session.chapter} {wrong}; expected each chapter once, "
                                 "after those that it needs: teach them, tell them, or give them as reading")
        met.add(session.chapter)


def _require_pauses(name: str, plan: Plan) -> None:
    """Refuse a plan that keeps people on their chairs."""
    for number, day in enumerate(plan.days, start=1):
        stretch = 0
        for session in day:
            stretch = 0 if session.kind == "pause" else stretch + session.minutes
            if stretch > LONGEST_STRETCH:
                raise ExtensionError(f"plan {name}, day {number}: found {stretch} minutes without a pause, expected "
                                     f"at most {LONGEST_STRETCH}")


def hours(minutes: int) -> str:
    """Say a duration: 45 → "45 min", 355 → "5 h 55 min", 360 → "6 h", all in one line."""
    full, rest = divmod(minutes, 60)
    parts = (f"{full}\u00a0h" if full else "", f"{rest}\u00a0min" if rest or not full else "")
    return "\u00a0".join(filter(None, parts))


def link(chapter: Chapter, text: str = "") -> str:
    """A link to a chapter, with its title or another text, in Markdown."""
    return f"{{doc}}`{text or chapter.title} </{chapter.docname}>`"


def day_markdown(day: tuple[Session, ...], chapters: dict[int, Chapter]) -> str:
    """Lay out a day as a table: from when, what, how many minutes."""
    lines = ["| from | what | minutes |", "|---|---|--:|"]
    for session in day:
        clock = f"{session.starts // 60:02}:{session.starts % 60:02}" if session.minutes else "at home"
        lines.append(f"| {clock} | {_what(session, chapters)} | {session.minutes or ''} |")
    end = day[-1].starts + day[-1].minutes
    lines.append(f"| {end // 60:02}:{end % 60:02} | end; {hours(working_minutes(day))} of work | |")
    return "\n".join(lines)


def _what(session: Session, chapters: dict[int, Chapter]) -> str:
    """What happens, in Markdown."""
    if session.chapter is None:
        return session.note or "pause"
    chapter = chapters[session.chapter]
    how = {"tell": "told: ", "home": "to read", "teach": "in\u00a0short" if session.short else ""}[session.kind]
    said = f"{how}{session.note}"
    return f"{chapter.label} {link(chapter)}{', ' if said else ''}{said}"


def plan_markdown(plan: Plan, chapters: dict[int, Chapter]) -> str:
    """Lay out a plan, day by day."""
    days = [day_markdown(day, chapters) for day in plan.days]
    if len(days) > 1:
        days = [f"**Day {number}**\n\n{day}" for number, day in enumerate(days, start=1)]
    return "\n\n".join([f"For {plan.audience}.", *days])


def facts_markdown(plans: dict[str, Plan], chapters: dict[int, Chapter]) -> str:
    """Say in a glance for whom the course is, how long it takes and what it needs, as a list."""
    titles = [plan.title.lower() for plan in plans.values()]
    whole = round(sum(chapter.minutes for chapter in chapters.values()) / 60)
    facts = [
        "for people who write **numpy**, new to deep learning",
        f"**{len(chapters)} chapters**, {whole}\u00a0h in all",
        f"workshops of **{', '.join(titles[:-1])}** or **{titles[-1]}**",
        "on a **laptop**: no GPU, no network once installed",
    ]
    return "\n".join(["{.chapter-facts}", *(f"- {fact}" for fact in facts)])


def paths_markdown(plans: dict[str, Plan], chapters: dict[int, Chapter]) -> str:
    """Lay out all plans as one table: how long, which chapters, how much of each."""
    lines = ["| path | chapters | for |", "|---|---|---|"]
    for plan in plans.values():
        shown = []
        for word, short in (("whole", False), ("in short", True)):
            some = [chapters[number] for number, is_short in plan.taught.items() if is_short == short]
            if some:
                shown.append(f"{word}: " + " ".join(link(chapter, chapter.label) for chapter in some))
        work = hours(working_minutes(plan.sessions))
        lines.append(f"| **{plan.title}**, {work} | {'; '.join(shown)} | {plan.audience} |")
    return "\n".join(lines)


def times_markdown(chapters: dict[int, Chapter]) -> str:
    """Lay out what each chapter's note says of its time, as a definition list."""
    entries = []
    for chapter in chapters.values():
        lines = [f"{chapter.label} {link(chapter)}: {hours(chapter.minutes)}"]
        if chapter.short_minutes:
            lines.append(f": **With {chapter.short_minutes} minutes**: {chapter.keep}")
        if chapter.skip:
            lines.append(f": **Skip first**: {chapter.skip}")
        if len(lines) == 1:
            lines.append(": Its note for instructors says how to divide the time.")
        entries.append("\n".join(lines))
    return "\n\n".join(entries)
