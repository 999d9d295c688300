"""What the site knows of its chapters, read where their authors wrote it: table of contents, front matter, notes.

Nothing of it is typed a second time, so plans, times and the map cannot drift away from the chapters.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from sphinx.errors import ExtensionError

DIFFICULTY = {1: "first steps", 2: "some practice", 3: "demanding"}
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_CHAPTER = re.compile(r"(?:.*/)?(\d\d)_\w+")
_NOTE = re.compile(r"^```\{admonition\} For instructors\n(?::[^\n]*\n)*(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHORT = re.compile(r"\bWith\s+(\d+)\s+minutes[,:]?\s+(.*)\Z", re.DOTALL)
_SKIP = re.compile(r"\A\*\*What to skip first\*\*[,:]?\s+(.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the book, for whoever plans to teach it.

    Attributes:
        number: as readers name it: 1 for chapter 01.
        docname: of its page, such as "book/foundations/01_tensors".
        part: caption of its part in the table of contents.
        title: its heading.
        minutes: to teach all of it.
        needs: numbers of the chapters that it builds on; None where its front matter does not say.
        short_minutes: to teach what its note for instructors keeps; None where the note names no shorter version.
        keep: that sentence of the note, in Markdown.
        skip: what the note says to skip first, in Markdown; empty where it says nothing.
    """

    number: int
    docname: str
    part: str
    title: str
    minutes: int
    needs: tuple[int, ...] | None
    short_minutes: int | None = None
    keep: str = ""
    skip: str = ""

    @property
    def label(self) -> str:
        """Its number as it is written: "01"."""
        return f"{self.number:02}"


def require_facts(facts: dict) -> None:
    """Refuse front matter that does not say how long and how hard a chapter is.

    Args:
        facts: the front matter's `chapter`.

    Raises:
        ExtensionError: a field is missing, or the difficulty is not 1, 2 or 3.
    """
    if {"teach_minutes", "difficulty"} - facts.keys() or facts["difficulty"] not in DIFFICULTY:
        raise ExtensionError(
            f"front matter `chapter: {facts}`: expected teach_minutes (a number) and difficulty (1, 2 or "
            "3), as in `chapter: {teach_minutes: 75, difficulty: 1}`"
        )


def read_chapters(root: Path) -> dict[int, Chapter]:
    """Read every chapter that the table of contents names.

    Args:
        root: the folder of `_toc.yml`.

    Returns:
        The chapters by number, in the order of the table of contents.

    Raises:
        ExtensionError: a chapter's front matter is incomplete, or it needs a chapter that does not stand before it.
    """
    found: dict[int, Chapter] = {}
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        for docname in (entry["file"] for entry in part["chapters"]):
            if named := _CHAPTER.fullmatch(docname):
                text = (root / f"{docname}.md").read_text(encoding="utf-8")
                chapter = parse_chapter(text, int(named[1]), docname, part["caption"])
                later = sorted(set(chapter.needs or ()) - found.keys())
                if later:
                    raise ExtensionError(f"{docname}: found needs {later}, expected chapters that stand before it")
                found[chapter.number] = chapter
    return found


def parse_chapter(text: str, number: int, docname: str, part: str) -> Chapter:
    """Read one chapter.

    Args:
        text: its page, MyST Markdown.
        number: its number.
        docname: of its page.
        part: caption of its part.

    Returns:
        The chapter.

    Raises:
        ExtensionError: it has no front matter, or this is incomplete.
    """
    front = _FRONT_MATTER.match(text)
    facts = (yaml.safe_load(front[1]) if front else {}).get("chapter", {})
    require_facts(facts)
    needs = tuple(int(one) for one in facts["needs"]) if "needs" in facts else None
    title = re.search(r"^# (.+)$", text[front.end():], re.MULTILINE)
    note = _NOTE.search(text)
    short = skip = None
    for paragraph in note[1].split("\n\n") if note else ():
        short = short or _SHORT.search(paragraph.strip())
        skip = skip or _SKIP.search(paragraph.strip())
    return Chapter(
        number, docname, part, title[1].strip() if title else docname, facts["teach_minutes"], needs,
        int(short[1]) if short else None, _one_line(short[2]) if short else "", _one_line(skip[1]) if skip else "",
    )  # fmt: skip


def _one_line(text: str) -> str:
    """Text without its line breaks, beginning as a sentence."""
    line = " ".join(text.split())
    return line[:1].upper() + line[1:]


def builds_on(chapters: dict[int, Chapter], number: int) -> set[int]:
    """Find every chapter that one builds on, directly or through another.

    Args:
        chapters: by number.
        number: of the chapter.

    Returns:
        Their numbers.
    """
    direct = set(chapters[number].needs or ())
    return direct.union(*(builds_on(chapters, one) for one in direct))


def nearest_needs(chapters: dict[int, Chapter], number: int) -> list[int]:
    """Leave out of a chapter's needs what another of them needs already, so that a map has few lines.

    Args:
        chapters: by number.
        number: of the chapter.

    Returns:
        The numbers that remain, in increasing order.
    """
    direct = set(chapters[number].needs or ())
    return sorted(direct - set().union(*(builds_on(chapters, one) for one in direct)))
