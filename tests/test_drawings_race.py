"""Both sides of the race run on one clock: what is painted is what their measured speeds allow."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from course_utils.colours import CLEAR, CLOUD
from course_utils.drawings.race import FRAMES, places, race

SIZE = 64
ANSWER = np.where(np.hypot(*np.indices((SIZE, SIZE)) - 31.5) < 30, np.arange(SIZE) % 2, 255)


@pytest.fixture
def axes():
    """Three axes without a screen, closed afterwards."""
    plt.switch_backend("Agg")
    yield plt.subplots(1, 3)[1]
    plt.close("all")


def painted(ax):
    """Where a map shows an answer: (H, W) bool, and whether it is the right one."""
    pixels = np.asarray(ax.images[0].get_array())
    cloud, clear = (np.isclose(pixels, to_rgb(colour)).all(axis=-1) for colour in (CLOUD, CLEAR))
    assert (ANSWER[cloud] == 1).all() and (ANSWER[clear] == 0).all()
    return cloud | clear


def shown(moving, number):
    moving._draw_was_started = True
    moving._func(number)


@pytest.mark.parametrize("ratio", [50, 200])
def test_at_the_end_the_patches_have_as_many_pixels_as_their_speed_allows(axes, ratio):
    moving = race(axes, np.zeros((SIZE, SIZE, 3)), ANSWER, patch_seconds=3.0 * ratio, dense_seconds=3.0, strip=16)
    shown(moving, FRAMES)
    asked = (ANSWER != 255).sum()
    assert np.array_equal(painted(axes[2]), ANSWER != 255)
    done = painted(axes[1])
    assert done.sum() == int(asked / ratio)
    assert np.array_equal(np.argwhere(done), places(ANSWER)[: done.sum()])
    assert axes[1].get_xlabel() == f"{done.sum():,} pixels" and axes[0].get_xlabel() == "after 3.00 s"


def test_half_way_half_of_the_strips_are_done_and_the_window_stands_where_it_asks(axes):
    moving = race(axes, np.zeros((SIZE, SIZE, 3)), ANSWER, patch_seconds=60, dense_seconds=3, strip=16)
    shown(moving, FRAMES // 2)
    assert np.array_equal(painted(axes[2]), (ANSWER != 255) & (np.arange(SIZE) < 32)[:, None])
    done = painted(axes[1]).sum()
    window, band = axes[0].patches
    row, column = places(ANSWER)[done]
    assert window.get_xy() == (column - 16.5, row - 16.5) and band.get_y() == 32


def test_a_slow_dense_network_lets_the_patches_finish(axes):
    moving = race(axes, np.zeros((SIZE, SIZE, 3)), ANSWER, patch_seconds=1, dense_seconds=2)
    shown(moving, FRAMES)
    assert np.array_equal(painted(axes[1]), ANSWER != 255)


def test_every_pixel_with_an_answer_is_asked_once_from_the_middle_row_on():
    order = places(ANSWER)
    assert len({tuple(place) for place in order}) == len(order) == (ANSWER != 255).sum()
    assert order[0][0] == SIZE // 2 and order[-1][0] == SIZE // 2 - 1


@pytest.mark.parametrize(("size", "seconds", "words"), [
    (SIZE, 0, "found 0 s and 1 s, expected times above 0"),
    (SIZE - 1, 60, r"found a picture of \(63, 63\) and an answer of \(64, 64\)"),
])
def test_what_can_not_be_drawn_is_refused(axes, size, seconds, words):
    with pytest.raises(ValueError, match=words):
        race(axes, np.zeros((size, size, 3)), ANSWER, seconds, 1)
