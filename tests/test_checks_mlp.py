"""What chapter 04 says of the wedge: no straight line does as well, and two folds do."""

import numpy as np

from course_utils.checks.mlp import _pixels_of_other_scenes
from course_utils.drawings.folds import fold_plane

ASKED = 0.77


def best_straight_line(points, cloud):
    """The highest share of pixels that any line gets right: every threshold along many directions is tried."""
    best = 0.0
    for angle in np.linspace(0, 2 * np.pi, 240, endpoint=False):
        order = np.argsort(points @ np.array([np.cos(angle), np.sin(angle)]))
        clouds_below = np.concatenate([[0], np.cumsum(cloud[order])])
        clear_below = np.arange(len(cloud) + 1) - clouds_below
        best = max(best, (clear_below + cloud.sum() - clouds_below).max() / len(cloud))
    return best


def test_the_search_finds_a_line_where_there_is_one():
    points = np.random.default_rng(0).random((300, 2))
    assert best_straight_line(points, points @ np.array([1.0, -2.0]) > 0.1) > 0.98


def test_no_straight_line_passes_and_two_folds_do():
    points, cloud = _pixels_of_other_scenes()
    assert best_straight_line(points.numpy(), cloud.numpy()) < 0.75
    model = fold_plane(points, cloud, units=2, starts=range(3), steps=200)
    assert ((model(points).squeeze(1) > 0) == cloud).float().mean() > ASKED
