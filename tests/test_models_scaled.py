"""The scaling inside a model: what it does to images, and that it is kept with the weights."""

import pytest
import torch

from course_utils.models.mlp import PixelMLP
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet


def pixels():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(500, 3, generator=generator) * torch.tensor([1.0, 10.0, 0.01]) + torch.tensor([0.0, -5.0, 2.0])


def test_the_network_sees_channels_of_mean_zero_and_spread_one():
    scaled = Scaled(torch.nn.Identity(), pixels())
    seen = scaled(pixels().T[None, :, :, None])[0, :, :, 0]
    torch.testing.assert_close(seen.mean(dim=1), torch.zeros(3), atol=2e-3, rtol=0)
    torch.testing.assert_close(seen.std(dim=1), torch.ones(3), atol=1e-3, rtol=0)


def test_scaling_is_saved_with_the_weights_and_not_trained():
    first, second = Scaled(PixelMLP(3), pixels()), Scaled(PixelMLP(3), 7 * pixels() + 1)
    image = torch.rand(2, 3, 4, 5)
    assert not torch.allclose(first(image), second(image))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(image), second(image))
    assert {name for name, _ in first.named_parameters()} == {f"net.{n}" for n, _ in PixelMLP(3).named_parameters()}


def test_tiles_may_ask_for_the_factor_of_the_network_inside():
    assert Scaled(UNet(3, depth=2), pixels()).factor == 4 and Scaled(PixelMLP(3), pixels()).factor == 1


def test_pixels_that_can_not_scale_are_refused():
    flat = pixels()
    flat[:, 1] = 0.3
    with pytest.raises(ValueError, match=r"channels without spread: \[1\]; expected values that differ"):
        Scaled(PixelMLP(3), flat)
    with pytest.raises(ValueError, match=r"expected \(N, C\) with at least two pixels"):
        Scaled(PixelMLP(3), pixels()[0])
