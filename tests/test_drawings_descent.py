"""The map of a loss is lowest where the loss is, and its walkers take the steps of their paths."""

import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from course_utils.animations import player
from course_utils.drawings.descent import GRID, bowl, trace, walk

LOWEST = torch.tensor([0.5, -0.25])


def loss(point):
    return ((point - LOWEST) ** 2 * torch.tensor([1.0, 9.0])).sum(dim=-1)


@pytest.fixture
def axes():
    """Two axes without a screen, closed afterwards."""
    plt.switch_backend("Agg")
    yield plt.subplots(1, 2)[1]
    plt.close("all")


def test_the_cross_stands_at_the_lowest_point_and_the_map_is_darkest_there(axes):
    ax = bowl(loss, (-1, 1), (-1, 1), axes[0], "a bowl", names=("a", "b"))
    assert torch.tensor(ax.lines[0].get_xydata()[0]).float().allclose(LOWEST, atol=0.02)
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("a bowl", "a", "b")
    (rings,) = ax.collections
    brightness = [sum(to_rgb(colour)) for colour in rings.get_facecolor()]
    assert brightness == sorted(brightness) and brightness[0] < brightness[-1]
    assert rings.levels[0] == 0 and rings.levels[-1] == pytest.approx(loss(torch.tensor([-1.0, 1.0])).item(), rel=1e-3)


def test_a_trace_ends_at_the_large_dot(axes):
    path = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    line, end = trace(axes[0], path)
    assert line.get_xydata().tolist() == path.tolist() and end.get_xydata().tolist() == [[3.0, 1.0]]


def test_a_walk_takes_a_step_a_frame_and_a_short_path_waits(axes):
    long, short = torch.arange(10.0).view(5, 2), torch.arange(4.0).view(2, 2)
    seen = []
    ends = []

    def watch(step):
        seen.append(step)
        ends.append([ax.lines[1].get_xydata()[0].tolist() for ax in axes])

    player(walk(list(axes), [long, short], also=watch), alt="two walkers", dpi=30)
    assert sorted(set(seen)) == [0, 1, 2, 3, 4] and seen[-1] == 4
    assert ends[-1] == [[8.0, 9.0], [2.0, 3.0]] and ends[seen.index(1)] == [[2.0, 3.0], [2.0, 3.0]]
    assert axes[0].lines[0].get_xydata().tolist() == long.tolist()
    assert axes[0].figure.get_suptitle() == "step 4"


def test_a_walk_wants_axes_for_every_path(axes):
    with pytest.raises(ValueError, match="found 2 axes and 1 paths"):
        walk(list(axes), [torch.zeros(2, 2)])


def test_a_map_asks_for_the_losses_of_a_row_at_a_time():
    asked = []

    def loss(points):
        asked.append(tuple(points.shape))
        return (points**2).sum(-1)

    bowl(loss, (-1, 1), (-1, 1), plt.figure().gca())
    assert set(asked) == {(GRID, 2)}
