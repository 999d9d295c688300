"""Spaces at which no line breaks: before a unit, around ×, in the shape of an array, before the number of a chapter."""

import re

from docutils import nodes
from sphinx.application import Sphinx

HARD = "\N{NO-BREAK SPACE}"
UNITS = "%|°|µm|μm|nm|mm|cm|km|m|kg|g|ms|s|min|h|kB|MB|GB"
PLACES = re.compile(rf"(?<=\d) (?=(?:{UNITS})(?!\w))|(?<=\d) (?=× \d)|(?<=\d ×) (?=\d)|(?<=\b[Cc]hapter) (?=\d)")
NO_PROSE = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw, nodes.comment)
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
