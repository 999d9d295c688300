"""Regions of a folded plane: counted as geometry counts them, never fewer than a grid finds."""

import pytest
import torch
from torch import nn

from course_utils.drawings.folds import count_regions, fold_plane, patterns, show_folds


def lines(*rows):
    """A layer whose units are the lines a·x + b·y + c = 0."""
    layer = nn.Linear(2, len(rows))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([row[:2] for row in rows]))
        layer.bias.copy_(torch.tensor([row[2] for row in rows]))
    return layer


def random_lines(units, seed):
    torch.manual_seed(seed)
    return nn.Linear(2, units)


@pytest.mark.parametrize("units", [1, 2, 3, 7, 16])
@pytest.mark.parametrize("seed", [0, 1])
def test_random_lines_make_as_many_regions_as_lines_can(units, seed):
    assert count_regions(random_lines(units, seed)) == 1 + units + units * (units - 1) // 2


@pytest.mark.parametrize(("layer", "regions"), [
    (lines((1.0, 0.0, 0.0), (1.0, 0.0, -1.0), (1.0, 0.0, -2.0)), 4),                  # parallel
    (lines((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.0)), 6),                    # all through one point
    (lines((1.0, 0.0, 0.0), (1.0, 0.0, -1.0), (0.0, 1.0, 0.0)), 6),                   # two parallel, one across
    (lines((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)), 2),                                     # a unit that never folds
    (lines((0.0, 0.0, 1.0)), 1),
])
def test_special_positions(layer, regions):
    assert count_regions(layer) == regions


def test_inside_a_box_only_what_is_there_counts():
    layer = lines((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    boxes = {(-1, 1, -1, 1): 4, (1, 2, -1, 1): 2, (-1, 1, 1, 2): 2, (1, 2, 1, 2): 1, (-3, -2, -3, -2): 1}
    assert {box: count_regions(layer, box) for box in boxes} == boxes


@pytest.mark.parametrize("seed", range(4))
def test_a_fine_grid_finds_the_same_regions_unless_they_are_tiny(seed):
    layer, box = random_lines(6, seed), (-1, 1, -1, 1)
    grid = torch.cartesian_prod(torch.linspace(-1, 1, 700), torch.linspace(-1, 1, 700))
    found = len(patterns(layer, grid).unique(dim=0))
    assert count_regions(layer, box) - 1 <= found <= count_regions(layer, box) <= count_regions(layer)


def test_only_planes_are_counted():
    with pytest.raises(ValueError, match="found a layer with 3 inputs, expected 2"):
        count_regions(nn.Linear(3, 2))


def points_of_two_classes():
    points = torch.rand(400, 2, generator=torch.Generator().manual_seed(0))
    return points, (points[:, 1] < 2 * points[:, 0]) & (points[:, 1] > 0.3)             # a wedge


def test_folds_part_a_wedge_and_a_flat_sheet_does_not():
    points, inside = points_of_two_classes()
    right = {}
    for units in (0, 4):
        model = fold_plane(points, inside, units, starts=range(2))
        right[units] = ((model(points).squeeze(1) > 0) == inside).float().mean().item()
    assert right[0] < 0.9 < 0.97 < right[4]


def test_training_draws_nothing_from_the_global_generator():
    points, inside = points_of_two_classes()
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    first = fold_plane(points, inside, 2, starts=[1], steps=3)
    assert torch.equal(torch.rand(2), wanted)
    again = fold_plane(points, inside, 2, starts=[1], steps=3)
    assert torch.equal(first[0].weight, again[0].weight)


def test_the_sheet_shows_both_sides_and_one_line_for_each_fold(ax):
    model = nn.Sequential(lines((1.0, 0.0, -0.5), (0.0, 1.0, -0.5)), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[1.0, 1.0]]))
        model[2].bias.fill_(-0.25)
    show_folds(model, ax, (0, 1, 0, 1), size=50)
    sheet = ax.images[0].get_array()
    cloud, clear = sheet[45, 45], sheet[5, 5]                               # far beyond both folds, and before them
    assert cloud[2] > cloud[0] and clear[0] > clear[2]                      # blue against orange
    assert len(ax.collections) == 3                                         # two folds and the border
    assert ax.images[0].get_extent() == [0, 1, 0, 1]


def test_a_flat_sheet_is_drawn_without_folds(ax):
    show_folds(nn.Sequential(lines((1.0, 0.0, -0.5))), ax, (0, 1, 0, 1), size=20)
    assert len(ax.collections) == 1
