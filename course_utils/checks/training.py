"""Checks of chapter 06, Training well."""

import functools
import numbers
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from course_utils.checks.core import RejectedError, call, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_range,
    expect_shape,
    expect_type,
)
from course_utils.data.packed import simulate_patches
from course_utils.data.patches import PackedPatches, batches
from course_utils.drawings import mistakes
from course_utils.models.mlp import PixelMLP
from course_utils.runtime import seeded
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, TrainingDivergedError, fit


@exercise(hints=(
    "SGD needs only the first rule of the list. For Adam, write down m and s after one step, then divide by the two "
    "corrections.",
    "At step 1 the corrections undo the factors (1 − β) exactly. What is g / √(g²)?",
))
def first_step(answer):
    """SGD's first step is as long as the gradient says, Adam's is as long as the learning rate."""
    expect_shape(answer, (4,), cause="give four numbers in one tuple")
    small, large, adam_small, adam_large = (float(number) for number in answer)
    expect_property(small <= 0 and large <= 0 and adam_small <= 0 and adam_large <= 0, f"{answer}",
                    "weights below 0: the gradients are positive", cause="a step goes against the gradient")
    expect_close([small, large], [-1e-4, -100.0], expected="learning rate times gradient, each with its own gradient",
                 cause="SGD's rule, the first of the list", slips=[([-1e-3, -1000.0], "the learning rate is missing")])
    expect_close([adam_small, adam_large], [-0.1, -0.1], expected="the distance that Adam goes at its first step",
                 cause="the gradient cancels against its own size", slips=[
        ([-1e-4, -100.0], "that is SGD again: Adam divides by the size of the gradient"),
        ([-0.1 * 0.1 / 0.001**0.5] * 2, "the averages without their corrections for the first steps"),
        ([-1.0, -1.0], "the learning rate is missing"),
    ])


@exercise(hints=(
    "Adam's rule stays as it is; the decay is one line of its own that uses `lr`, `decay` and `w`, not `g`.",
    "First shrink the weight: what factor, just below 1? Then do Adam's step in place, with the gradient as it came.",
))
def adamw(answer):
    """The decay acts on the weight alone, and 60 steps agree with torch.optim.AdamW."""
    generator = torch.Generator().manual_seed(0)
    for lr, decay in ((0.01, 0.1), (0.1, 0.0), (0.05, 1.0)):
        start = torch.randn(2, 3, dtype=torch.float64, generator=generator)
        scale = torch.tensor([0.01, 1.0, 100.0], dtype=torch.float64)
        gradients = scale * torch.randn(60, 2, 3, dtype=torch.float64, generator=generator)
        w, memory = start.clone(), {}
        for gradient in gradients:
            _in_place(answer, w, gradient, memory, lr, decay)
        slips = [
            (_by_torch(torch.optim.Adam, start, gradients, lr, decay), "the decay went into the gradient and was "
             "divided by its size: that is Adam with L2"),
            (_by_torch(torch.optim.AdamW, start, gradients, lr, decay / lr), "the decay is not multiplied by the "
             "learning rate"),
            (_by_torch(torch.optim.AdamW, start, gradients, lr, 0.0), "there is no decay"),
            (_by_torch(torch.optim.AdamW, start, gradients, lr, -decay), "the decay has the wrong sign"),
            (_by_torch(torch.optim.Adam, start, gradients, lr, 0.0, last=lr * decay), "the decay comes after Adam's "
             "step, and shrinks the step too"),
            (start, "the weight has not changed: `w = …` makes a new tensor, `w -= …` writes into the old one"),
        ]
        expect_close(w, _by_torch(torch.optim.AdamW, start, gradients, lr, decay), rtol=1e-6, slips=slips,
                     expected="the weights that torch.optim.AdamW has after 60 steps",
                     cause="check the corrections: does t count from 1, and does the memory last from step to step?")


def _in_place(answer, w, gradient, memory, lr, decay):
    """Run a rule that changes its first argument and need not return anything."""
    before = gradient.clone()

    def run(w, gradient, memory, lr, decay):
        answer(w, gradient, memory, lr, decay)
        return True

    call(run if callable(answer) else answer, w, gradient, memory, lr, decay, in_place=True)
    expect_property(torch.equal(gradient, before), "a gradient that was changed", "the gradient left as it was",
                    cause="`g += …` writes into the gradient, which the next step may still need")
    if not memory:
        raise RejectedError("the rule is not filled in yet: `s` is empty after a step", "Adam's averages in `s`",
                            "the averages must last from step to step")


def _by_torch(kind, start, gradients, lr, decay, last=0.0):
    """The weights after the same gradients, by torch; after each step they shrink by the share `last`."""
    w = nn.Parameter(start.clone())
    optimizer = kind([w], lr=lr, weight_decay=0.0)
    optimizer.param_groups[0]["weight_decay"] = decay
    for gradient in gradients:
        w.grad = gradient.clone()
        optimizer.step()
        with torch.no_grad():
            w *= 1 - last
    return w.detach()


@exercise(hints=(
    "Remember the best epoch so far. How many epochs ago was it?",
    "Stop as soon as `epoch - best` reaches the patience; the first loss is the best one so far by itself.",
))
def early_stop(answer):
    """It stops where the patience runs out, returns to the best epoch before, and never looks ahead."""
    cases = [
        ([5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 3.3, 1.0], 3),
        ([5.0, 4.0, 3.0, 2.0], 2),
        ([2.0, 3.0, 4.0], 1),
        ([3.0, 2.0, 2.5, 2.4, 1.9, 2.2, 2.1, 2.0], 3),
        ([1.0, 1.0, 1.0, 0.5], 2),
        ([0.7], 5),
    ]
    generator = torch.Generator().manual_seed(2)
    cases += [(torch.rand(20, generator=generator).tolist(), patience) for patience in (1, 2, 4, 30)]
    for losses, patience in cases:
        got = call(answer, list(losses), patience)
        expect_type(got, (tuple, list), expected="two epochs, (stopped, best)")
        expect_property(len(got) == 2 and all(isinstance(part, numbers.Integral) for part in got), f"{got!r}",
                        "two whole numbers: epochs counted from 0")
        stopped, best = _stop(losses, patience)
        lowest = min(range(len(losses)), key=losses.__getitem__)
        slips = [
            ((best, stopped), "the two are exchanged: stopped first, then best"),
            ((stopped + 1, best + 1), "epochs count from 0"),
            ((stopped, lowest), "the best of all losses, some of which a stopped training never sees"),
            (_stop(losses, patience, equal=True), "a loss that is only as low as the lowest is no progress"),
            (_wiggle(losses, patience), "compared with the epoch before; compare with the lowest so far"),
            (_stop(losses, patience + 1), "one epoch too many: the epoch that completes the row is the last"),
        ]
        expect_equal(tuple(got), (stopped, best), slips=slips, expected=f"for patience {patience} and "
                     f"{len(losses)} losses", cause="count the epochs since the best one, and stop when they are "
                     "as many as the patience")


def _stop(losses, patience, equal=False):
    """The two epochs, by the definition."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] or (equal and loss <= losses[best]):
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses) - 1, best


def _wiggle(losses, patience):
    """The usual slip: a row of epochs that are each worse than the one before."""
    row = 0
    for epoch in range(1, len(losses)):
        row = row + 1 if losses[epoch] >= losses[epoch - 1] else 0
        if row >= patience:
            return epoch, min(range(epoch + 1), key=losses.__getitem__)
    return len(losses) - 1, min(range(len(losses)), key=losses.__getitem__)


@exercise(hints=(
    "Only 144 steps are made. In the figure of the three optimisers, where is AdamW's valley after few steps?",
    "Some five to ten times the default rate. A schedule that climbs or falls has fewer steps of full length.",
))
def quick(answer):
    """Your settings reach a clearly lower loss in three epochs than the default ones, on average over two seeds."""
    expect_type(answer, FitConfig, cause="FitConfig(epochs=3, learning_rate=…)")
    expect_property(answer.epochs <= 3, f"{answer.epochs} epochs", "three at most", cause="more epochs are no art")
    try:
        mine = [_train_quickly(answer, seed) for seed in (0, 1)]
    except TrainingDivergedError as error:
        raise RejectedError(str(error), "a training that does not diverge", "too large a learning rate") from None
    expect_range(sum(mine) / 2, 0.0, 0.44, cause="too small a learning rate to arrive in three epochs, or one so "
                 "large that nothing settles")


@functools.cache
def _quick_data():
    """Every eighth row and column of 12 scenes."""
    patches = simulate_patches(range(3000, 3012))
    thin = {name: getattr(patches, name)[..., ::8, ::8] for name in ("image", "codes", "valid")}
    return PackedPatches(replace(patches, **thin))


def _train_quickly(config, seed):
    """The loss on the training scenes after a training from a seed."""
    scenes = _quick_data()
    with seeded(seed):
        loader = batches(scenes, 4, shuffle=True, generator=torch.Generator())
        return fit(PixelMLP(12), Segmentation(), loader, batches(scenes, 192), config).validation_loss[-1]


TESTS = {       # each test, and the mistake that it must catch
    "gradients_start_at_zero": "zero_grad forgotten",
    "rows_are_the_ones_asked_for": "index ignored",
    "validation_is_scaled": "validation not scaled",
    "validation_is_repeatable": "eval forgotten",
    "validation_has_its_own_data": "training part validated",
}


@exercise(hints=(
    "A test changes one thing, or does one thing twice, and compares. The right column of the table says what.",
    "Gradients: two equal steps at learning rate 0, `torch.manual_seed(0)` before each, then compare the `grad` of the "
    "parameters. Rows: compare `batch(rows)` with the rows of `train`. Scaling: look at mean and spread of "
    "`validation[0]`. Repeatable: `validate()` twice, after a step, which leaves the network in training mode. Data: "
    "exchange `validation` for something else; the loss must change.",
))
def five_tests(answer):
    """Each of your tests passes on the right training and fails on the one with its mistake."""
    expect_parts(answer, len(TESTS), "the five tests in a tuple, in the order of the stub")
    for test, (name, mistake) in zip(answer, TESTS.items(), strict=True):
        expect_property(_verdict(test, mistakes.Experiment, name), f"{name} gives False for a training without any "
                        "mistake", "True", cause="it demands more than the one thing; does dropout make the two runs "
                        "differ?")
        for kind in (forms[mistake] for forms in (mistakes.MISTAKES, mistakes.VARIANTS) if mistake in forms):
            expect_property(not _verdict(test, kind, name), f"{name} gives True for a training with this mistake: "
                            f"{kind.__doc__}", "False",
                            cause="it does not look at the thing that goes wrong; break it on purpose and watch")


def _verdict(test, kind, name):
    """What a test says about a class, as a truth value."""
    with torch.random.fork_rng(devices=[]):
        got = call(test, kind)
    if isinstance(got, np.bool_) or (torch.is_tensor(got) and got.numel() == 1):
        got = bool(got)
    expect_type(got, bool, expected=f"{name} gives True or False", cause="compare at the end, and `return` the result")
    return got


@exercise(hints=(
    "Run your five tests on your class: the one that gives False names the method.",
    "Two mistakes are in `validate`, one each in `__init__`, `batch` and `step`. `scaled` is there to be used twice.",
))
def bug_hunt(answer):
    """Gradients start at zero, rows are the right ones, and the validation is scaled, repeatable and its own."""
    experiment = call(mistakes.make, answer)
    for method in ("batch", "step", "validate"):
        expect_property(hasattr(experiment, method), f"a class without `{method}`", "the methods of `Sick`")
    right = mistakes.make(mistakes.Experiment)
    rows = torch.tensor([7, 3, 30])
    got, want = call(experiment.batch, rows), right.batch(rows)
    expect_parts(got, 2, "two tensors from `batch`: inputs and mask of the rows")
    for mine, wanted in zip(got, want, strict=True):
        expect_close(mine, wanted, expected="what belongs to the rows asked for",
                     cause="`batch` takes the first rows, whatever rows are asked for")
    _check_steps(answer)
    _check_validation(answer)


def _check_steps(kind):
    """Three steps of a class, each after a validation, against those of the right one."""
    seen = []
    for each in (kind, mistakes.Experiment):
        experiment = mistakes.make(each)
        losses = []
        for n in (0, 10, 20):
            call(experiment.validate)
            with seeded(n):
                losses.append(call(experiment.step, torch.arange(n, n + 10)))
        expect_property(experiment.model.training, "a step in evaluation mode, without dropout",
                        "a step in training mode", cause="after `validate` has called `eval`, `step` must call `train`")
        seen.append(losses + [p.detach().sum().item() for p in experiment.model.parameters()])
    expect_close(*seen, rtol=1e-3, atol=1e-5, expected="three losses, and the weights after these three steps",
                 cause="the gradients of earlier steps are still there: `zero_grad` is missing, or not in every step")


def _check_validation(kind):
    """The validation loss of a class after a step."""
    mine, right = mistakes.make(kind), mistakes.make(mistakes.Experiment)
    for experiment in (mine, right):
        with seeded(0):
            experiment.step(torch.arange(10))
    twice = [call(mine.validate) for _ in range(2)]
    expect_property(twice[0] == twice[1], "two validations of the same network that differ", "the same number",
                    cause="dropout is active in `validate`: `eval` is missing")
    want, right.validation = right.validate(), right.train
    expect_close(twice[0], want, rtol=1e-4, expected="the loss on the validation part, scaled as in training",
                 cause="`__init__` does not scale the validation inputs, or not with the mean and spread of the "
                 "training inputs",
                 slips=[(right.validate(), "`validate` looks at the training part")])
