"""The field that grows is the one that gradients find, and its neighbour lies a jump further on."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

from course_utils.drawings.receptive_field import REST, STEPS, grow, layout

STACKS = {
    "plain": [{"kernel": 3}] * 3,
    "stride 2": [{"kernel": 3, "stride": 2}] * 3,
    "dilation 1, 2, 4": [{"kernel": 3, "dilation": d} for d in (1, 2, 4)],
    "mixed": [{"kernel": 5, "stride": 2}, {"kernel": 3}, {"kernel": 3, "dilation": 2}],
}
SIZE = 40


@pytest.fixture
def axes():
    """One axes for each stack, closed afterwards."""
    plt.switch_backend("Agg")
    yield plt.subplots(1, len(STACKS))[1]
    plt.close("all")


def seen(layers, output):
    """The pixels that an output of a real network depends on, (N, 2)."""
    stack = nn.Sequential(*[nn.Conv2d(1, 1, layer["kernel"], layer.get("stride", 1), 0, layer.get("dilation", 1))
                            for layer in layers])
    for layer in stack:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, SIZE, SIZE, requires_grad=True)
    stack(x)[0, 0, 0, output].backward()
    return x.grad[0, 0].nonzero().numpy()


def drawn(moving):
    """The frames of an animation, to be shown one by one."""
    moving._draw_was_started = True
    return list(moving.new_frame_seq())


def from_corner(points):
    """Points counted from the upper left of them, in a fixed order."""
    points = np.asarray(points).round(6)
    return sorted(map(tuple, (points - points.min(axis=0)).astype(int)))


def test_the_cells_of_the_image_are_the_pixels_that_a_network_sees(axes):
    moving = grow(np.zeros((SIZE, SIZE)), STACKS, axes)
    frames = drawn(moving)
    assert len(frames) == 5 * REST + 4 * (STEPS - 1)
    moving._func(next(frame for frame in frames if frame == (0, 1.0)))
    for ax, layers in zip(axes, STACKS.values(), strict=True):
        wanted = seen(layers, 0)
        assert set(from_corner(ax.lines[0].get_xydata())) == set(from_corner(wanted[:, ::-1]))
        field, neighbour = ax.patches
        side = np.ptp(wanted[:, 0]) + 1
        assert (field.get_width(), field.get_height()) == (side, side)
        assert field.get_visible() and not neighbour.get_visible()
        corner = ax.lines[0].get_xydata().min(axis=0) - 0.5
        assert field.get_xy() == pytest.approx(tuple(corner))
        assert ax.get_xlabel().startswith(f"sees {side}×{side}, ")


def test_the_neighbour_sees_as_much_a_jump_further(axes):
    moving = grow(np.zeros((SIZE, SIZE)), STACKS, axes)
    moving._func(drawn(moving)[-1])
    for ax, layers in zip(axes, STACKS.values(), strict=True):
        jump = seen(layers, 1)[:, 1].min() - seen(layers, 0)[:, 1].min()
        field, neighbour = ax.patches
        assert neighbour.get_visible() and neighbour.get_width() == field.get_width()
        assert neighbour.get_x() - field.get_x() == jump == layout(layers)[1]
        assert ax.get_xlabel().endswith(f"jumps {jump}")


def test_it_begins_with_a_single_cell_and_counts_the_layers_down(axes):
    moving = grow(np.zeros((SIZE, SIZE)), STACKS, axes)
    frames = drawn(moving)
    moving._func(frames[0])
    assert {len(np.unique(ax.lines[0].get_xydata(), axis=0)) for ax in axes} == {1}
    assert axes[0].figure.get_suptitle() == "layer 3"
    moving._func((2, 1.0))
    assert {len(np.unique(ax.lines[0].get_xydata(), axis=0)) for ax in axes} == {9}


@pytest.mark.parametrize(("size", "stacks", "words"), [
    (SIZE, {"one": [{"kernel": 3}]}, "found 4 axes and 1 stacks"),
    (SIZE, {**STACKS, "mixed": [{"kernel": 3}]}, r"of \[1, 3\] layers"),
    (20, STACKS, "a field of 15 pixels and a jump of 8 on an image of 20 × 20"),
])
def test_what_does_not_fit_is_refused(axes, size, stacks, words):
    with pytest.raises(ValueError, match=words):
        grow(np.zeros((size, size)), stacks, axes)
