"""The drawn U-Net: its stages are the network's own, its boxes as large as their shapes say."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")
from torch import nn

from course_utils.drawings.unet import draw_unet, stages
from course_utils.models.unet import UNet


@pytest.fixture
def network():
    torch.manual_seed(0)
    return UNet(3, width=4, depth=2)


def boxes(ax):
    """The sides of the pictures in the drawing, largest first."""
    return sorted((image.get_extent()[1] - image.get_extent()[0] for image in ax.images), reverse=True)


def test_stages_have_the_shapes_of_a_u(network):
    seen = stages(network, torch.rand(3, 32, 32))
    assert [stage.name for stage in seen] == ["encoder 0", "encoder 1", "encoder 2", "decoder 1", "decoder 0", "head"]
    assert [tuple(stage.features.shape) for stage in seen] == [
        (4, 32, 32), (8, 16, 16), (16, 8, 8), (8, 16, 16), (4, 32, 32), (1, 32, 32)]


def test_stages_are_what_the_network_computes(network):
    image = torch.rand(3, 32, 32)
    seen = stages(network, image)
    with torch.no_grad():
        assert torch.equal(seen[-1].features, network(image[None]))
        assert torch.equal(seen[0].features, network.encoders[0](image[None])[0])


def test_no_hook_is_left_behind_even_after_an_error(network):
    with pytest.raises(ValueError, match="found an image of shape"):
        stages(network, torch.rand(5, 32, 32))
    assert not any(part._forward_hooks for part in network.modules())


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_every_stage_is_drawn_with_its_shape(depth, ax):
    draw_unet(UNet(3, width=4, depth=depth), torch.rand(3, 32, 32), np.zeros((32, 32, 3)), ax)
    said = [text.get_text() for text in ax.texts if text.get_text()]
    for level in range(depth):
        assert said.count(f"{4 * 2**level}×{32 // 2**level}²") == 2
    assert said.count(f"{4 * 2**depth}×{32 // 2**depth}²") == 1
    assert "image 3×32²" in said and "cloud 1×32²" in said


def test_boxes_shrink_as_the_square_root_of_the_rows(network, ax):
    draw_unet(network, torch.rand(3, 32, 32), np.zeros((32, 32, 3)), ax)
    sides = boxes(ax)
    assert sides[0] == sides[1] == 1  # the image and the answer
    fan = 0.06 * (int(np.log2(16)) - 2)
    assert sides[-1] == pytest.approx(0.5 * (1 - fan))  # the bottom: a quarter of the rows


@pytest.mark.parametrize("skips", [True, False])
def test_skips_are_drawn_where_the_network_has_them(skips, ax):
    draw_unet(UNet(3, width=4, depth=2, skips=skips), torch.rand(3, 32, 32), np.zeros((32, 32, 3)), ax)
    arrows = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
    dashed = [arrow for arrow in arrows if arrow.get_linestyle() == "--"]
    assert len(dashed) == (2 if skips else 0)


def test_a_channel_without_variation_can_be_drawn(ax):
    network = UNet(3, width=4, depth=1)
    nn.init.zeros_(network.encoders[0][0].weight)
    draw_unet(network, torch.rand(3, 16, 16), np.zeros((16, 16, 3)), ax)
    ax.figure.canvas.draw()
