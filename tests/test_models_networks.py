"""The networks: shapes, parameter counts in closed form, and what each can and cannot see."""

import pytest
import torch

from course_utils.models.cnn import SimpleCNN
from course_utils.models.mlp import PixelMLP
from course_utils.models.patch_classifier import PatchClassifier
from course_utils.models.unet import UNet


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def seen_by_centre(model, channels=2, size=65):
    """Rows of the input that the centre logit depends on, measured by its gradient."""
    image = torch.randn(1, channels, size, size, generator=torch.Generator().manual_seed(0), requires_grad=True)
    model.eval()(image)[0, size // 2, size // 2].backward()
    return image.grad[0].abs().sum(dim=(0, 2)).nonzero().flatten()


def test_parameter_counts_in_closed_form():
    assert parameters(PixelMLP(12)) == (12 * 32 + 32) + 4 * (32 * 32 + 32) + (32 + 1)
    assert parameters(PixelMLP(12, hidden=())) == 12 + 1
    convolutions = (12 * 9 * 16 + 16) + 9 * (16 * 9 * 16 + 16) + (16 + 1)
    assert parameters(SimpleCNN(12)) == convolutions + 5 * 2 * 16
    convolutions = (3 * 25 * 64 + 64) + 2 * (64 * 25 * 64 + 64)
    assert parameters(PatchClassifier(3)) == convolutions + (64 * 384 + 384) + (384 * 192 + 192) + (192 * 2 + 2)


def test_the_pixel_mlp_sees_one_pixel_and_the_cnn_twenty_one():
    assert seen_by_centre(PixelMLP(2)).tolist() == [32]
    rows = seen_by_centre(SimpleCNN(2))
    assert (rows.min().item(), rows.max().item()) == (32 - 10, 32 + 10)


def test_the_pixel_mlp_treats_images_and_pixels_alike():
    model = PixelMLP(3)
    image = torch.rand(2, 3, 4, 5)
    pixels = image.permute(0, 2, 3, 1).reshape(-1, 3)
    torch.testing.assert_close(model(image).flatten(), model(pixels))


@pytest.mark.parametrize("size", [(64, 64), (1, 1), (61, 3), (100, 52)])
@pytest.mark.parametrize("options", [{}, {"skips": False}, {"upsample": "bilinear"}, {"depth": 2}])
def test_unet_keeps_any_size(size, options):
    model = UNet(2, width=4, **options).eval()
    assert model(torch.rand(2, 2, *size)).shape == (2, *size)


def test_unet_pads_by_replicating_and_crops_back():
    model = UNet(2, width=4).eval()
    image = torch.rand(1, 2, 13, 16)
    padded = torch.cat([image, image[:, :, -1:].expand(-1, -1, 3, -1)], dim=2)
    torch.testing.assert_close(model(image), model(padded)[:, :13])


def test_unet_without_skips_does_not_see_the_encoders_detail():
    """With skips, the finest encoder block reaches the head directly; without, everything passes the bottleneck."""
    for skips, expected in ((True, True), (False, False)):
        model = UNet(2, width=4, skips=skips).eval()
        with torch.no_grad():
            for p in model.encoders[-1].parameters():
                p.zero_()  # nothing gets through the bottleneck
        a, b = model(torch.zeros(1, 2, 16, 16)), model(torch.rand(1, 2, 16, 16))
        assert (not torch.allclose(a, b)) is expected


NETWORKS = [UNet(2, width=4), SimpleCNN(2), PixelMLP(2), PatchClassifier(2)]


@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(("image", "message"), [
    (torch.zeros(1, 3, 32, 32), r"found an image of shape \(1, 3, 32, 32\), expected \(B, 2, H, W\).*the bands that"),
    (torch.zeros(2, 32, 32), r"found an image of shape \(2, 32, 32\), expected .*; .*a single image as image\[None\]"),
    (torch.zeros(1, 2, 0, 32), "expected at least one pixel"),
    (torch.zeros(1, 2, 32, 32, dtype=torch.uint8), "found an image of uint8, expected float32.*data.patches.decode"),
])  # fmt: skip
def test_every_network_says_what_image_it_expects(model, image, message):
    with pytest.raises(ValueError, match=message):
        model(image)


@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("training", [False, True])
def test_an_empty_batch_gives_an_empty_answer(model, training):
    before = {name: value.clone() for name, value in model.state_dict().items() if value.is_floating_point()}
    assert model.train(training)(torch.zeros(0, 2, 32, 32)).shape[0] == 0
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    model.eval()


def test_lists_of_pixels_are_for_the_pixel_mlp_only():
    with pytest.raises(ValueError, match=r"\(5, 3\), expected \(B, 2, H, W\) or pixels \(N, 2\)"):
        PixelMLP(2)(torch.zeros(5, 3))
    with pytest.raises(ValueError, match=r"found an image of shape \(5, 2\), expected \(B, 2, H, W\); "):
        SimpleCNN(2)(torch.zeros(5, 2))


def test_wrong_settings_say_what_was_expected():
    with pytest.raises(ValueError, match='found upsample=\'nearest\', expected "transpose" or "bilinear"'):
        UNet(2, upsample="nearest")
    with pytest.raises(ValueError, match="found patches of 33×32 pixels, expected 32×32"):
        PatchClassifier()(torch.zeros(1, 3, 33, 32))
