"""Axes in another order: what arrives, what comes back."""

import numpy as np
import pytest

from course_utils.deploy.axes import received, returned


def image(rows=3, columns=5, bands=7):
    return np.random.default_rng(0).random((bands, rows, columns), dtype=np.float32)


def test_memory_read_by_hand_gives_the_same():
    """Fortran's rule, written as loops: the first index runs fastest."""
    original = image(2, 3, 4)
    for declared in ("WHC", "HWC", "CHW"):
        sizes = dict(zip("CHW", original.shape, strict=True))
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


def test_a_model_of_single_pixels_does_not_notice_and_one_that_looks_around_does():
    seen = image(4, 6)
    for declared, same in (("WHC", True), ("HWC", False)):
        got = received(seen, declared)
        np.testing.assert_array_equal(returned(got[0] > 0.5, declared), seen[0] > 0.5)
        assert np.array_equal(returned(np.roll(got[0], 1, axis=1), declared), np.roll(seen[0], 1, axis=1)) == same
