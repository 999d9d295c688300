"""Patches around pixels of the sky: the right pixel in the middle, the right label, nothing near the horizon."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_utils.codes import CLOUD, OUTSIDE, SKY
from course_utils.data.errors import SplitError
from course_utils.data.patches import batches
from course_utils.data.sky import SkyPicture
from course_utils.data.sky_patches import SkyPatches, patch_pixels
from course_utils.models.patch_classifier import PatchClassifier
from course_utils.predict import dense

H, W = 50, 64


def made(seed=0, cloud=0.5):
    """A picture whose red is its row and green its column; a wide black frame and a mast are outside."""
    rng = np.random.default_rng(seed)
    down, right = np.indices((H, W))
    codes = np.where(rng.random((H, W)) < cloud, CLOUD, SKY).astype(np.uint8)
    codes[:3], codes[-3:], codes[:, :3], codes[:, -3:], codes[10:30, 40] = [OUTSIDE] * 5
    return SkyPicture(f"made-{seed}", np.stack([down, right, np.full((H, W), seed)], -1).astype(np.uint8), codes)


def test_the_pixel_in_the_middle_is_the_one_that_gave_the_label():
    pictures = [made(3), made(7)]
    patches = SkyPatches(pictures, 200, seed=1)
    middle = (patches[:]["image"][:, :, 16, 16] * 255).round().long().numpy()
    for (row, column, seed), label, number in zip(middle, patches[:]["label"], patches[:]["picture"], strict=True):
        assert pictures[number].name == f"made-{seed}"
        assert pictures[number].mask[row, column] == label
    assert patches[:]["label"].tolist() == [0, 1] * 100
    assert torch.bincount(patches[:]["picture"]).tolist() == [100, 100]


def test_a_patch_is_what_dense_prediction_sees_of_its_pixel():
    """Also at the frame's edge, where both reflect: the two conventions are one."""
    torch.manual_seed(0)
    classifier, picture = PatchClassifier(3).eval(), made()
    patches = SkyPatches([picture], 40, margin=0)
    whole = dense(classifier, torch.from_numpy(picture.image))
    _, rows, columns = patches.places.T
    assert rows.min() < 10 and columns.max() > W - 10
    with torch.no_grad():
        torch.testing.assert_close(classifier(patches[:]["image"]), whole[:, rows, columns].T, rtol=0, atol=1e-6)


def test_the_middle_keeps_away_from_all_that_is_not_sky():
    picture = made()
    outside = torch.from_numpy(~picture.valid).float()[None, None]
    for margin in (0, 1, 4):
        diamond = torch.tensor([[float(abs(r) + abs(c) <= margin) for c in range(-margin, margin + 1)]
                                for r in range(-margin, margin + 1)])[None, None]
        near = F.conv2d(outside, diamond, padding=margin)[0, 0] > 0
        assert np.array_equal(patch_pixels(picture, margin), ~near.numpy())
        _, rows, columns = SkyPatches([picture], 300, margin=margin).places.T
        assert not near[rows, columns].any()


def test_an_odd_side_has_no_such_middle():
    with pytest.raises(ValueError, match="found side=33, expected an even number"):
        SkyPatches([made()], count=2, side=33)


def test_item_i_is_always_the_same_patch():
    pictures = [made(1), made(2)]
    few, many = SkyPatches(pictures, 10), SkyPatches(pictures, 1000)
    assert all(torch.equal(few[:][name], many[:10][name]) for name in ("image", "label", "picture"))
    assert torch.equal(few[-1]["image"], few[9]["image"]) and torch.equal(few[[4, 2]]["image"][1], few[2]["image"])
    assert not np.array_equal(few.places, SkyPatches(pictures, 10, seed=1).places)
    with pytest.raises(IndexError):
        few[10]


def test_a_class_is_drawn_from_the_pictures_that_have_it():
    clear, overcast = made(0, cloud=0), made(1, cloud=1)
    patches = SkyPatches([clear, overcast, clear], 60)
    assert set(patches[:]["picture"][1::2].tolist()) == {1} and set(patches[:]["picture"][0::2].tolist()) == {0, 2}
    with pytest.raises(SplitError, match=r"found no pixel of cloud in 1 pictures at 2 pixels.*add pictures"):
        SkyPatches([clear], 10)


def test_memory_holds_the_pictures_and_the_places_only():
    patches = SkyPatches([made()], 5000)
    held = patches.places.nbytes + sum(one.nbytes for one in patches.pictures)
    assert held < 5000 * 3 * 32 * 32 / 50


def test_batches_read_it_in_one_go():
    patches = SkyPatches([made()], 10)
    sizes = [len(batch["label"]) for batch in batches(patches, 4)]
    assert sizes == [4, 4, 2]
    image = patches[:]["image"]
    assert image.dtype == torch.float32 and 0 <= image.min() <= image.max() <= 1
