"""The timeline shows what was recorded: lanes, numbers, and the time a batch takes."""

import matplotlib
import pytest

matplotlib.use("Agg")

from course_utils.drawings.feeding import timeline
from course_utils.measure.feeding import Event


def in_turn(count, load=0.03, step=0.01):
    for number in range(count):
        start = number * (load + step)
        yield Event("load", number, start, start + load)
        yield Event("step", number, start + load, start + load + step)


def test_a_bar_too_narrow_for_its_number_has_none(ax):
    timeline(list(in_turn(12, load=0.1, step=0.001)), ax, batches=3, skip=8)
    assert [text.get_text() for text in ax.texts] == ["9", "10", "11"]


def bars(ax):
    return [(bar.get_x(), bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in ax.patches]


def test_each_batch_has_a_bar_in_each_lane(ax):
    assert timeline(list(in_turn(6)), ax, batches=3, skip=2) == pytest.approx(40)
    starts, widths, lanes = zip(*bars(ax), strict=True)
    assert starts == pytest.approx([0, 30, 40, 70, 80, 110])
    assert widths == pytest.approx([30, 10] * 3)
    assert lanes == pytest.approx([0, 1] * 3)
    assert [text.get_text() for text in ax.texts] == ["3", "3", "4", "4", "5", "5"]


def test_what_is_read_ahead_is_drawn_as_far_as_it_falls_into_the_window(ax):
    events = [Event("step", n, 0.01 * n, 0.01 * (n + 1)) for n in range(4)]
    events += [Event("load", 9, 0.015, 0.025), Event("load", 10, 0.035, 0.5), Event("load", 0, -1, 0.001)]
    assert timeline(events, ax, batches=2, skip=2) == pytest.approx(10)
    loads = [(start, width) for start, width, lane in bars(ax) if lane == pytest.approx(0)]
    assert loads == [pytest.approx((0, 5)), pytest.approx((15, 5))]


def test_lanes_are_named_and_the_axis_has_a_unit(ax):
    timeline(list(in_turn(4)), ax, batches=2, skip=1)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["loader", "model"]
    assert ax.get_xlabel() == "milliseconds"
    low, high = ax.get_ylim()
    assert low > high                                           # the loader above


@pytest.mark.parametrize(("batches", "skip"), [(5, 2), (2, 0)])
def test_too_few_batches_are_refused(ax, batches, skip):
    with pytest.raises(ValueError, match="record more of them"):
        timeline(list(in_turn(6)), ax, batches, skip)
