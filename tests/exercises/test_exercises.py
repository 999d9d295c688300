"""Every exercise of every chapter: it is whole, its checker rejects stubs and planted wrong answers with the cause.

Solutions and untouched stubs are run where they stand, in the chapter's own notebook: `make notebooks` demands ✓
from every check call, `make learner` ✗ and "not filled in yet". So a chapter's cells are run once with solutions,
once with stubs, and never here.
"""

import importlib
import runpy
from functools import cache
from pathlib import Path

import pytest

from course_utils import checks
from course_utils.checks.core import exercises
from tests.exercises import structure
from tools.notebooks import chapters, topic

HERE = Path(__file__).parent
CHAPTERS = {topic(chapter): chapter for chapter in chapters()}
CHECKERS = {name: exercises(importlib.import_module(f"course_utils.checks.{name}")) for name in checks.chapters()}
PLANTED = {name: runpy.run_path(str(HERE / f"{name}.py"))["WRONG"] if (HERE / f"{name}.py").exists() else {}
           for name in CHECKERS}
EACH = [(chapter, name) for chapter, found in CHECKERS.items() for name in found]
WRONG = [pytest.param(chapter, name, place, id=f"{chapter}.{name}-{words}") for chapter, planted in PLANTED.items()
         for name, pairs in planted.items() for place, (_, words) in enumerate(pairs)]


@cache
def verdict_on(chapter, name, place):
    """What the checker says of a planted wrong answer; some take a second, and two tests want to know."""
    return CHECKERS[chapter][name].evaluate(PLANTED[chapter][name][place][0])


def test_every_chapter_has_checks_and_every_check_module_a_chapter():
    assert set(CHAPTERS) == set(CHECKERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_exercises_of_a_chapter_are_whole(chapter):
    text = CHAPTERS[chapter].read_text(encoding="utf-8")
    assert structure.problems(text, chapter, CHECKERS.get(chapter, {})) == []


@pytest.mark.parametrize("chapter", CHECKERS)
def test_at_least_two_wrong_answers_are_planted_for_each_exercise(chapter):
    few = {name: len(PLANTED[chapter].get(name, ())) for name in CHECKERS[chapter]}
    assert all(count >= 2 for count in few.values()), f"add to tests/exercises/{chapter}.py: {few}"
    assert set(PLANTED[chapter]) == set(CHECKERS[chapter]), "planted for an exercise that does not exist"


@pytest.mark.parametrize(("chapter", "name", "place"), WRONG)
def test_a_planted_wrong_answer_is_rejected_and_its_cause_named(chapter, name, place):
    verdict = verdict_on(chapter, name, place)
    assert not verdict.passed, "the checker accepts this wrong answer"
    assert PLANTED[chapter][name][place][1] in " ".join(verdict.message.split())
    assert "the check stopped with" not in verdict.message, "the checker itself broke on this answer"


@pytest.mark.parametrize(("chapter", "name"), EACH)
@pytest.mark.parametrize("stub", [..., None, lambda *parts: None, (..., ...)], ids=["...", "None", "function", "tuple"])
def test_an_empty_answer_is_rejected_as_not_filled_in(chapter, name, stub):
    verdict = CHECKERS[chapter][name].evaluate(stub)
    assert not verdict.passed and "not filled in yet" in verdict.message


@pytest.mark.parametrize(("chapter", "name"), EACH)
@pytest.mark.parametrize("odd", [0, "", "odd", 1e9, [], {}, object(), len, lambda *parts: 0, lambda *parts: "odd"],
                         ids=lambda value: type(value).__name__)
def test_no_odd_answer_passes_or_ends_in_a_traceback(chapter, name, odd):
    assert not CHECKERS[chapter][name].evaluate(odd).passed


def predictions():
    """The exercises whose solution is a value; one of a single letter, digit or so cannot be told from other text."""
    for chapter, path in CHAPTERS.items():
        for name, one in structure.read(path.read_text(encoding="utf-8"), chapter).items():
            value = structure.literal(one)
            if value is not None and len(repr(value)) >= 3:
                yield chapter, name, repr(value)


@pytest.mark.parametrize(("chapter", "name", "value"), list(predictions()))
def test_hints_and_messages_do_not_hold_the_answer_to_a_prediction(chapter, name, value):
    checker = CHECKERS[chapter][name]
    messages = [verdict_on(chapter, name, place).message for place in range(len(PLANTED[chapter][name]))]
    assert not [text for text in (*checker.hints, *messages) if value in text]
