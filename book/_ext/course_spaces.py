"""Where no line breaks: before a unit, around ×, in an array's shape, at a chapter's number, after a formula."""

import re

from docutils import nodes
from sphinx.application import Sphinx

HARD = "\N{NO-BREAK SPACE}"
UNITS = "%|°|µm|μm|nm|mm|cm|km|m|kg|g|ms|s|min|h|kB|MB|GB"
CHAPTER = r"(?<=\b[Cc]hapter) (?=\d)|(?<=^\d\d,) "        # the second in the glossary's links: 10, Stamps
PLACES = re.compile(rf"(?<=\d) (?=(?:{UNITS})(?!\w))|(?<=\d) (?=× \d)|(?<=\d ×) (?=\d)|{CHAPTER}")
NO_PROSE = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw, nodes.comment)
AFTER_FORMULA = re.compile(r"[,.;:!?)]+|-\w+")
SHORT_CODE = 24             # characters of code that stay in one line
SHAPE = re.compile(r"\((?:[\w·−-]{1,4}, )+[\w·−-]{1,4}\)")


def harden(text: str) -> str:
    """The text with hard spaces where it must not break.

    Example:
        >>> harden("64 × 64 pixels at 1.6 µm").count(HARD)
        3
    """
    return SHAPE.sub(lambda shape: shape[0].replace(" ", HARD), PLACES.sub(HARD, text))


def keep_together(app: Sphinx, doctree: nodes.document) -> None:
    """Harden the spaces of a page's prose; code, formulas and what is written for machines stay as they are."""
    for text in list(doctree.findall(nodes.Text)):
        hard = harden(text)
        if hard != text and not isinstance(text.parent, NO_PROSE):
            text.parent.replace(text, nodes.Text(hard))


def keep_code(app: Sphinx, doctree: nodes.document) -> None:
    """Keep short code in one line, but for tables; its spaces stay as they are, because code is copied."""
    in_tables = {code for cell in doctree.findall(nodes.entry) for code in cell.findall(nodes.literal)}
    for code in doctree.findall(nodes.literal):
        if len(code.astext()) <= SHORT_CODE and code not in in_tables:
            code["classes"].append("unbroken")


def close_formulas(app: Sphinx, doctree: nodes.document) -> None:
    """Keep each formula in its line with the mark that follows it: no line begins with a comma."""
    for formula in list(doctree.findall(nodes.math)):
        line = formula.parent
        place = line.index(formula)
        after = line[place + 1] if place + 1 < len(line) else None
        mark = AFTER_FORMULA.match(after) if isinstance(after, nodes.Text) else None
        if mark:
            closed = nodes.inline("", "", formula, nodes.Text(mark[0]), classes=["unbroken"])
            line[place:place + 2] = [closed, nodes.Text(after[mark.end():])]
