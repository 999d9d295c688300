"""Checks of chapter 08, Convolutional networks."""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import StackDataset

from course_utils.checks.core import RejectedError, call, describe, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_shape,
    expect_type,
)
from course_utils.data.digits import load_digits
from course_utils.data.patches import batches
from course_utils.tasks import Classification
from course_utils.train import FitConfig, TrainingDivergedError, fit


@exercise(hints=(
    "A convolution has one kernel for each pair of input and output channel, and one bias for each output channel. "
    "`Linear(a, b)` has a weight for each pair, too.",
    "First convolution: 1 channel in, 16 out, 9 weights a kernel. The linear layer gets what Flatten leaves: channels "
    "times rows times columns after two poolings.",
))
def parameters(answer):
    """Kernels for each pair of channels, a bias for each output; only the linear layer knows the picture's size."""
    expect_shape(answer, (3,), cause="give three numbers in one tuple")
    expect_equal(tuple(answer), (160, 4640, 1290), expected="parameters of the two convolutions and the linear layer",
                 cause="count inputs · outputs (· 9 for a 3×3 kernel) and one bias per output", slips=[
        ((144, 4608, 1280), "the biases are missing"),
        ((160, 320, 1290), "each kernel of the second convolution is as deep as its input: 16 channels"),
        ((10, 4640, 1290), "the first convolution has 16 kernels, not one"),
        ((160, 4640, 330), "Flatten keeps every position: 32 channels of 2×2"),
        ((160, 4640, 20490), "two poolings have halved the picture twice before it is flattened"),
        ((160, 4640, 5130), "there are two poolings before Flatten: 2×2 positions are left, not 4×4"),
    ])


@exercise(hints=(
    "Over which axes is a channel's mean taken? It must come out with shape (C,), and be shaped to (C, 1, 1) to be "
    "subtracted.",
    "Training: normalise with the batch's own mean and its variance with `correction=0`; the running ones become 0.9 "
    "of themselves and 0.1 of the batch's, the variance times n / (n − 1). Evaluation: use the running ones, keep "
    "them.",
))
def batch_norm(answer):
    """Both modes agree with torch, and the running statistics remember the unbiased variance."""
    generator = torch.Generator().manual_seed(0)
    for shape in ((4, 3, 5, 6), (2, 1, 2, 1), (7, 2, 1, 1)):
        x = 3 + 2 * torch.randn(shape, generator=generator)
        mean, var = torch.randn(shape[1], generator=generator), 1 + torch.rand(shape[1], generator=generator)
        for training in (True, False):
            got = call(answer, x, mean, var, training)
            expect_parts(got, 3, "three tensors: the normalised x, the running mean and variance")
            _check_normalised(got[0], x, mean, var, training)
            _check_running(got[1:], x, mean, var, training)


def _check_normalised(got, x, mean, var, training):
    """The output of one call."""
    def scaled(centre, spread2):
        return (x - centre) / (spread2 + 1e-5).sqrt()

    axes = {"dim": (0, 2, 3), "keepdim": True}
    each = {"dim": (2, 3), "keepdim": True}
    running = scaled(mean[:, None, None], var[:, None, None])
    batch = scaled(x.mean(**axes), x.var(**axes, correction=0))
    slips = [
        (running if training else batch, "the two modes are exchanged: the batch's own statistics belong to training"),
        (scaled(x.mean(**axes), x.var(**axes)), "the batch is divided by its plain variance: `correction=0`"),
        (scaled(x.mean(**each), x.var(**each, correction=0)), "the mean is taken over the batch as well, axis 0"),
        (scaled(x.mean(), x.var(correction=0)), "each channel has its own mean: leave axis 1 out of the mean"),
    ]
    mode = "training" if training else "evaluation"
    expect_close(got, batch if training else running, rtol=1e-3, atol=1e-4, slips=slips,
                 expected=f"x normalised in {mode} mode",
                 cause="the formula; ε is added to the variance, under the root")


def _check_running(got, x, mean, var, training):
    """The running statistics after one call."""
    batch_mean = x.mean(dim=(0, 2, 3))
    batch_var, plain = x.var(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), correction=0)
    updated = (0.9 * mean + 0.1 * batch_mean, 0.9 * var + 0.1 * batch_var)
    want = updated if training else (mean, var)
    for name, mine, right, old, new, late in zip(("mean", "variance"), got, want, (mean, var), updated,
                                                (batch_mean, batch_var), strict=True):
        slips = [
            (new, "in evaluation mode nothing is remembered"),
            (old, "in training mode the running statistics move"),
            (0.1 * old + 0.9 * late, "0.9 and 0.1 are exchanged: most of the old value stays"),
            (late, "the running value is replaced instead of moved by a tenth"),
            (0.9 * var + 0.1 * plain, "the running variance remembers the unbiased one, times n / (n − 1)"),
        ]
        expect_close(mine, right, rtol=1e-4, atol=1e-5, slips=slips, expected=f"the running {name} after the call",
                     cause="the second formula")


@exercise(hints=(
    "One 2×2 pooling merges pixels 0 and 1, 2 and 3, … of its input. By how much must a picture move so that the same "
    "pixels are merged again? And after three poolings?",
    "Every shift that is a multiple of 2 · 2 · 2 pixels. Which of them are at most 20?",
))
def shifts(answer):
    """Multiples of what the poolings merge move the last maps by whole positions, and no other shift does."""
    expect_type(answer, (tuple, list, set, range), expected="shifts in pixels, in a tuple",
                cause="one number in a tuple is (n,)")
    expect_property(all(isinstance(part, int) and not isinstance(part, bool) for part in answer), f"{answer!r}",
                    "whole numbers of pixels")
    expect_equal(sorted(answer), (8, 16), expected="all shifts from 1 to 20 that change nothing, whatever the weights",
                 cause="think of what three poolings, one after the other, merge", slips=[
        (tuple(range(1, 21)), "poolings merge fixed pairs of pixels; a shift by one merges other pairs"),
        (tuple(range(2, 21, 2)), "that holds for one pooling; here are three"),
        ((4, 8, 12, 16, 20), "that holds for two poolings; here are three"),
        ((6, 12, 18), "each pooling doubles what is merged, it does not add to it"),
        ((8,), "not only once: a multiple of it moves the maps by whole positions, too"),
    ])


LIMIT, REACH, WANTED = 6000, 4, 0.85        # parameters at most; shifts in pixels; accuracy over all shifts


@exercise(hints=(
    "Two things tie a network to positions: a linear layer that sees each of them, and poolings that merge fixed "
    "pairs.",
    "Average or take the maximum over each whole map before the linear layer (`AdaptiveAvgPool2d(1)`, "
    "`AdaptiveMaxPool2d(1)`), and leave out the 2×2 poolings. 16 and 32 channels fit the limit.",
))
def shift_proof(answer):
    """Within the limit of parameters, digits are read over all shifts although training showed centred ones."""
    torch.manual_seed(0)
    net = call(answer)
    expect_type(net, nn.Module, expected="a network", cause="`make` returns a new network")
    count = sum(p.numel() for p in net.parameters())
    expect_property(0 < count <= LIMIT, f"{count} parameters", f"some, and at most {LIMIT}",
                    cause="fewer channels; or no linear layer on a long flattened vector")
    train, held = _centred()
    with torch.no_grad():
        try:
            shape = tuple(net.eval()(held["image"][:2]).shape)
        except Exception as error:
            raise RejectedError(f"the network raised {type(error).__name__}: {error}", "logits for (2, 1, 16, 16)",
                                "the linear layer's inputs must be what the layers before it leave") from error
    expect_property(shape == (2, 10), f"an output of shape {shape}", "(2, 10): ten logits for each of two pictures")
    try:
        _learn(net, train)
    except (TrainingDivergedError, RuntimeError) as error:
        raise RejectedError(f"the training stopped: {error}", "a network that can be trained") from error
    reached = _over_shifts(net, held)
    expect_property(reached[0] >= WANTED, f"{reached[0]:.0%} of the centred digits", f"at least {WANTED:.0%}",
                    cause="the network does not learn enough even without shifts: more channels, or another layer")
    mean = float(np.mean(reached))
    expect_property(mean >= WANTED, f"{reached[0]:.0%} of the centred digits, {mean:.0%} over all shifts",
                    f"at least {WANTED:.0%} over all shifts", cause="flattening tells the linear layer where each "
                    "stroke is; and a 2×2 pooling merges other pixels after an odd shift")


@functools.cache
def _centred():
    """Digits on sheets of 16×16: 1,000 to train, the rest held out."""
    digits = load_digits()
    image = F.pad(torch.from_numpy(digits.images), (REACH,) * 4)
    label = torch.from_numpy(digits.labels)
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(0))
    return tuple({"image": image[rows], "label": label[rows]} for rows in (order[:1000], order[1000:]))


def _learn(net, train):
    """The training of the chapter, without a validation part of its own."""
    loader = batches(StackDataset(**train), 64, shuffle=True, generator=torch.Generator())
    some = [{name: value[:64] for name, value in train.items()}]
    with torch.random.fork_rng(devices=[]):
        fit(net, Classification(10), loader, some, FitConfig(epochs=10, learning_rate=0.01, schedule="onecycle"))


@torch.no_grad()
def _over_shifts(net, held):
    """Accuracy of a network for shifts to the right by 0, 1, … pixels."""
    net.eval()
    moved = (F.pad(held["image"], (right, -right, 0, 0)) for right in range(REACH + 1))
    return [(net(image).argmax(dim=1) == held["label"]).float().mean().item() for image in moved]


@exercise(hints=(
    "Give `parts` pictures that are all different and look for one that is in both parts, shifted or not. What does a "
    "mirrored 2 show?",
    "Draw the order and cut it into test and train first. Then add shifted copies to the training part alone, and no "
    "mirror images. `F.cross_entropy` takes the softmax itself.",
))
def bug_hunt(answer):
    """The split comes first, only the training part is augmented, nothing is mirrored, and the loss takes logits."""
    maker = call(answer)
    for method in ("parts", "loss"):
        expect_property(hasattr(maker, method), f"a class without `{method}`", "the methods of `Digits`")
    images = torch.zeros(40, 1, 8, 8)
    images[:, 0, 2:6, 2:6] = torch.rand(40, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(40) % 10
    got = call(maker.parts, images, labels, torch.Generator().manual_seed(1))
    expect_property(isinstance(got, (tuple, list)) and len(got) == 2 and all(len(part) == 2 for part in got),
                    describe(got), "two pairs: images and labels of the training part, and of the test part")
    (train, train_labels), (test, test_labels) = got
    shown = {_key(image): number for number, image in enumerate(images)}
    copies = {_key(_right(image)): number for number, image in enumerate(images)}
    mirrored = {_key(kind.flip(-1)) for image in images for kind in (image, _right(image))}
    in_train, in_test = [_key(image) for image in train], [_key(image) for image in test]
    expect_property(not mirrored & {*in_train, *in_test}, "mirror images of digits", "only pictures whose label is "
                    "still true", cause="a mirrored 2 is no 2: `flip` changes what a digit shows")
    known = shown | copies
    expect_property(all(key in known for key in in_train + in_test), "pictures that are neither digits as given nor "
                    "digits shifted by one pixel to the right", "these two kinds")
    learned, held = {known[key] for key in in_train}, {known[key] for key in in_test}
    expect_property(not learned & held, f"{len(learned & held)} of the digits, perhaps shifted, in both parts",
                    "no digit in both", cause="the copies are made before the split, and fall on both sides of it")
    expect_property(all(key in shown for key in in_test), "shifted pictures in the test part", "the test part as it is",
                    cause="only the training part is augmented")
    expect_property(len(in_test) == 10 and len(learned) == 30, f"{len(in_test)} test pictures, and copies of "
                    f"{len(learned)} digits to train on", "a quarter of 40 for the test, the others to train on")
    expect_property(any(key in copies for key in in_train), "a training part without shifted copies",
                    "digits and shifted digits", cause="augmentation is wanted, after the split")
    right = ([known[key] % 10 for key in in_train], [known[key] % 10 for key in in_test])
    for mine, wanted in zip((train_labels, test_labels), right, strict=True):
        expect_equal(mine, wanted, expected="the label of each picture", cause="labels must be repeated in the order "
                     "in which the pictures are joined")
    _check_loss(maker)


def _right(image):
    """A picture shifted by one pixel to the right."""
    return F.pad(image, (1, -1))


def _key(image):
    """A picture as something that can be looked up."""
    return tuple(image.flatten().tolist())


def _check_loss(maker):
    """Cross-entropy of logits."""
    generator = torch.Generator().manual_seed(2)
    for rows in (1, 6):
        logits = 4 * torch.randn(rows, 10, generator=generator)
        labels = torch.randint(10, (rows,), generator=generator)
        expect_close(call(maker.loss, logits, labels), F.cross_entropy(logits, labels), slips=[
            (F.cross_entropy(logits.softmax(dim=1), labels), "the softmax is taken twice: logits are wanted"),
            (F.nll_loss(logits.softmax(dim=1), labels), "the logarithm is missing"),
        ], expected="the cross-entropy of the logits, averaged over pictures", cause="`F.cross_entropy` does all of it")
