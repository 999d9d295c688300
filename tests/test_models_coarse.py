"""The network at a coarser resolution: against rearranging by hand, at every size, and in tiles."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.models.coarse import Coarse
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from course_utils.predict import tiled


class Pick(nn.Module):
    """Gives one of its channels, and remembers how many came in."""

    def __init__(self, channel):
        super().__init__()
        self.channel = channel

    def forward(self, image):
        self.seen = image.shape
        return image[:, self.channel]


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_every_value_of_a_block_comes_in_as_a_channel(block):
    image = torch.arange(2 * 24 * 36, dtype=torch.float32).reshape(1, 2, 24, 36)
    for channel in range(2 * block**2):
        band, place = divmod(channel, block**2)
        row, column = divmod(place, block)
        net = Pick(channel)
        coarse = Coarse(net, 2, block)(image)
        assert net.seen == (1, 2 * block**2, 24 // block, 36 // block)
        by_hand = image[0, band, row::block, column::block]
        middles = coarse[0].unfold(0, block, block).unfold(1, block, block).mean(dim=(-2, -1))
        # a plane stays a plane when it is interpolated, but for the outermost half block
        torch.testing.assert_close(middles[1:-1, 1:-1], by_hand[1:-1, 1:-1])


@pytest.mark.parametrize("size", [(1, 1), (7, 8), (8, 7), (13, 22), (32, 32)])
def test_any_size_comes_back_as_it_went_in(size):
    net = Coarse(UNet(4 * 3, width=2, depth=2), 3).eval()
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert net(image).shape == (2, *size)
    further = torch.nn.functional.pad(image, (0, -size[1] % 8, 0, -size[0] % 8), mode="replicate")
    torch.testing.assert_close(net(image), net(further)[:, : size[0], : size[1]])


def test_a_block_of_one_pixel_changes_nothing():
    inside = UNet(3, width=2, depth=1).eval()
    image = torch.rand(1, 3, 20, 18, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Coarse(inside, 3, block=1)(image), inside(image))


def test_tiles_agree_with_the_whole_away_from_the_seams():
    torch.manual_seed(0)
    model = Scaled(Coarse(UNet(4 * 2, width=4, depth=1), 2), torch.rand(50, 2)).eval()
    assert model.factor == 4
    image = np.random.default_rng(0).random((2, 150, 130), np.float32)
    with torch.no_grad():
        whole = model(torch.from_numpy(image)[None]).sigmoid()[0].numpy()
    np.testing.assert_allclose(tiled(model, image, tile=96, overlap=64, margin=24), whole, atol=1e-5)


def test_another_number_of_bands_is_refused_as_the_user_counts_them():
    with pytest.raises(ValueError, match=r"found an image of shape \(1, 12, 8, 8\), expected \(B, 3, H, W\)"):
        Coarse(UNet(4 * 3, width=2), 3)(torch.zeros(1, 12, 8, 8))
