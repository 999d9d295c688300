"""The contract for exercises, on a miniature chapter and on chapters with one thing broken."""

from types import SimpleNamespace

import pytest

from tests.exercises import structure
from tests.exercises.miniature import CHAPTER

CHECKERS = {name: SimpleNamespace(hints=("a", "b")) for name in ("shape", "double", "try_it")}


def test_the_miniature_chapter_is_whole():
    assert structure.problems(CHAPTER, "mini_topic", CHECKERS) == []


@pytest.mark.parametrize(("old", "new", "words"), [
    (":label: ex-mini-topic-double", ":label: ex-double", "no checker 'ex-double'"),
    (":tags: [stub]\ndef double", "def double", "found 0 cells tagged stub"),
    (":tags: [solution]\ndef double", "def double", "with 0 solution cells"),
    ("{solution-start} ex-mini-topic-double", "{solution-start} ex-mini-topic-doubl", "found 0 solution gates"),
    ("check.mini_topic.double(double)", "pass", "found 0 calls"),
    ("check.mini_topic.double(double)", "check.mini_topic.double(double, hint=1)", "asks for a hint"),
    ("check.mini_topic.double(double)", "check.mini_topic.double(print)", "the stub defines ['double']"),
    (":class: predict", ":class: implement", "no exercise of class predict"),
    (":tags: [solution]\ndef double", ":tags: [solution]\ndef twice", "the solution defines ['twice']"),
    ("```{exercise} Twice\n:label: ex-mini-topic-double\n:class: implement\nWrite it.\n```",
     "````{note}\n```{exercise} Twice\n:label: ex-mini-topic-double\nWrite it.\n```\n````", "inside another directive"),
])
def test_a_broken_exercise_is_noticed(old, new, words):
    assert CHAPTER.count(old) == 1
    found = structure.problems(CHAPTER.replace(old, new), "mini_topic", CHECKERS)
    assert any(words in problem for problem in found), found


def test_a_checker_without_exercise_and_an_exercise_without_enough_hints_are_noticed():
    more = {**CHECKERS, "extra": SimpleNamespace(hints=("a", "b")), "double": SimpleNamespace(hints=("a",))}
    assert structure.problems(CHAPTER, "mini_topic", more) == [
        "checker extra has no exercise", "ex-mini-topic-double: hints are graded: at least two"]


def test_literal_solutions_are_read():
    found = structure.read(CHAPTER, "mini_topic")
    assert structure.literal(found["shape"]) == (4, 3)
    assert structure.literal(found["double"]) is None
