"""Expectations: they accept what is right, reject what is wrong, and never show the wanted value."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.checks import expect
from course_utils.checks.core import RejectedError


def said(expectation, *args, **options) -> str:
    """Return the whole message of a rejection; empty if nothing was rejected."""
    try:
        expectation(*args, **options)
    except RejectedError as rejected:
        return f"{rejected.found} | {rejected.expected} | {rejected.cause}"
    return ""


WANT = torch.tensor([[0.25, 0.5], [0.75, 0.123456]])


@pytest.mark.parametrize("got", [WANT, WANT.numpy(), WANT.double(), WANT.tolist(), WANT + 1e-8, list(WANT),
                                 WANT.clone().requires_grad_()])
def test_close_accepts_any_container_within_the_tolerance(got):
    assert said(expect.expect_close, got, WANT) == ""


def test_close_needs_every_element():
    for place in np.ndindex(2, 2):
        got = WANT.clone()
        got[place] += 0.01
        message = said(expect.expect_close, got, WANT)
        assert f"1 of 4 values differ; the first at {list(place)}, where yours is {got[place].item():.6g}" in message
        assert "too high" in message


@pytest.mark.parametrize("got", [WANT[0], WANT.T[:, :1], WANT[None], 0.25, WANT.flatten()])
def test_close_does_not_broadcast(got):
    assert "shape (2, 2): four shares" in said(expect.expect_close, got, WANT, expected="four shares")


@pytest.mark.parametrize("got", ["text", [[1, 2], [3]], object(), {1: 2}, 1 + 2j, [torch.zeros(2), torch.zeros(3)]])
def test_close_rejects_what_is_no_number(got):
    assert said(expect.expect_close, got, WANT)


def test_close_names_the_slip_that_leads_to_the_answer():
    slips = [(1 - WANT, "clear and cloud are swapped"), (WANT.sum(), "the sum over all axes")]
    assert said(expect.expect_close, 1 - WANT, WANT, cause="c", slips=slips).endswith("| clear and cloud are swapped")
    assert said(expect.expect_close, WANT.sum(), WANT, cause="c", slips=slips).endswith("| the sum over all axes")
    assert said(expect.expect_close, WANT * 3, WANT, cause="c", slips=slips).endswith("| c")


def test_parts_are_given_and_counted():
    assert expect.expect_parts([1, "b"], 2) == (1, "b")
    assert said(expect.expect_parts, (1, 2, 3), 2) == "a tuple of length 3 | 2 answers in order, as in the stub | "
    assert said(expect.expect_parts, 7, 2, "two rows", cause="c") == "7, of type int | two rows | c"


def test_close_calls_nan_what_it_is():
    message = said(expect.expect_close, WANT / torch.tensor([0.0, 1.0]) * 0, WANT, cause="c")
    assert "yours is nan" in message and message.endswith("a division by zero")


def test_close_on_truth_values_shows_them_as_such():
    assert "yours is True" in said(expect.expect_close, torch.tensor([True]), torch.tensor([False]))


@settings(max_examples=50)
@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), st.sampled_from([-0.3, 0.001, 0.5]))
def test_a_number_is_too_high_or_too_low_and_the_wanted_one_is_not_shown(want, error):
    got = want + abs(want) * error
    direction = "too high" if error > 0 else "too low"
    assert said(expect.expect_close, got, want, expected="a share") == f"{got:.6g}, which is {direction} | a share | "


@pytest.mark.parametrize(("got", "want"), [
    (12, 12), (torch.Size([3, 4]), (3, 4)), ([3, 4], (3, 4)), (torch.tensor(12), 12), (np.int64(12), 12),
    (np.array([1, 2]), (1, 2)), (True, True), (torch.tensor(True), True), ("b", "b"), (12.0, 12),
    (((1, 2), 3), [[1, 2], 3]),
])
def test_equal_accepts_the_same_value_in_any_container(got, want):
    assert said(expect.expect_equal, got, want) == ""


@pytest.mark.parametrize(("got", "want", "words"), [
    (13, 12, "13, which is too high"), (11, 12, "11, which is too low"), ("12", 12, "'12'"),
    ((3, 5), (3, 4), "part 2 is not right"), ((3,), (3, 4), "2 values in order"), (3, (3, 4), "2 values in order"),
    (True, 1, "True"), (1, True, "1"), ((1,), (True,), "part 1"), ("c", "b", "'c'"), (object(), 3, "object"),
])
def test_equal_rejects(got, want, words):
    assert words in said(expect.expect_equal, got, want)


@pytest.mark.parametrize(("got", "want"), [(5, 987654), ("b", "987654"), ((1, 2), (1, 987654)), (5, (987654, 3))])
def test_equal_never_shows_the_wanted_value(got, want):
    message = said(expect.expect_equal, got, want, expected="a count", slips=[(want, "none")])
    assert message and "987654" not in message


def test_equal_names_the_slip():
    assert said(expect.expect_equal, (4, 3), (3, 4), slips=[((4, 3), "rows come first")]).endswith("rows come first")


@pytest.mark.parametrize("got", ["b", " B "])
def test_choice_accepts(got):
    assert said(expect.expect_choice, got, "b", {"a": "no copy is made"}) == ""


def test_choice_gives_the_cause_of_a_wrong_one_and_the_list_for_anything_else():
    assert said(expect.expect_choice, "A", "b", {"a": "no copy is made"}) == "'A' | another choice | no copy is made"
    for other in ("z", 1, ["a"], torch.zeros(2)):
        assert "one of 'a', 'b'" in said(expect.expect_choice, other, "b", {"a": "no copy is made"})


def test_shape_and_dtype():
    assert said(expect.expect_shape, WANT, (2, 2)) == ""
    assert said(expect.expect_shape, WANT, (4,), cause="flatten") == (
        "a float32 tensor of shape (2, 2) | shape (4,) | flatten")
    assert said(expect.expect_dtype, WANT, torch.float32) == ""
    assert said(expect.expect_dtype, WANT.numpy(), torch.float32) == ""
    assert said(expect.expect_dtype, WANT, np.float64, torch.float32) == ""
    assert "convert before or after" in said(expect.expect_dtype, WANT.double(), torch.float32)
    assert "dtype bool or uint8" in said(expect.expect_dtype, WANT, torch.bool, torch.uint8)
    assert "dtype float32" in said(expect.expect_dtype, 1.0, torch.float32)


def test_range():
    assert said(expect.expect_range, [0.0, 1.0], 0, 1) == said(expect.expect_range, torch.zeros(0), 0, 1) == ""
    assert "values from 0 to 1.5 | values from 0 to 1" in said(expect.expect_range, [0, 1.5], 0, 1)
    assert "a division by zero" in said(expect.expect_range, [0, float("inf")], 0, 1)
    assert "NaN" in said(expect.expect_range, [0, float("nan")], 0, 1)


def test_type_and_property():
    assert said(expect.expect_type, 3, int) == said(expect.expect_property, torch.tensor(True), "f", "e") == ""
    assert said(expect.expect_type, "3", (int, float)) == "'3', of type str | int or float | "
    assert said(expect.expect_property, np.bool_(False), "f", "e", cause="c") == "f | e | c"


def test_raises():
    def refuse(kind):
        raise kind("found 3")

    assert said(expect.expect_raises, refuse, ValueError, error=ValueError, words="found 3") == ""
    assert "'no' in its message" in said(expect.expect_raises, refuse, ValueError, error=ValueError, words="no")
    assert "KeyError" in said(expect.expect_raises, refuse, KeyError, error=ValueError)
    assert "no error when given 3" in said(expect.expect_raises, lambda x: x, 3, error=ValueError, cause="c")
