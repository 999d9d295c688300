"""The leaderboard drawn: every entry at its place, with its error."""

import matplotlib.pyplot as plt
import pytest

from course_utils.colours import FALSE_POSITIVE
from course_utils.drawings.challenge import score_against_compute


def entry(name, seconds, score):
    return {"name": name, "cpu_seconds": seconds, "score": score, "error": 0.02}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_every_entry_stands_at_its_seconds_and_score():
    board = [entry("a", 200.0, 0.8), entry("b", 0.0, 0.6)]
    ax = score_against_compute(board, mine="a")
    assert {text.get_text().strip() for text in ax.texts} == {"1", "2", "1  a\n2  b", "budget"}
    (first, _, _), (second, _, _) = ax.containers
    assert (first.get_xdata()[0], first.get_ydata()[0], first.get_color()) == (200.0, 0.8, FALSE_POSITIVE)
    assert second.get_xdata()[0] == 0.1 and second.get_color() != FALSE_POSITIVE       # a logarithm has no zero
    (low, high), = (segment[:, 1] for segment in ax.containers[0][2][0].get_segments())
    assert (low, high) == pytest.approx((0.78, 0.82))


def test_it_draws_where_it_is_told():
    ax = plt.subplots()[1]
    assert score_against_compute([], ax) is ax
