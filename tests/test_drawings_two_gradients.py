"""The drawing of two gradients: torch agrees with them, and the third arrow is their mean."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from torch.nn import functional as F

from course_utils.colours import INVALID
from course_utils.drawings.two_gradients import draw_two_gradients, gradient, joined, loss


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(20, 2)) + shift, (rng.random(20) > 0.5).astype(float)) for shift in (0, 1)]


@pytest.fixture
def axes():
    plt.switch_backend("Agg")
    yield plt.subplots(1, 3)[1]
    plt.close("all")


def test_loss_and_gradient_are_torchs(parts):
    weights = torch.tensor([0.3, -2.0], dtype=torch.float64, requires_grad=True)
    inputs, labels = map(torch.from_numpy, parts[1])
    expected = F.binary_cross_entropy_with_logits(inputs @ weights, labels)
    expected.backward()
    assert loss(weights.detach().numpy(), parts[1]) == pytest.approx(expected.item(), rel=1e-12)
    assert gradient(weights.detach().numpy(), parts[1]) == pytest.approx(weights.grad.numpy(), rel=1e-12)


def test_the_mean_of_the_gradients_is_that_of_both_parts(parts):
    weights = np.array([0.5, 1.0])
    mean = (gradient(weights, parts[0]) + gradient(weights, parts[1])) / 2
    assert gradient(weights, joined(parts)) == pytest.approx(mean, rel=1e-12)


def test_the_thick_arrow_of_the_third_panel_ends_at_the_mean(parts, axes):
    weights = np.array([0.5, 1.0])
    draw_two_gradients(parts, weights, axes, step=2.0)
    assert [ax.get_title() for ax in axes] == ["process 0", "process 1", "both"]
    assert [len(ax.texts) for ax in axes] == [1, 1, 3]
    (thick,) = [arrow for arrow in axes[2].texts if to_hex(arrow.arrow_patch.get_edgecolor()) == INVALID]
    assert np.array(thick.xy) == pytest.approx(weights - 2 * gradient(weights, joined(parts)))


def test_parts_of_unequal_size_are_refused(parts, axes):
    short = (parts[0][0][:5], parts[0][1][:5])
    with pytest.raises(ValueError, match=r"found parts of \[5, 20\] samples, expected two of equal size"):
        draw_two_gradients([short, parts[1]], np.zeros(2), axes)
