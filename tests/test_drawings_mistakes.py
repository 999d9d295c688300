"""The small training of chapter 06 and its mistakes: each does what its name says, and leaves its fingerprint."""

import math

import pytest
import torch
from matplotlib import pyplot as plt
from torch.nn import functional as F

from course_utils.drawings.mistakes import MISTAKES, Experiment, curves, fingerprints, make


def part(count, seed, features=4):
    """Inputs far from scale 1 whose mask is noisy, so that a network can learn it by heart."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, features, generator=generator)
    mask = (inputs[:, 0] + torch.randn(count, generator=generator) > 0).float()
    return 5 + 3 * inputs, mask


TRAIN, VALIDATION = part(120, 1), part(200, 2)


def stepped(kind, steps=3):
    """An experiment after some steps with the same random numbers."""
    experiment = make(kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        losses = [experiment.step(torch.arange(n * 10, n * 10 + 10)) for n in range(steps)]
    return experiment, losses


def test_a_step_is_plain_gradient_descent_on_scaled_inputs():
    experiment, losses = stepped(Experiment, steps=1)
    other = make(Experiment)
    inputs, mask = other.train
    assert torch.allclose(inputs.mean(dim=0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(inputs.std(dim=0), torch.ones(3), atol=1e-5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loss = F.binary_cross_entropy_with_logits(other.model(inputs[:10]), mask[:10])
    gradients = torch.autograd.grad(loss, list(other.model.parameters()))
    assert losses == [loss.item()]
    for mine, old, gradient in zip(experiment.model.parameters(), other.model.parameters(), gradients, strict=True):
        torch.testing.assert_close(mine, old - 0.05 * gradient)


def test_making_an_experiment_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    expected = torch.random.get_rng_state()
    first, second = make(Experiment), make(Experiment)
    assert torch.equal(torch.random.get_rng_state(), expected)
    assert torch.equal(first.model[0].weight, second.model[0].weight)
    assert len(torch.unique(first.train[0], dim=0)) == 40


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_changes_one_thing(name):
    """What a mistake does not touch is equal to the right training."""
    right, losses = stepped(Experiment)
    wrong, wrong_losses = stepped(MISTAKES[name])
    assert (wrong_losses == losses) == (name not in ("zero_grad forgotten", "index ignored"))
    assert wrong.validate() != right.validate()
    assert torch.equal(wrong.train[0], right.train[0])


def test_curves_are_repeatable_and_long_enough():
    first, again = (curves(Experiment, TRAIN, VALIDATION, epochs=3) for _ in range(2))
    assert first == again
    assert len(first[0]) == len(first[1]) == 3


def test_the_fingerprints_are_those_that_the_chapter_names():
    axes = plt.subplots(2, 3)[1].ravel()
    drawn = fingerprints(TRAIN, VALIDATION, axes, epochs=25)
    plt.close("all")
    training, validating = drawn["healthy"]
    assert training[-1] < training[0] and validating[-1] < validating[0]
    last = {name: (pair[0][-1], pair[1][-1]) for name, pair in drawn.items()}
    assert last["index ignored"][0] < 0.9 * training[-1] and last["index ignored"][1] > validating[-1]
    assert last["training part validated"][1] < min(validating[-1], training[-1])
    shaken = last["zero_grad forgotten"][0]
    assert math.isnan(shaken) or shaken > 1.1 * training[-1]
    for name in ("validation not scaled", "eval forgotten", "training part validated"):
        assert drawn[name][0] == training or name == "eval forgotten"
    assert last["validation not scaled"][1] > validating[-1]
    trembling = drawn["eval forgotten"][1][5:]
    assert sum(trembling) > sum(validating[5:])
    assert [ax.get_title() for ax in axes] == list(drawn)


def test_six_axes_are_asked_for():
    with pytest.raises(ValueError, match="found 2 axes, expected 6"):
        fingerprints(TRAIN, VALIDATION, plt.subplots(1, 2)[1])
    plt.close("all")
