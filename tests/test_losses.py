"""Losses against float64 numpy, closed forms, and what a better prediction must do."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_utils import losses

LOSSES = [losses.bce, losses.dice, losses.bce_dice, losses.focal]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(2, 9, 7, generator=generator, dtype=torch.float64)
    mask = torch.rand(2, 9, 7, generator=generator) < 0.3
    valid = torch.rand(2, 9, 7, generator=generator) < 0.8
    return logits, mask, valid


def oracle(name, z, y, v, gamma=2.0, weight=1.0):
    """The formulas as printed in the docstrings, in plain numpy over the valid pixels."""
    p, y_full, y = 1 / (1 + np.exp(-z[v])), y, y[v].astype(float)
    if name == "bce":
        return -(weight * y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    if name == "dice":
        return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
    if name == "bce_dice":
        images = [oracle("dice", z[i : i + 1], y_full[i : i + 1], v[i : i + 1]) for i in range(len(z))]
        return oracle("bce", z, y_full, v) + np.mean(images)
    q = np.where(y == 1, p, 1 - p)
    return -((1 - q) ** gamma * np.log(q)).mean()


@pytest.mark.parametrize("loss", LOSSES)
def test_equals_the_printed_formula(loss, batch):
    got = loss(*batch).item()
    assert got == pytest.approx(oracle(loss.__name__, *(t.numpy() for t in batch)), rel=1e-10)


def test_class_weight_and_gamma_do_what_they_say(batch):
    arrays = [t.numpy() for t in batch]
    assert losses.bce(*batch, pos_weight=3.0).item() == pytest.approx(oracle("bce", *arrays, weight=3.0), rel=1e-10)
    assert losses.focal(*batch, gamma=0.0).item() == pytest.approx(losses.bce(*batch).item(), rel=1e-10)
    assert losses.focal(*batch, gamma=1.5).item() == pytest.approx(oracle("focal", *arrays, gamma=1.5), rel=1e-10)
    with pytest.raises(ValueError, match="found gamma=-1"):
        losses.focal(*batch, gamma=-1)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_has_a_gradient_where_nothing_is_left_to_learn(gamma):
    logits = torch.tensor([200.0, -200.0, -200.0], requires_grad=True)
    losses.focal(logits, torch.tensor([True, False, True]), gamma=gamma).backward()
    assert logits.grad.tolist() == pytest.approx([0, 0, -1 / 3])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_better_prediction_has_a_lower_loss(loss, batch):
    logits, mask, valid = batch
    better = logits + torch.where(mask, 0.5, -0.5)
    assert loss(better, mask, valid) < loss(logits, mask, valid)


@pytest.mark.parametrize("loss", LOSSES)
def test_invalid_pixels_change_neither_loss_nor_gradient(loss, batch):
    logits, mask, valid = batch
    spoiled = torch.where(valid, logits, torch.nan).requires_grad_()
    clean = logits.clone().requires_grad_()
    loss(spoiled, mask, valid).backward()
    loss(clean, mask, valid).backward()
    assert loss(spoiled, mask, valid).item() == loss(clean, mask, valid).item()
    assert torch.equal(spoiled.grad[valid], clean.grad[valid])
    assert not clean.grad[~valid].any()


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_valid_gives_zero_and_a_warning(loss, batch):
    logits, mask, valid = batch
    logits.requires_grad_()
    with pytest.warns(losses.NothingValid, match="no valid pixel") as told:
        value = loss(logits, mask, torch.zeros_like(valid))
    assert [Path(warning.filename) for warning in told] == [Path(__file__)]     # once, of whoever called
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("loss", LOSSES)
def test_extreme_logits_stay_finite(loss):
    logits = torch.tensor([[[1e4, -1e4, 1e4]]], requires_grad=True)
    value = loss(logits, torch.tensor([[[True, True, False]]]))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_against_finite_differences(loss, batch):
    logits, mask, valid = batch
    assert torch.autograd.gradcheck(lambda z: loss(z, mask, valid), logits.requires_grad_())


@pytest.mark.parametrize("loss", LOSSES)
def test_shapes_must_agree(loss):
    with pytest.raises(ValueError, match=r"found logits \(2, 1, 4, 4\).*squeeze"):
        loss(torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4, dtype=torch.bool))


def test_bce_is_torchs_own(batch):
    logits, mask, _ = batch
    torch.testing.assert_close(losses.bce(logits, mask), F.binary_cross_entropy_with_logits(logits, mask.double()))


def test_bce_dice_weighs_an_image_with_little_cloud_as_one_with_much():
    mask = torch.zeros(2, 40, 40, dtype=torch.bool)
    mask[0, :30], mask[1, :2, :10] = True, True         # 1,200 cloudy pixels and 20
    right = torch.where(mask, 6.0, -6.0)

    def without(image):
        """The loss when the cloud of one image is missed."""
        logits = right.clone()
        logits[image] = -6.0
        return losses.bce_dice(logits, mask) - losses.bce(logits, mask)

    assert without(0).item() == pytest.approx(without(1).item(), rel=0.2)
    assert losses.dice(right[:1].abs().neg(), mask[:1]) > 0.9


def test_bce_dice_asks_for_images():
    with pytest.raises(ValueError, match="image by image"):
        losses.bce_dice(torch.zeros(4), torch.zeros(4, dtype=torch.bool))
