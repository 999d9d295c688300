"""Windows stand where the kernel reads, cones mark what a cell has seen, curves are convolutions."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from torch import nn

from course_utils.colours import FALSE_POSITIVE
from course_utils.drawings.convolution import channels, cone, slide, sweep


@pytest.fixture
def axes():
    """Four axes without a screen, closed afterwards."""
    plt.switch_backend("Agg")
    yield plt.subplots(2, 2)[1].flat
    plt.close("all")


def frames_of(moving):
    """The frames of an animation, each to be drawn by hand; it need not be saved."""
    moving._draw_was_started = True
    return list(moving.new_frame_seq())


def windows(axes):
    """The outlines that are shown, as (left, top, width, height) of whole pixels; None where there is none."""
    found = []
    for ax in axes:
        (one,) = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
        box = (one.get_x() + 0.5, one.get_y() + 0.5, one.get_width(), one.get_height())
        found.append(tuple(int(side) for side in box) if one.get_visible() else None)
    return found


def marked(ax):
    """Where the marked cells stand: a list of positions for each row, from below."""
    rows = {}
    for patch in ax.patches:
        if to_hex(patch.get_facecolor()) == FALSE_POSITIVE.lower():
            rows.setdefault(round(patch.get_y(), 3), []).append(round(patch.get_x() + 0.4, 3))
    return [sorted(rows[height]) for height in sorted(rows)]


def test_a_window_slides_and_the_numbers_below_it_become_one(axes):
    image = torch.arange(30.0).view(5, 6)
    kernel = torch.tensor([[0.0, 1], [2, 0]])
    two = list(axes)[:2]
    moving = slide(image, [kernel], two)
    frames = frames_of(moving)
    assert len(frames) == 4 * 5 + 2
    moving._func(frames[7])                                    # row 1, column 2 of the result
    assert windows(two) == [(2, 1, 2, 2), (2, 1, 1, 1)]
    result = np.asarray(two[1].images[0].get_array().filled(np.nan))
    assert result[1, 2] == image[1, 3] + 2 * image[2, 2]
    assert np.isnan(result[1, 3]) and not np.isnan(result[0]).any()
    moving._func(frames[-1])
    assert not np.isnan(np.asarray(two[1].images[0].get_array())).any()


def test_at_the_end_stands_the_receptive_field_of_the_middle(axes):
    four = list(axes)
    moving = slide(torch.rand(9, 9), [torch.ones(3, 3)] * 3, four)
    frames = frames_of(moving)
    moving._func(frames[-4])
    assert windows(four) == [None, None, None, (1, 1, 1, 1)]
    moving._func(frames[-1])
    assert windows(four) == [(1, 1, 7, 7), (1, 1, 5, 5), (1, 1, 3, 3), (1, 1, 1, 1)]


def test_a_slide_wants_axes_for_every_layer(axes):
    with pytest.raises(ValueError, match="found 4 axes for 1 kernels"):
        slide(torch.eye(4), [torch.ones(2, 2)], axes)


def test_the_swept_curve_is_the_convolution_and_grows_with_the_slide(axes):
    def box(t):
        return np.where((t >= 0) & (t < 1), 1.0, 0.0)

    above, below, *_ = axes
    moving = sweep(box, box, (-1, 3), (above, below), frames=9)
    frames = frames_of(moving)
    curve = below.lines[0]
    moving._func(frames[-1])
    x, y = curve.get_data()
    assert np.allclose(y, np.maximum(0, 1 - np.abs(x - 1)), atol=0.02)         # box with box is a tent
    moving._func(frames[4])
    assert curve.get_xdata()[-1] == pytest.approx(1.0) and below.lines[1].get_ydata()[0] == pytest.approx(1, abs=0.02)
    turned = above.lines[1].get_data()
    assert turned[0][turned[1] > 0].min() == pytest.approx(0, abs=0.01)        # at t = 1 the two boxes coincide


STACKS = [
    ([{"kernel": 3}] * 3, 17),
    ([{"kernel": 3, "stride": 2}] * 3, 17),
    ([{"kernel": 3, "dilation": d} for d in (1, 2, 4)], 17),
    ([{"kernel": 2, "stride": 2}, {"kernel": 3, "dilation": 2}], 14),
]


@pytest.mark.parametrize(("layers", "size"), STACKS)
def test_a_cone_marks_the_cells_whose_gradient_is_not_zero(axes, layers, size):
    ax = cone(next(iter(axes)), size, layers, "a stack")
    stack = nn.Sequential(*[nn.Conv1d(1, 1, layer["kernel"], layer.get("stride", 1), 0, layer.get("dilation", 1))
                            for layer in layers])
    for layer in stack:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, size, requires_grad=True)
    out = stack(x)
    out[0, 0, out.shape[2] // 2].backward()
    assert marked(ax)[0] == x.grad[0, 0].nonzero().flatten().tolist()
    assert [len(row) for row in marked(ax)][-1] == 1 and ax.get_title() == "a stack"


def test_padding_is_dotted(axes):
    ax = cone(next(iter(axes)), 9, [{"kernel": 3, "padding": 1}], at=0)
    (dotted,) = [patch for patch in ax.patches if patch.get_linestyle() == ":"]
    assert dotted.get_x() == pytest.approx(-1.4) and marked(ax) == [[0, 1], [0]]


def test_a_kernel_that_does_not_fit_is_refused(axes):
    with pytest.raises(ValueError, match="above a row of 3 cells"):
        cone(next(iter(axes)), 3, [{"kernel": 5}])


def test_one_number_reads_a_window_of_every_channel(axes):
    ax = channels(next(iter(axes)), 4, 3, kernel=3, size=8)
    bright = [patch for patch in ax.patches if to_hex(patch.get_facecolor()) == FALSE_POSITIVE.lower()]
    assert sorted(round(patch.get_width() * 8) for patch in bright) == [1, 3, 3, 3, 3]
    assert len(ax.lines) == 4
    assert [text.get_text() for text in ax.texts] == ["4 channels in", "3 channels out"]
