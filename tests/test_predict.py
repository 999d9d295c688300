"""Tiled against untiled, dense against patch by patch."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.models.cnn import SimpleCNN
from course_utils.models.patch_classifier import PatchClassifier
from course_utils.models.unet import UNet
from course_utils.predict import dense, tiled, to_dense


def lively(model):
    """Random batch-norm statistics and weights, so that every layer matters."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(generator=generator)
            layer.running_var.uniform_(0.5, 2, generator=generator)
    return model.eval()


def image(height, width, channels=2):
    return np.random.default_rng(0).random((channels, height, width), dtype=np.float32)


@torch.no_grad()
def whole(model, x):
    return model(torch.from_numpy(x)[None]).sigmoid()[0].numpy()


def radius(model, channels=2, size=160):
    """How far the model sees, measured: the farthest input row with a gradient, over all positions on its grid."""
    farthest = 0
    for row in range(size // 2, size // 2 + getattr(model, "factor", 1)):
        x = torch.rand(1, channels, size, size, requires_grad=True)
        model(x)[0, row, row].backward()
        rows = x.grad[0].abs().sum(dim=(0, 2)).nonzero()
        farthest = max(farthest, row - rows.min().item(), rows.max().item() - row)
    return farthest


@pytest.mark.parametrize("size", [(96, 96), (203, 131), (64, 64), (40, 200), (7, 5), (129, 65)])
def test_a_margin_as_wide_as_the_receptive_field_makes_tiles_invisible(size):
    model = lively(UNet(2, width=4, depth=2))
    margin = radius(model)
    tiles = tiled(model, image(*size), tile=96, overlap=56, margin=margin, batch_size=3)
    assert 2 * margin < 56
    np.testing.assert_allclose(tiles, whole(model, image(*size)), atol=1e-5)


@pytest.mark.parametrize("model", [SimpleCNN(2, layers=4), UNet(2, width=4, depth=2)])
def test_without_a_margin_it_is_equal_wherever_the_tile_holds_all_that_the_model_sees(model):
    model = lively(model)
    reach, x = radius(model), image(120, 200)  # tiles begin at columns 0, 64, 128 and rows 0, 48
    tiles, untiled = tiled(model, x, tile=72, overlap=8), whole(model, x)
    seams = {64 * k for k in range(1, 3)} | {64 * k + 8 for k in range(1, 3)}  # edges of tiles inside the image
    inside = [all(abs(c - s) > reach for s in seams) for c in range(200)]
    rows = slice(0, 48 - reach)
    np.testing.assert_allclose(tiles[rows][:, inside], untiled[rows][:, inside], atol=1e-5)
    assert sum(inside) > 10
    assert np.abs(tiles - untiled).max() > 1e-5  # and elsewhere the seams exist: the test above is not empty


def test_blending_weights_are_a_partition_whatever_the_overlap():
    """A model that always gives the same answer is reproduced exactly."""

    class Constant(nn.Conv2d):
        def forward(self, x):
            return torch.full(x[:, 0].shape, 0.4)

    for overlap, margin in ((0, 0), (1, 0), (20, 0), (20, 9), (49, 3)):
        prob = tiled(Constant(2, 1, 1), image(173, 90), tile=50, overlap=overlap, margin=margin)
        np.testing.assert_allclose(prob, 1 / (1 + np.exp(-0.4)), rtol=1e-5)


def test_only_a_batch_of_tiles_is_read_at_a_time(tmp_path):
    """A memory-mapped granule: what reaches the model is never larger than the batch of tiles."""
    path = tmp_path / "granule.npy"
    np.save(path, image(300, 200))
    shapes = []

    class Spy(nn.Conv2d):
        def forward(self, x):
            shapes.append(tuple(x.shape))
            return x[:, 0]

    prob = tiled(Spy(2, 1, 1), np.load(path, mmap_mode="r"), tile=64, overlap=16, batch_size=2)
    assert set(shapes) <= {(2, 2, 64, 64), (1, 2, 64, 64)}
    np.testing.assert_allclose(prob, 1 / (1 + np.exp(-image(300, 200)[0])), rtol=1e-5)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"tile": 100}, "multiples of the model's factor 8; the next are tile=104, overlap=64"),
        ({"overlap": 60}, "the next are tile=256, overlap=64"),
        ({"overlap": 256}, "tile=256, overlap=256, expected 0 ≤ overlap < tile; an overlap of 256 needs a tile of 264"),
        ({"overlap": 320}, "tile=256, overlap=320, expected 0 ≤ overlap < tile; an overlap of 320 needs a tile of 328"),
        ({"overlap": -8}, "found tile=256, overlap=-8, expected 0 ≤ overlap < tile"),
        ({"margin": 40}, "expected 0 ≤ 2·margin < overlap; a margin of 40 needs an overlap of 88 or more"),
        ({"batch_size": 0}, "found batch_size=0, expected 1 or more"),
    ],
)
def test_sizes_that_do_not_fit_name_sizes_that_do(sizes, message):
    with pytest.raises(ValueError, match=message):
        tiled(UNet(2, width=2), image(300, 300), **sizes)


@pytest.mark.parametrize(("wrong", "message"), [
    (image(64, 64)[0], r"found an image of shape \(64, 64\), expected \(C, H, W\)"),
    (image(64, 64)[:, :0], r"found an image of shape \(2, 0, 64\), expected \(C, H, W\), none of them 0"),
    (image(64, 64, channels=3), r"\(1, 3, 64, 64\), expected \(B, 2, H, W\).*the bands that the network was built for"),
    (np.zeros((2, 64, 64), np.uint8), "found an image of uint8, expected float32 reflectance.*data.patches.decode"),
])  # fmt: skip
def test_what_is_no_image_of_the_models_bands_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        tiled(UNet(2, width=2), wrong)


@pytest.mark.parametrize("nothing", [np.nan, np.inf])
def test_what_was_not_measured_is_nan_and_spoils_nothing_else(nothing):
    """As if the data had held zeros there, as the swath's edge does."""
    model = lively(UNet(2, width=4, depth=2))
    holes, zeros = image(150, 110), image(150, 110)
    holes[0, :, :9], holes[1, 70:80, 60:64] = nothing, nothing
    unseen = ~np.isfinite(holes).all(axis=0)
    zeros[:, unseen] = 0
    before = holes.copy()
    prob = tiled(model, holes, tile=64, overlap=16)
    assert np.array_equal(np.isnan(prob), unseen) and np.array_equal(holes, before, equal_nan=True)
    np.testing.assert_array_equal(prob[~unseen], tiled(model, zeros, tile=64, overlap=16)[~unseen])


def test_an_image_may_be_a_tensor():
    model = lively(UNet(2, width=4, depth=2))
    expected = tiled(model, image(70, 90), tile=64, overlap=16)
    assert np.array_equal(tiled(model, torch.from_numpy(image(70, 90)), tile=64, overlap=16), expected)


def test_dense_is_the_patch_classifier_at_every_pixel():
    torch.manual_seed(0)
    classifier = PatchClassifier(3).eval()
    frame = torch.rand(3, 45, 38)
    logits = dense(classifier, frame, strip=13)
    padded = F.pad(frame[None], (16, 15, 16, 15), mode="reflect")
    patches = F.unfold(padded, 32).transpose(1, 2).reshape(-1, 3, 32, 32)  # one patch per pixel, row by row
    with torch.no_grad():
        by_patch = classifier(patches).T.reshape(2, 45, 38)
    torch.testing.assert_close(logits, by_patch, rtol=0, atol=1e-6)
    assert by_patch.std(dim=(1, 2)).min() > 1e-3  # the pixels do differ


def test_the_dense_network_shares_the_weights_and_slides_over_any_size():
    classifier = PatchClassifier(3)
    network = to_dense(classifier)
    before = network(torch.ones(1, 3, 32, 32)).detach()
    assert before.shape == (1, 2, 1, 1)
    torch.testing.assert_close(before[:, :, 0, 0], classifier(torch.ones(1, 3, 32, 32)))
    with torch.no_grad():
        classifier.head[-1].bias += 1
        classifier.head[0].weight *= 2
    torch.testing.assert_close(network(torch.ones(1, 3, 32, 32))[:, :, 0, 0], classifier(torch.ones(1, 3, 32, 32)))


def test_a_frame_that_a_patch_classifier_can_not_see_is_refused():
    holes = torch.zeros(3, 40, 40)
    holes[1, 5, :4] = torch.nan
    for frame, message in [
        (holes, "found 4 numbers in the frame that are not finite, expected none"),
        (torch.zeros(4, 40, 40), r"found an image of shape \(1, 4, 40, 40\), expected \(B, 3, H, W\)"),
        (torch.zeros(3, 40, 40, dtype=torch.uint8), "found an image of uint8, expected float32"),
    ]:
        with pytest.raises(ValueError, match=message):
            dense(PatchClassifier(3), frame)
    with pytest.raises(ValueError, match="found strip=0, expected 1 row or more"):
        dense(PatchClassifier(3), torch.zeros(3, 40, 40), strip=0)


def test_a_frame_too_small_to_reflect_is_refused():
    with pytest.raises(ValueError, match=r"found a frame of shape \(3, 16, 40\), expected .* above 16"):
        dense(PatchClassifier(3), torch.zeros(3, 16, 40))
