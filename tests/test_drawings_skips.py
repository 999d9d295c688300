"""The way through a U-Net: maps of the network itself, in their order, with skips where the network has them."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from course_utils.colours import CONFUSION_COLOURS
from course_utils.drawings.skips import GROWTH, compared, following, travel, trip
from course_utils.drawings.unet import stages
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet

PART = np.s_[8:24, 16:32]
MASK = np.add.outer(np.arange(32), np.arange(32)) > 36


def network(**settings):
    torch.manual_seed(0)
    pixels = torch.rand(50, 3, generator=torch.Generator().manual_seed(1)) + 0.5
    return Scaled(UNet(3, width=4, depth=2, **settings), pixels).eval()


@pytest.fixture
def image():
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("skips", [True, False])
def test_a_trip_goes_down_and_up_with_skips_where_there_are_some(image, skips):
    hops = trip(network(skips=skips), 0.5, image, MASK, PART)
    assert [hop.end for hop in hops] == [(0, 1), (0, 2), (0.5, 3), (1, 2), (1, 1), (1, 0)]
    assert [hop.starts[0] for hop in hops] == [(0, 0), *[hop.end for hop in hops[:-1]]]
    assert [hop.starts[1:] for hop in hops] == [(), (), (), *([((0, 2),), ((0, 1),)] if skips else [(), ()]), ()]
    assert [hop.pixels.shape for hop in hops] == [(16, 16), (8, 8), (4, 4), (8, 8), (16, 16), (16, 16, 3)]


def test_maps_and_answer_are_those_of_the_network(image):
    model = network()
    hops = trip(model, 0.5, image, MASK, PART)
    level = stages(model.net, (image - model.mean) / model.spread)[1].features[:, 4:12, 8:16].numpy()
    assert any(np.array_equal(hops[1].pixels, channel) for channel in level)
    with torch.no_grad():
        pred = model(image[None])[0].sigmoid().numpy() >= 0.5
    assert np.array_equal(hops[-1].pixels, compared(pred[PART], MASK[PART]))


def test_the_channel_that_follows_the_mask_is_found_among_noise_and_even_ones():
    share = torch.nn.functional.avg_pool2d(torch.from_numpy(MASK).float()[None], 4)[0]
    noise = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    features = torch.stack([noise[0], -share, torch.ones(8, 8), 2 * share + 0.1 * noise[1], noise[2]])
    assert np.array_equal(following(features, MASK), features[3].numpy())


def test_agreement_and_errors_have_their_colours():
    pred, mask = np.array([[True, True, False, False]]), np.array([[True, False, True, False]])
    wanted = [to_rgb(CONFUSION_COLOURS[pair][1]) for pair in zip(pred[0], mask[0], strict=True)]
    assert np.allclose(compared(pred, mask)[0], wanted)


def test_boxes_are_filled_one_after_the_other(image, ax):
    trips = {name: trip(network(skips=name == "with"), 0.5, image, MASK, PART) for name in ("without", "with")}
    moving = travel(ax, np.zeros((16, 16)), trips)
    moving._draw_was_started = True
    frames = list(moving.new_frame_seq())
    assert len(frames) == 6 * (len(GROWTH) + 1)
    filled = []
    for frame in frames:
        moving._func(frame)
        filled.append(sum(picture.get_visible() for picture in ax.images))
    assert filled == [2 + 2 * (number // 3 + (number % 3 == 2)) for number in range(18)]     # the images stand
    dashed = [patch for patch in ax.patches if patch.get_linestyle() == "--" and patch.get_visible()]
    assert len(dashed) == 2
    assert [text.get_text() for text in ax.texts if text.get_weight() == "bold"] == ["without", "with"]


def test_networks_of_unequal_depth_are_refused(image, ax):
    hops = trip(network(), 0.5, image, MASK, PART)
    with pytest.raises(ValueError, match=r"found trips of \[5, 6\] hops"):
        travel(ax, np.zeros((16, 16)), {"one": hops, "two": hops[:-1]})
