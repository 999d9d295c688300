"""Checks of chapter 03: steps by hand, cross-entropy and its gradient, new columns, a loss that will not fall."""

from functools import cache

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from course_utils import losses
from course_utils.checks.core import call, exercise
from course_utils.checks.expect import expect_close, expect_dtype, expect_parts, expect_property, expect_shape
from course_utils.codes import IGNORE, is_cloud
from course_utils.data.patches import load_patches
from course_utils.data.samples import LAND
from course_utils.simulate import decode_uint8

PIXELS = 20_000
MOST_COLUMNS = 15
LEAST_GAIN = 0.02


@exercise(hints=(
    "The derivative of (θ − 3)² is 2 (θ − 3). At θ = 0 it is −6.",
    "A step is θ − rate · gradient. Look at the distance to 3: a step multiplies it by 1 − 2 · rate.",
))
def steps(answer):
    """All five positions are right; a step multiplies the distance to the minimum by 1 − 2 · rate."""
    expect_shape(answer, (5,), cause="five numbers in one tuple")
    starts = ((0.25, 1), (0.25, 2), (1.0, 1), (1.0, 2), (1.5, 2))
    right = [3 - 3 * (1 - 2 * rate) ** count for rate, count in starts]
    expect_close(answer, right, expected="positions after steps", cause="step by step: θ − rate · gradient", slips=[
        ([3 - 3 * (1 + 2 * rate) ** count for rate, count in starts], "uphill: the gradient is subtracted"),
        ([3 - 3 * (1 - rate) ** count for rate, count in starts], "the factor 2 of the derivative is missing"),
        ([6 * rate * count for rate, count in starts], "the gradient is that of the start in every step; it changes on "
                                                       "the way"),
        ([3 * (1 - 2 * rate) ** count for rate, count in starts], "these are distances to 3, not positions"),
        ([-3 * (1 - 2 * rate) ** count for rate, count in starts], "these are distances to 3, not positions"),
    ])


@exercise(hints=(
    "Select the valid pixels first. Then three terms: max(z, 0), y z, and a logarithm.",
    "`z.clamp(min=0)` is max(z, 0), and `torch.log1p(t)` is log(1 + t). The mask has to become a number: `.float()`.",
))
def bce(answer):
    """The loss is right over the valid pixels, at ordinary logits, at ±1000, and where what is not valid is NaN."""
    generator = torch.Generator().manual_seed(3)
    for shape, size in (((7,), 2.0), ((2, 3, 5), 2.0), ((4, 6), 30.0), ((2, 5), 1000.0)):
        z = size * torch.randn(shape, generator=generator)
        mask = torch.rand(shape, generator=generator) < 0.4
        valid = torch.rand(shape, generator=generator) < 0.7
        valid.flatten()[:2] = torch.tensor([True, False])
        want = losses.bce(z, mask, valid)
        holes = torch.where(valid, z, torch.nan)
        got = call(answer, torch.where(valid, z, 5.0), mask, valid)
        expect_property(_finite(got), f"a loss of {got} for logits of about ±{size:g}", "a finite number",
                        cause="e^z overflows, or a sigmoid was rounded to 1")
        expect_close(got, want, expected="one number: the mean over the valid pixels", rtol=1e-4,
                     cause="the three terms of the formula" if size < 10 else
                           "small logits come out right, large ones do not: is a probability or a logit clamped?",
                     slips=_slips_of_bce(torch.where(valid, z, 5.0), mask, valid))
        expect_property(_finite(call(answer, holes, mask, valid)), "not-a-number, as in a pixel that is not valid",
                        "a number", cause="NaN · 0 is NaN: select the valid pixels instead of multiplying")
    clear, every = torch.zeros(3, dtype=torch.bool), torch.ones(3, dtype=torch.bool)
    sure = call(answer, torch.full((3,), -20.0), clear, every)
    expect_property(0 < float(sure) < 1e-8, f"a loss of {float(sure):.3g} for a clear pixel at logit -20",
                    "something tiny that is not 0", cause="log(1 + t) loses a tiny t; `torch.log1p` does not")


def _finite(value):
    """Whether all of a number or tensor is finite."""
    return bool(torch.isfinite(torch.as_tensor(value)).all())


def _slips_of_bce(z, mask, valid):
    """Losses that known slips lead to."""
    y = mask.to(z.dtype)
    each = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    return [(each.mean(), "the mean is over all pixels, not over the valid ones"),
            ((each * valid).mean(), "the sum is over valid pixels, but it was divided by all"),
            (each[valid].sum(), "the sum, not the mean"),
            (losses.bce(z, ~mask, valid), "cloud and clear are exchanged"),
            (losses.bce(torch.sigmoid(z), mask, valid), "the sigmoid is applied once too often"),
            (-losses.bce(z, mask, valid), "the sign: a loss is minus the log-likelihood")]


@exercise(hints=(
    "`image[:, valid]` is (C, N): all channels of the valid pixels. From there it is the formula of the chapter.",
    "The error is sigmoid(logit) − y, (N,). Its mean is the gradient of the bias; `x @ error / N` that of the weight.",
))
def image_gradient(answer):
    """Both gradients agree with PyTorch's own, over valid pixels only, whatever the others hold."""
    generator = torch.Generator().manual_seed(4)
    for channels, height, width in ((12, 4, 5), (3, 1, 7), (5, 6, 2)):
        image = torch.rand(channels, height, width, generator=generator)
        mask, valid = (torch.rand(height, width, generator=generator) < share for share in (0.5, 0.6))
        valid[0, :2] = torch.tensor([True, False])
        weight, bias = torch.randn(channels, generator=generator), torch.randn((), generator=generator)
        want = _autograd(weight, bias, image, mask, valid)
        for off in (2.0, torch.nan):
            given = torch.where(valid, image, torch.tensor(off))
            got = call(answer, weight, bias, given, mask, valid)
            expect_parts(got, 2, "two gradients: of the weight and of the bias")
            expect_shape(got[0], (channels,), cause="one number for each channel: sum over the pixels")
            expect_shape(got[1], (), cause="the bias is one number")
            expect_property(_finite(got[0]) and _finite(got[1]), "not-a-number, as in a pixel that is not valid",
                            "numbers", cause="NaN · 0 is NaN: select the valid pixels instead of multiplying")
            for place, name in enumerate(("weight", "bias")):
                expect_close(got[place], want[place], expected=f"the gradient of the {name}", rtol=1e-3, atol=1e-6,
                             cause="(p − y) x, then the mean",
                             slips=_slips_of_gradient(weight, bias, given, mask, valid, place))


def _autograd(weight, bias, image, mask, valid):
    """PyTorch's own gradients of the loss."""
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    losses.bce(torch.einsum("c,chw->hw", weight, image) + bias, mask, valid).backward()
    return weight.grad, bias.grad


def _slips_of_gradient(weight, bias, image, mask, valid, place):
    """Gradients that known slips lead to, of the weight (place 0) or the bias (1)."""
    right = _autograd(weight, bias, image.nan_to_num(), mask, valid)[place]
    count, all_valid = int(valid.sum()), torch.ones_like(valid)
    x, y = image[:, valid], mask[valid].float()
    prob = torch.sigmoid(weight @ x + bias)

    def gradient(error):
        return (x @ error / count, error.mean())[place]

    return [(-right, "the sign: error is p − y"),
            (right * count, "the sum over the pixels, not the mean"),
            (right * count / valid.numel(), "divided by all pixels instead of the valid ones"),
            (_autograd(weight, bias, image, mask, all_valid)[place], "the pixels that are not valid were counted"),
            (gradient(weight @ x + bias - y), "the sigmoid is missing"),
            (gradient(torch.sigmoid(weight @ x) - y), "the bias is missing in the logit"),
            (gradient((prob - y) * prob * (1 - prob)), "p (1 − p) cancels: what is left is p − y"),
            (2 * right, "the factor 2 belongs to the squared error, not to this loss")]


@exercise(hints=(
    "The twelve channels stay; join new columns to them with `torch.cat([pixels, column], dim=1)`.",
    "On a plain axis, nearly all of the S of the figure would sit at the left edge. A logarithm or a root opens it.",
    "Channel 8 is 1378 nm. Add a little before the logarithm, for a pixel may hold 0. A slice `8:9` keeps the column.",
))
def features(answer):
    """Your columns separate cloud from clear better than the twelve channels alone, on scenes that had no say."""
    (pixels, mask), (unseen, truth) = _pixels("train"), _pixels("validation")
    columns, others = (call(answer, part) for part in (pixels, unseen))
    for got, part in ((columns, pixels), (others, unseen)):
        expect_dtype(got, torch.float32)
        expect_property(got.ndim == 2 and len(got) == len(part), f"shape {tuple(got.shape)} for {len(part)} pixels",
                        "(N, K): a row for each pixel", cause="a column is (N, 1), as `[:, 8:9]`; join with dim=1")
        expect_property(got.shape[1] <= MOST_COLUMNS, f"{got.shape[1]} columns", f"at most {MOST_COLUMNS}")
        expect_property(_finite(got), "columns that hold infinity or not-a-number", "finite numbers",
                        cause="a logarithm of 0 or a division by 0; add something small first")
    some = call(answer, pixels[:100])
    expect_close(some, columns[:100], expected="the same columns for a pixel, whoever its neighbours are", rtol=1e-3,
                 atol=1e-4, cause="a mean or a spread is taken over the pixels that happen to be there")
    alone, loss = _validation_loss(pixels, mask, unseen, truth), _validation_loss(columns, mask, others, truth)
    cause = ("new columns that are sums of the old ones add nothing" if alone - loss < LEAST_GAIN / 20 else
             "the right way, not yet far enough; which band has most of its values near 0?")
    expect_property(alone - loss >= LEAST_GAIN, f"a validation loss of {loss:.3f}, with the twelve channels alone "
                    f"{alone:.3f}", f"at least {LEAST_GAIN} less than with the twelve alone", cause=cause)


def _validation_loss(columns, mask, others, truth):
    """The loss on other pixels of a logistic regression fitted to some columns of the training pixels."""
    mean, spread = columns.mean(dim=0), columns.std(dim=0).clamp(min=1e-9)
    model = LogisticRegression(C=1e6, solver="newton-cholesky", max_iter=100)
    model.fit(((columns - mean) / spread).double().numpy(), mask.numpy())
    logits = model.decision_function(((others - mean) / spread).double().numpy())
    return losses.bce(torch.from_numpy(logits), truth).item()


@cache
def _pixels(part):
    """Random pixels of a part of the course's data: (N, 12) reflectances and their mask."""
    generator, patches = np.random.default_rng(7), load_patches(part, progress=False)
    stored = patches.patches
    patch = generator.choice(np.flatnonzero(np.isin(stored.scene, patches.scenes)), PIXELS)
    row, column = generator.integers(0, stored.codes.shape[-1], (2, PIXELS))
    codes, packed = stored.codes[patch, row, column], stored.image[patch, :, row, column]
    land = stored.channels.index(LAND)
    pixels = decode_uint8(packed)
    pixels[:, land] = packed[:, land] > 0
    measured = codes != IGNORE
    return torch.from_numpy(pixels[measured]), torch.from_numpy(is_cloud(codes[measured]))


@exercise(hints=(
    "What does `losses.bce` want as its first argument? And what does it get?",
    "The loss applies a sigmoid itself. Leave out yours, in the loss and in the gradient, which is then (p − y) x.",
))
def bug_hunt(answer):
    """A step follows the gradient of the mean BCE of the logits, and the loss is the one before the step."""
    generator = torch.Generator().manual_seed(5)
    for count, channels in ((40, 3), (25, 13)):
        x = torch.randn(count, channels, generator=generator)
        mask = x[:, 0] + 0.5 * torch.randn(count, generator=generator) > 0.2
        weights = torch.randn(channels, generator=generator)
        got = call(answer, weights, x, mask, 0.3)
        expect_parts(got, 2, "two values: the new weights and the loss")
        logits, prob = x @ weights, torch.sigmoid(x @ weights)
        twice = torch.sigmoid(prob) - mask.float()
        expect_close(got[1], losses.bce(logits, mask), expected="the loss before the step", rtol=1e-4,
                     cause="the mean BCE of the logits",
                     slips=[(losses.bce(prob, mask), "the loss applies a sigmoid itself, so here it is applied twice")])
        expect_close(got[0], weights - 0.3 * x.T @ (prob - mask.float()) / count, expected="the weights after the step",
                     rtol=1e-4, atol=1e-6, cause="the gradient of the loss: (p − y) x", slips=[
                         (weights - 0.3 * x.T @ (twice * prob * (1 - prob)) / count,
                          "the gradient still belongs to a sigmoid that is applied twice"),
                         (weights - 0.3 * x.T @ ((prob - mask.float()) * prob * (1 - prob)) / count,
                          "p (1 − p) came from your own sigmoid; of the loss of logits, p − y is the whole derivative"),
                         (weights - 0.3 * x.T @ twice / count, "the error has one sigmoid too many"),
                         (weights + 0.3 * x.T @ (prob - mask.float()) / count, "uphill: the gradient is subtracted"),
                     ])
