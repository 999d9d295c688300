"""Checks of chapter 04, Multi-layer perceptrons."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_utils import simulate
from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_shape,
    expect_type,
)


@exercise(hints=(
    "Write down what happens to x: first x W₁ + b₁, then all of it times W₂, plus b₂. Multiply out.",
    "Stored weights are transposed, and (W₁ W₂)ᵀ = W₂ᵀ W₁ᵀ. The first bias passes through the second layer as well.",
))
def collapse(answer):
    """One layer that gives what the two give, for layers of any sizes, and the two are left as they were."""
    generator = torch.Generator().manual_seed(4)
    for inputs, between, outputs in [(3, 3, 3), (12, 5, 2), (2, 7, 4), (1, 1, 1)]:
        first, second = _layer(inputs, between, generator), _layer(between, outputs, generator)
        before = [part.detach().clone() for layer in (first, second) for part in layer.parameters()]
        got = call(answer, first, second)
        after = [part for layer in (first, second) for part in layer.parameters()]
        expect_property(all(torch.equal(a, b) for a, b in zip(before, after, strict=True)),
                        "one of the two layers changed", "the two layers left as they were",
                        cause="the result was written into a layer that was given")
        expect_type(got, nn.Linear, expected="an nn.Linear", cause="make a new layer and fill its weight and bias")
        expect_equal((got.in_features, got.out_features), (inputs, outputs), expected="its inputs, then its outputs",
                     slips=[((outputs, inputs), "inputs and outputs are exchanged")],
                     cause="the inputs of the first, the outputs of the second")
        expect_property(got.bias is not None, "a layer without a bias", "a layer with a bias")
        _compare_merged(got, first, second, torch.rand(6, inputs, generator=generator))


def _compare_merged(got, first, second, x):
    """Outputs of the merged layer against those of the two, with the usual slips."""
    with torch.no_grad():
        (a, b), (c, d) = ((layer.weight, layer.bias) for layer in (first, second))
        expect_shape(got.weight, (c.shape[0], a.shape[1]), cause="nn.Linear stores its weight as (outputs, inputs)")
        slips = [(x @ (c @ a).T + d, "the first bias is forgotten"),
                 (x @ (c @ a).T + c @ b, "the second bias is forgotten"),
                 (x @ (c @ a).T, "the biases are not copied")]
        if a.shape == c.T.shape:
            slips += [(x @ (c @ a).T + b + d, "the first bias must pass through the second layer")]
        if a.shape == c.shape == c.T.shape:
            slips += [(x @ (a @ c).T + c @ b + d, "the product the wrong way round: stored weights are transposed"),
                      (x @ (c @ a) + c @ b + d, "the product is right but transposed")]
        expect_close(got(x), second(first(x)), expected="what second(first(x)) gives", atol=1e-5, slips=slips,
                     cause="multiply (x W₁ + b₁) W₂ + b₂ out, and mind that weights are stored transposed")


def _layer(inputs, outputs, generator):
    """A linear layer with weights of its own draw."""
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        for part in layer.parameters():
            part.copy_(torch.randn(part.shape, generator=generator))
    return layer


@exercise(hints=(
    "A unit is zero where w₁x₁ + w₂x₂ + b < 0. Write each border as … = 0, and choose the sign so that the outer side "
    "grows.",
    "The first unit can be max(0, x₂ − 4x₁ + 0.8): weight (−4, 1), bias 0.8. In the output both units pull down: "
    "negative weights, and a positive bias that is left over where both are 0. Steep is better: −10 rather than −1.",
))
def wedge(answer):
    """Your two folds part cloud from ground and snow on other scenes, better than any straight line can."""
    expect_parts(answer, 4, "four values: hidden weight, hidden bias, output weight, output bias")
    values = []
    for value, shape in zip(answer, [(2, 2), (2,), (2,), ()], strict=True):
        expect_shape(value, shape, cause="hidden weight (2, 2), hidden bias (2,), output weight (2,), output bias ()")
        values.append(torch.as_tensor(np.asarray(value, dtype=np.float32)))
    weight, bias, out, rest = values
    x, cloud = _pixels_of_other_scenes()
    units = F.relu(x @ weight.T + bias)
    logits = units @ out + rest
    on = (units > 0).float().mean(dim=0)
    for unit, share in enumerate(on.tolist(), start=1):
        expect_property(0.01 < share < 0.99, f"unit {unit} is on for {share:.0%} of the pixels",
                        "a fold that some pixels lie on either side of",
                        cause="its line passes beside the pixels, or the sign of its weight and bias is turned")
    accuracy = ((logits > 0) == cloud).float().mean().item()
    turned = ((logits <= 0) == cloud).float().mean().item()
    swapped = ((F.relu(x @ weight + bias) @ out + rest > 0) == cloud).float().mean().item()
    expect_property(accuracy >= 0.77, f"{accuracy:.1%} of the pixels right", "at least 77 %", cause=(
        "the signs of the output are turned: the logit is to be positive inside" if turned >= 0.75 else
        "the weight is transposed: nn.Linear keeps one row for each unit" if swapped >= 0.77 else
        "move one border at a time; draw it with try_wedge(*wedge)"))


def _pixels_of_other_scenes():
    """Reflectance at 470 and 1618 nm, and the truth, on scenes outside the course's 150."""
    pixels, truth = [], []
    for number in (3000, 3001, 3002, 3004, 3005, 3006, 3008, 3009):
        scene = simulate.scene(number)
        part = scene.valid[::8, ::8]
        pixels.append(scene.image[[2, 9], ::8, ::8][:, part].T)
        truth.append(scene.mask[::8, ::8][part])
    return torch.from_numpy(np.concatenate(pixels)), torch.from_numpy(np.concatenate(truth))


@exercise(hints=(
    "A layer from m to n has m·n weights and n biases. There are three layers here.",
    "A linear layer replaces the last dimension and keeps the others; its weight is stored as (outputs, inputs).",
))
def parameters(answer):
    """Parameters, the shape of a stored weight, the shape of the output, and what is left without bends."""
    count, weight, output, flat = expect_parts(answer, 4, "four values: a number, two shapes, a number")
    expect_equal(count, 451, expected="all weights and biases of three layers", slips=[
        (7 * 16 + 16 * 16 + 16 * 3, "these are the weights alone; the biases are learned, too"),
        (7 * 16 + 16 + 16 * 3 + 3, "there are two hidden layers, so three linear ones"),
        (7 * 16 + 16 * 16 + 16 * 3 + 3, "the hidden layers have biases as well"),
    ], cause="for each layer, inputs times outputs plus outputs")
    expect_equal(weight, (16, 7), expected="the shape of the stored weight", slips=[
        ((7, 16), "PyTorch stores the transpose"), ((16, 8), "the bias is stored apart"),
    ], cause="7 inputs, 16 outputs")
    expect_equal(output, (50, 64, 64, 3), expected="the shape of the output", slips=[
        ((50, 3, 64, 64), "the layer leaves its outputs in the last dimension"),
        ((50, 64, 64, 16), "that is the output of a hidden layer"),
        ((50, 64, 64), "there are three logits for each pixel"), ((50, 3), "a layer keeps all dimensions but the last"),
    ], cause="a layer changes the last dimension only")
    expect_equal(flat, 24, expected="the parameters of one linear layer with the same inputs and outputs", slips=[
        (21, "it has a bias as well"), (451, "what can be merged needs fewer numbers"),
    ], cause="from 7 inputs straight to 3 outputs")


@exercise(hints=(
    "Loop over `np.unique(labels)`. Inside the loop, `np.flatnonzero(labels == label)` are the rows of one class.",
    "Shuffle these rows with `generator.permutation`, cut at `round(fraction * len(rows))`, and join the pieces of all "
    "classes with `np.concatenate` after the loop.",
))
def stratified(answer):
    """Each class is dealt on its own, every row is on one side, and the generator decides which."""
    labels = np.repeat([0, 1, 2, 5], [40, 7, 23, 1])
    np.random.default_rng(2).shuffle(labels)
    for seed, fraction in enumerate((0.3, 0.5, 0.25)):
        parts = call(answer, labels, fraction, np.random.default_rng(seed))
        train, test = map(_rows, expect_parts(parts, 2, "two arrays: train rows, test rows"))
        given = np.concatenate([train, test])
        expect_property(given.dtype.kind in "iu", f"values of type {given.dtype}", "whole numbers: rows of `labels`")
        expect_property(np.array_equal(np.sort(given), np.arange(len(labels))),
                        f"{train.size} + {test.size} rows, {np.unique(given).size} of them different, of {len(labels)}",
                        "every row once, on one side", cause="some rows are left out" if given.size < len(labels) else
                        "a row is in both parts" if np.unique(given).size == len(labels) else
                        "places inside a class, not rows of the table?")
        for label in np.unique(labels):
            rows = int((labels == label).sum())
            expect_equal(int((labels[test] == label).sum()), round(fraction * rows),
                         expected=f"the test rows of a class of {rows}, with fraction {fraction}",
                         slips=[(rows - round(fraction * rows), "train and test are exchanged"),
                                (math.floor(fraction * rows), "rounded down, where `round` goes to the nearest"),
                                (math.ceil(fraction * rows), "rounded up, where `round` goes to the nearest")],
                         cause="the rows are shuffled together, so the shares are left to chance")
    first, again, other = (np.asarray(call(answer, labels, 0.5, np.random.default_rng(seed))[1]) for seed in (0, 0, 1))
    expect_property(np.array_equal(first, again), "two splits from generators with the same seed that differ",
                    "the same split from the same seed", cause="randomness that does not come from `generator`")
    expect_property(not np.array_equal(np.sort(first), np.sort(other)), "the same split from two different seeds",
                    "a random draw", cause="`generator` is not used")


def _rows(part):
    """One part of a split, which must be a single array of rows."""
    pieces = isinstance(part, (tuple, list)) and any(np.ndim(piece) > 0 for piece in part)
    expect_property(not pieces, f"a {type(part).__name__} of {len(part)} arrays", "one array with the rows of all "
                    "classes", cause="join the pieces of the classes with `np.concatenate` after the loop")
    return np.asarray(part)


@exercise(hints=(
    "Compare `sum(p.numel() for p in suspect.parameters())` with a count on paper.",
    "A module finds layers that are attributes, and those inside nn.Sequential or nn.ModuleList. A list is no module.",
))
def bug_hunt(answer):
    """All layers of your network are registered, the loss reaches each of them, and it bends and gives logits."""
    for channels, width, depth in [(12, 8, 3), (2, 5, 1), (3, 16, 5)]:
        torch.manual_seed(0)
        model = call(answer, channels, width, depth)
        expect_type(model, nn.Module, expected="an nn.Module")
        wanted = channels * width + width + (depth - 1) * (width * width + width) + width + 1
        expect_equal(sum(part.numel() for part in model.parameters()), wanted,
                     expected=f"all parameters of {depth} hidden layers and the output",
                     slips=[(width + 1, "only the output layer is registered: the hidden ones are in a plain list")],
                     cause="a layer is missing, superfluous, or not registered")
        x = torch.randn(20, channels, generator=torch.Generator().manual_seed(1))
        passed = _watch_layers(model)
        got = call(model, x)
        expect_shape(got, (20,), cause="one logit for each pixel: `squeeze(-1)`")
        _expect_all_learn(model, got)
        for number, ((_, out), (given, _)) in enumerate(pairwise(passed), start=1):
            expect_property(not torch.equal(out, given),
                            f"linear layer {number + 1} gets what layer {number} gives: together they are one",
                            "a ReLU after each hidden layer", cause="the activation was lost")
        with torch.no_grad():
            far = model(100 * x)
        expect_property(bool(((far < 0) | (far > 1)).any()), "values between 0 and 1 only", "logits",
                        cause="the loss applies the sigmoid itself")


def _watch_layers(model):
    """A list to which each linear layer will add what it gets and what it gives, in the order of the calls."""
    passed = []
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda _, given, out: passed.append((given[0].clone(), out.clone())))
    return passed


def _expect_all_learn(model, output):
    """A loss of the output reaches every linear layer."""
    F.mse_loss(output, torch.ones_like(output)).backward()
    still = [name for name, part in model.named_parameters() if part.grad is None]
    expect_property(not still, f"no gradient for {', '.join(still)}", "a gradient for every parameter",
                    cause="a layer that is registered but not used in `forward`")
