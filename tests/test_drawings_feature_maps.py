"""Feature maps: those of the right layers, the ones that vary, drawn as they are."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from course_utils.drawings.feature_maps import liveliest, show_maps, steps


def test_the_outputs_of_one_kind_of_layer_are_kept_as_they_were():
    layers = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(3, 4, 1), nn.ReLU())
    image = torch.rand(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    first, second = steps(layers, image)
    torch.testing.assert_close(first, layers[0](image)[0].relu())
    torch.testing.assert_close(second, layers(image)[0])
    assert len(steps(layers, image, nn.Conv2d)) == 2 and not first.requires_grad


def test_the_channels_that_vary_are_chosen_whatever_their_level():
    ramp = torch.arange(12.0).reshape(3, 4)
    maps = torch.stack([ramp, torch.full((3, 4), 100.0), 3 * ramp, 0.1 * ramp])
    assert liveliest(maps, 2) == [0, 2] and liveliest(maps, 4) == [0, 1, 2, 3]


def test_a_row_shows_the_chosen_channels_even_if_one_is_even():
    maps = torch.stack([torch.arange(12.0).reshape(3, 4), torch.zeros(3, 4)])
    fig, axes = plt.subplots(1, 2)
    assert show_maps(maps, list(axes), "layer 1") == [0, 1]
    np.testing.assert_array_equal(axes[0].images[0].get_array(), maps[0])
    low, high = axes[0].images[0].get_clim()
    assert 0 <= low < 1 and 10 < high <= 11 and axes[0].get_ylabel() == "layer 1"
    plt.close(fig)
