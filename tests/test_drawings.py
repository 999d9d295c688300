"""The drawings of tensors show the walk through memory that torch takes."""

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, Rectangle

from course_utils.drawings.broadcasting import broadcast_grids
from course_utils.drawings.memory import memory_walk, visited


def words(ax):
    return [text.get_text() for text in ax.texts]


def bright(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_alpha() == 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a,
        lambda a: a.permute(2, 0, 1),
        lambda a: a[1:, ::2],
        lambda a: a.permute(1, 2, 0)[..., 1],
        lambda a: a[:, :1].expand(2, 3, 4),
    ],
)
def test_visited_places_hold_the_numbers_of_the_tensor(make):
    memory = torch.arange(24) * 10
    view = make(memory.view(2, 3, 4))
    assert memory[visited(view)].tolist() == view.flatten().tolist()


def test_the_walk_draws_one_hop_fewer_than_numbers_and_names_each_length_once(ax):
    memory_walk(torch.arange(6).view(2, 3).T, ax)
    hops = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(hops) == 5
    assert words(ax) == ["0", "1", "2", "3", "4", "5", "+3", "−2", "0", "3", "1", "4", "2", "5"]


def test_the_walk_of_a_band_leaves_the_other_bands_faded(ax):
    image = torch.arange(18).view(2, 3, 3)
    hues = ["#ff0000", "#00ff00", "#0000ff"] * 6
    memory_walk(image.permute(2, 0, 1)[1], ax, [f"{band}{pixel}" for pixel in "abcdef" for band in "RGB"], hues)
    assert {to_hex(cell.get_facecolor()) for cell in bright(ax)} == {"#00ff00"}
    assert len(bright(ax)) == 6 + 6  # in memory and in the tensor
    assert words(ax)[-6:] == ["Ga", "Gb", "Gc", "Gd", "Ge", "Gf"]


def test_the_walk_refuses_what_does_not_fit(ax):
    with pytest.raises(ValueError, match=r"found shape \(2, 2, 2\) with 8 numbers.*one or two dimensions"):
        memory_walk(torch.zeros(2, 2, 2), ax)
    with pytest.raises(ValueError, match="with 100 numbers"):
        memory_walk(torch.zeros(100)[:3], ax)
    with pytest.raises(ValueError, match="found 2 labels and 3 colours; expected 3 of each"):
        memory_walk(torch.zeros(3), ax, labels=["a", "b"])


def test_broadcasting_draws_real_numbers_bright_and_copies_faded(ax):
    first, second = torch.tensor([[1], [2]]), torch.tensor([10, 20, 30])
    broadcast_grids(first, second, first + second, ax)
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(cells) == 3 * 6 and len(bright(ax)) == 2 + 3 + 6
    assert [word for word in words(ax) if "(" in word] == ["(2, 1)", "(3,)", "(2, 3)"]
    assert words(ax)[-8:-2] == ["11", "21", "31", "12", "22", "32"]


def test_broadcasting_refuses_another_result_and_lets_torch_refuse_shapes(ax):
    with pytest.raises(ValueError, match=r"a result of \(3,\)"):
        broadcast_grids(torch.zeros(3, 1), torch.zeros(3), torch.zeros(3), ax)
    with pytest.raises(RuntimeError):
        broadcast_grids(torch.zeros(2), torch.zeros(3), torch.zeros(3), ax)
