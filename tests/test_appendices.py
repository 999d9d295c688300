"""The appendices that explain words, symbols and errors say what the chapters say."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tools.notebooks import ROOT, chapters, directives

APPENDIX = ROOT / "book" / "appendix"
CHAPTERS = {path.stem[:2]: path for path in chapters()}
TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")
HEAD = ("| symbol |", "|---")
MATHS = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)


def glossary() -> dict[str, str]:
    """The terms of the glossary in the order of the page, each with its definition."""
    page = (APPENDIX / "glossary.md").read_text("utf-8")
    (block,) = (block for block in directives(page) if block.name == "glossary")
    return dict(entry.split("\n", 1) for entry in block.body.strip().split("\n\n"))


@cache
def prose(chapter: Path) -> str:
    """A chapter without its code cells, in one line."""
    text = chapter.read_text("utf-8")
    lines = text.splitlines()
    for block in directives(text):
        if block.name == "code-cell":
            lines[block.start:block.stop] = [""] * (block.stop - block.start)
    return " ".join(" ".join(lines).split())


def cells(page: Path) -> list[list[str]]:
    """The rows of a page's tables, without their heads."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in page.read_text("utf-8").splitlines() if line.startswith("|") and not line.startswith(HEAD)]


def test_the_terms_are_sorted_and_none_comes_twice():
    terms = [term.lower() for term in glossary()]
    assert len(terms) > 70
    assert terms == sorted(set(terms))


@pytest.mark.parametrize("term", glossary())
def test_a_term_of_the_glossary_is_used_by_a_chapter(term):
    word = re.compile(rf"\b{re.escape(term)}s?\b", re.IGNORECASE)
    assert any(word.search(prose(chapter)) for chapter in CHAPTERS.values()), f"no chapter says {term!r}"


@pytest.mark.parametrize("term", glossary())
def test_a_definition_is_short_and_names_the_section_that_teaches_the_term(term):
    definition = glossary()[term]
    link = re.search(r"\[(\d\d), ([^\]]+)\]\(([\w./]+\.md)#\S+\)$", definition)
    assert link, f"{term}: the definition ends without a link such as [02, Reflectance](../foundations/...)"
    number, title, path = link.groups()
    assert (APPENDIX / path).resolve() == CHAPTERS[number]
    headings = re.findall(r"^#{2,3} (.+)$", CHAPTERS[number].read_text("utf-8"), re.MULTILINE)
    assert title in [heading.replace("`", "") for heading in headings]
    assert len(definition[:link.start()].split()) <= 60


@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=lambda path: path.stem)
def test_a_chapter_links_a_term_once(chapter):
    linked = Counter(TERM.findall(chapter.read_text("utf-8")))
    assert [term for term, times in linked.items() if times > 1] == []
    assert set(linked) <= set(glossary())


@pytest.mark.parametrize("number", sorted(CHAPTERS))
def test_a_chapter_links_some_terms(number):
    assert len(TERM.findall(CHAPTERS[number].read_text("utf-8"))) >= 3


@pytest.mark.parametrize("row", cells(APPENDIX / "notation.md"), ids=lambda row: row[0])
def test_a_symbol_stands_in_the_chapters_that_the_notation_names(row):
    symbols, _, where = row
    for number in re.findall(r"\[(\d\d)\]", where):
        text = CHAPTERS[number].read_text("utf-8")
        maths = " ".join(a or b for a, b in MATHS.findall(text))
        for symbol in re.findall(r"\$([^$]+)\$", symbols):
            before = r"(?<![\\A-Za-z])" if symbol[0].isalpha() else ""
            assert re.search(rf"{before}{re.escape(symbol)}(?![A-Za-z])", maths), f"chapter {number} has no {symbol}"
        if "$" not in symbols:
            assert symbols.strip("`") in text


def test_the_notation_explains_a_symbol_once_for_each_chapter():
    named = Counter((symbol, number) for symbols, _, where in cells(APPENDIX / "notation.md")
                    for symbol in symbols.split(", ") if symbol.startswith("$")
                    for number in re.findall(r"\[(\d\d)\]", where))
    assert [pair for pair, times in named.items() if times > 1] == []
