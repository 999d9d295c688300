"""Axes in another order: what arrives, what comes back."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from course_utils.drawings.deploying import fortran_views, received, returned
from course_utils.sensors import LANDSAT8


def image(rows=3, columns=5, bands=7):
    return np.random.default_rng(0).random((bands, rows, columns), dtype=np.float32)


def test_memory_read_by_hand_gives_the_same():
    """Fortran's rule, written as loops: the first index runs fastest."""
    original = image(2, 3, 4)
    for declared in ("WHC", "HWC", "CHW"):
        sizes = {axis: size for axis, size in zip("CHW", original.shape, strict=True)}
        memory = []
        for third in range(sizes[declared[2]]):
            for second in range(sizes[declared[1]]):
                for first in range(sizes[declared[0]]):
                    place = dict(zip(declared, (first, second, third), strict=True))
                    memory.append(original[place["C"], place["H"], place["W"]])
        np.testing.assert_array_equal(received(original, declared).ravel(), memory)


def test_the_reversed_order_arrives_and_comes_back_as_it_was():
    np.testing.assert_array_equal(received(image(), "WHC"), image())
    np.testing.assert_array_equal(returned(image()[0], "WHC"), image()[0])


def test_a_square_image_arrives_turned_over_and_its_mask_comes_back_right():
    square = image(4, 4)
    np.testing.assert_array_equal(received(square, "HWC"), square.transpose(0, 2, 1))
    np.testing.assert_array_equal(returned(received(square, "HWC")[0], "HWC"), square[0])
    assert not np.array_equal(received(image(), "HWC")[:, :3, :3], image().transpose(0, 2, 1)[:, :3, :3])


def test_other_axes_are_refused():
    with pytest.raises(ValueError, match="found axes 'NHW'"):
        received(image(), "NHW")


def test_views_draw_what_arrives_and_give_back_the_masks():
    fig, axes = plt.subplots(2, 2)
    seen = image(4, 6)

    def cloud(got):                 # looks at the neighbour; a model of single pixels would not notice
        return np.roll(got[0], 1, axis=1) > 0.5

    masks = fortran_views(seen, cloud(seen), np.ones((4, 6), bool), LANDSAT8, cloud, {"WHC": "right", "HWC": "wrong"},
                          axes)
    np.testing.assert_array_equal(masks[0], cloud(seen))
    assert masks[1].shape == (4, 6) and not np.array_equal(masks[1], masks[0])
    assert [ax.get_title() for ax in axes[0]] == ["right", "wrong"] and all(ax.images for ax in axes.flat)
    plt.close(fig)
