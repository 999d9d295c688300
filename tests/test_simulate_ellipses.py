"""Ellipses: the same picture for the same number, and targets that the picture bears out."""

import math

import numpy as np
import pytest

from course_utils.simulate.ellipses import CONTRAST, MARGIN, RADII, SIZE, coverage, ellipse, ellipses


def test_a_number_always_gives_the_same_picture_and_others_give_others():
    once, again = ellipse(7), ellipse(7)
    np.testing.assert_array_equal(once[0], again[0])
    np.testing.assert_array_equal(once[1], again[1])
    assert not np.array_equal(once[1], ellipse(8)[1]) and not np.array_equal(once[1], ellipse(7, seed=1)[1])
    pictures, targets = ellipses([8, 7])
    np.testing.assert_array_equal(pictures[1], once[0])
    np.testing.assert_array_equal(targets[1], once[1])


def test_shapes_types_and_ranges():
    pictures, targets = ellipses(range(200))
    assert pictures.shape == (200, 3, SIZE, SIZE) and pictures.dtype == np.float32
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert targets.shape == (200, 4) and targets.dtype == np.float32
    centres, radii = targets[:, :2], targets[:, 2:]
    assert radii.min() >= RADII[0] and radii.max() <= RADII[1]
    assert (centres - radii).min() >= MARGIN - 0.5 - 1e-4 and (centres + radii).max() <= SIZE - 0.5 - MARGIN + 1e-4


@pytest.mark.parametrize("target", [(31.5, 31.5, 10, 5), (20.25, 40.6, 7.3, 17.9), (12, 30, 5, 5)])
def test_coverage_has_the_area_the_centre_and_the_half_axes_of_the_ellipse(target):
    share = coverage(*target)
    xc, yc, rx, ry = target
    assert share.sum() == pytest.approx(math.pi * rx * ry, rel=0.01)
    columns, rows = np.arange(SIZE), np.arange(SIZE)[:, None]
    assert (share * columns).sum() / share.sum() == pytest.approx(xc, abs=0.02)
    assert (share * rows).sum() / share.sum() == pytest.approx(yc, abs=0.02)
    spread = ((share * (columns - xc) ** 2).sum() / share.sum()) ** 0.5       # of a filled ellipse: half its half-axis
    assert 2 * spread == pytest.approx(rx, rel=0.02)


def test_the_target_is_where_the_colour_differs():
    """The colour at the far corner is the ground's; what differs from it has the centre that the target names."""
    for number in range(30):
        image, (xc, yc, _, _) = ellipse(number)
        ground = np.median(np.concatenate([image[:, :2].reshape(3, -1), image[:, -2:].reshape(3, -1)], axis=1), axis=1)
        figure = np.abs(image - ground[:, None, None]).max(axis=0) > 0.2
        assert np.nonzero(figure)[1].mean() == pytest.approx(xc, abs=1.5)
        assert np.nonzero(figure)[0].mean() == pytest.approx(yc, abs=1.5)


def test_figure_and_ground_can_be_told_apart():
    for number in range(50):
        image, (xc, yc, _, _) = ellipse(number)
        at = np.s_[:, round(float(yc)) - 1:round(float(yc)) + 2, round(float(xc)) - 1:round(float(xc)) + 2]
        difference = np.abs(image[at].mean(axis=(1, 2)) - np.median(image[:, [0, -1]], axis=(1, 2)))
        assert difference.max() > CONTRAST - 0.1


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="found index=-1"):
        ellipse(-1)
    with pytest.raises(TypeError):
        ellipse(0.5)
    with pytest.raises(ValueError, match="such as range"):
        ellipses([])
