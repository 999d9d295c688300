"""Checkers: what they accept, what they say, and what they never say."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from course_utils import checks
from course_utils.checks import core
from course_utils.checks.core import RejectedError, call, describe, exercise, require_filled


@exercise(hints=("Think of the mean.", "Sum, then divide by the count."))
def average(answer):
    """The mean of each row, also of a single one.

    Not shown to the learner.
    """
    for rows in (1, 3):
        got = call(answer, torch.arange(4.0 * rows).reshape(rows, 4))
        if tuple(got.shape) != (rows,):
            raise RejectedError(describe(got), f"shape ({rows},)", "the wrong axis")


def stub(image): ...


def documented_stub(image):
    """A stub with a docstring."""
    ...  # noqa: PIE790 - as a learner leaves it


def half_written(image):
    low = image.min()
    low + 1


class HollowMethod:
    def __len__(self):
        return 3

    def __getitem__(self, i): ...


class HollowClass: ...


# --- verdicts ---------------------------------------------------------------------------------------


def test_a_right_answer_passes_and_says_what_was_verified():
    verdict = average.evaluate(lambda image: image.mean(1))
    assert verdict == core.Verdict(True, "✓ test_checks_core.average\n  The mean of each row, also of a single one.")


def test_every_case_is_tried_not_only_the_first():
    # On one row the slip is invisible: `image.mean(1)` and `image.mean()[None]` agree.
    verdict = average.evaluate(lambda image: image.mean()[None])
    assert not verdict.passed
    assert "the wrong axis" in verdict.message and "shape (3,)" in verdict.message


@pytest.mark.parametrize("answer", [..., None, stub, documented_stub, half_written, lambda image: None,
                                    lambda image: ..., HollowMethod, HollowClass, (1, ...), {"a": None}, [[], None]])
def test_an_unfilled_stub_never_passes(answer):
    verdict = average.evaluate(answer)
    assert not verdict.passed
    assert "not filled in yet" in verdict.message


@pytest.mark.parametrize("answer", [0, False, "", (), {}, [], 0.0, lambda: 3, lambda: "text", int, torch.zeros(0),
                                    torch.float32, torch.nn.ReLU, HollowMethod()])
def test_small_or_constant_is_not_unfilled(answer):
    require_filled(answer)


def test_a_function_of_one_constant_is_not_a_stub():
    def constant(image):
        return 5

    def documented_constant(image):
        """Five."""
        return 5

    require_filled(constant)
    require_filled(documented_constant)


@pytest.mark.parametrize("answer", [3, "text", object(), torch.zeros(2), float("nan"), {1: 2}, type])
def test_no_answer_ends_in_a_traceback(answer):
    assert not average.evaluate(answer).passed


def test_an_error_of_the_check_itself_is_a_rejection_that_describes_the_answer():
    @exercise(hints=("A hint.",))
    def third(answer):
        """The third part."""
        answer[2].lower()

    message = third.evaluate((1, 2)).message
    assert "(1, 2)" in message and "IndexError" in message and "number of parts" in message


# --- printing and hints -----------------------------------------------------------------------------


def test_the_call_prints_and_returns_nothing(capsys):
    assert average(lambda image: image.mean(1)) is None
    assert capsys.readouterr().out.startswith("✓ test_checks_core.average\n")


def test_hints_come_one_by_one_and_only_when_asked(capsys):
    outs = []
    for hint in range(4):
        average(..., hint=hint)
        outs.append(capsys.readouterr().out)
    assert "Think" not in outs[0] and "add hint=1" in outs[0]
    assert "Think" in outs[1] and "Sum" not in outs[1] and "add hint=2" in outs[1]
    assert "Think" in outs[2] and "Sum" in outs[2] and "That was the last hint" in outs[2]
    assert "Sum" in outs[3] and "There are only 2 hints." in outs[3]


def test_no_hint_after_a_right_answer(capsys):
    average(lambda image: image.mean(1), hint=2)
    assert "Think" not in capsys.readouterr().out


@pytest.mark.parametrize("hint", [-1, 1.5, "1"])
def test_hint_must_be_a_whole_number(hint):
    with pytest.raises(ValueError, match=f"found hint={hint!r}, expected a whole number"):
        average(..., hint=hint)


def test_lines_are_short_enough_for_a_phone_to_wrap(capsys):
    average(lambda image: image.no_such_method(image))
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 76


@pytest.mark.parametrize("hints", ["one string", ()])
def test_hints_are_a_tuple_of_at_least_one(hints):
    with pytest.raises(TypeError, match="expected a tuple"):
        exercise(hints=hints)


def test_a_checker_needs_a_docstring():
    def nameless(answer):
        pass

    with pytest.raises(TypeError, match="nameless has no docstring"):
        exercise(hints=("A hint.",))(nameless)


def test_a_checker_that_is_not_called_says_how():
    assert "check.test_checks_core.average(answer), 2 hints" in repr(average)


# --- running a learner's function -------------------------------------------------------------------


@pytest.mark.parametrize(("function", "words"), [
    (lambda image: 1 / 0, "ask whether the divisor can be 0"),
    (lambda image: undefined_name, "not defined inside"),                               # noqa: F821
    (lambda a, b: a, "the arguments are not those of the stub"),
    (lambda image: image + torch.zeros(7), "aligned on the right"),
    (lambda image: image.numpy() + np.zeros(7), "aligned on the right"),
    (lambda image: image[:, 9], "an index too far"),
    (lambda image: image.numpy().permute(1, 0), "a torch method called on a numpy array"),
    (lambda image: image.astype("float32"), "a numpy method called on a torch tensor"),
    (torch.zeros(2), "without parentheses"),
])
def test_an_exception_is_reported_with_input_and_likely_cause(function, words):
    with pytest.raises(RejectedError) as rejected:
        call(function, torch.zeros(3, 4))
    assert words in f"{rejected.value.found} {rejected.value.cause}"
    if rejected.value.found.startswith("your code"):
        assert "a float32 tensor of shape (3, 4)" in rejected.value.found


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_stopping_the_kernel_is_not_swallowed(exception):
    def stops(image):
        raise exception

    with pytest.raises(exception):
        average.evaluate(stops)


@pytest.mark.parametrize("given", [torch.ones(3), np.ones(3)])
def test_a_changed_input_is_noticed_even_through_a_view(given):
    def change(image):
        image[1:][0] = 7
        return image.sum()

    with pytest.raises(RejectedError, match="changed its input"):
        call(change, given)
    assert call(change, given, in_place=True) == 9


def test_nan_inputs_that_stay_are_unchanged():
    assert call(lambda image: 1, torch.tensor([float("nan")])) == 1


@pytest.mark.parametrize(("value", "words"), [
    (torch.zeros(2, 3, dtype=torch.uint8), "a uint8 tensor of shape (2, 3)"),
    (torch.tensor(2.5), "a float32 tensor of shape () with value 2.5"),
    (np.zeros(2), "a float64 numpy array of shape (2,)"),
    ("b", "'b'"), (int, "the class int"), (stub, "the function stub"),
    (list(range(99)), "a list, [0, 1, 2"), (torch.nn.Linear(2, 3), "Linear(in_features=2"),
    (torch.nn.Sequential(*[torch.nn.Flatten()] * 9), "a Sequential, Sequential( (0): Flatten("),
])
def test_describe(value, words):
    assert describe(value).startswith(words)


# --- finding the chapters ---------------------------------------------------------------------------


def test_an_unknown_chapter_lists_the_known_ones(monkeypatch):
    monkeypatch.setattr(checks, "chapters", lambda: ("cloud_masking", "tensors"))
    with pytest.raises(AttributeError, match="found 'tensor', expected one of the chapters: cloud_masking, tensors"):
        _ = checks.tensor


def test_the_machinery_is_not_a_chapter():
    assert not {"answers", "core", "expect"} & set(checks.chapters())
    assert set(checks.chapters()) <= set(dir(checks))


def test_importing_checks_does_not_import_torch():
    code = "import sys; from course_utils import checks; checks.chapters(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the example that chapter writers copy ----------------------------------------------------------


def test_the_example_in_the_docstring_does_what_it_says():
    _, checker, wrong = core.__doc__.split("::\n")
    checker, wrong = textwrap.dedent(checker.split("    In the chapter:")[0]), textwrap.dedent(wrong)
    space = {"__name__": "course_utils.checks.tensors"}
    exec(checker, space)
    exec(wrong, space)

    def solution(image):
        total = image[0] + image[2]
        return torch.where(total > 0, (image[2] - image[0]) / total, 0.0)

    assert space["cloud_index"].evaluate(solution).passed
    for answer, words in space["WRONG"]["cloud_index"]:
        assert words in space["cloud_index"].evaluate(answer).message
    swapped = space["cloud_index"].evaluate(lambda image: -solution(image)).message
    assert "red and blue are swapped" in swapped
