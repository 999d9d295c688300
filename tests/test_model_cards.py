"""The page of model cards: a card for all weights that are shipped, complete, and loaded by its own code."""

import re

import pytest

from course_utils import recorded
from course_utils.checks.satellites import SECTIONS
from tools.notebooks import ROOT, directives

TEXT = (ROOT / "book" / "appendix" / "model_cards.md").read_text(encoding="utf-8")
CARDS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
CELLS = [block.body for block in directives(TEXT) if block.name == "code-cell"]


def test_all_shipped_weights_have_a_card():
    shipped = {file.stem for file in recorded.FOLDER.glob("*.safetensors")}
    written = {name for card in CARDS for name in re.findall(r"`([\w-]+)`", card.partition("Intended use")[0])}
    assert shipped <= written
    assert shipped == set(re.findall(r'^    "([\w-]+)":', CELLS[1], re.MULTILINE))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.splitlines()[0])
def test_a_card_has_the_nine_sections_in_order(card):
    assert [line for line in card.splitlines() if line in SECTIONS] == list(SECTIONS)


def test_weights_fit_the_models_that_the_page_builds():
    names = {}
    for cell in CELLS[:2]:
        exec(cell, names)
    assert set(names["about"]) == set(names["models"])
    assert all(about["command"].startswith("python -m tools.") for about in names["about"].values())
