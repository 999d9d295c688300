"""Checks of chapter 09, From patches to pixels."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_equal,
    expect_property,
    expect_range,
    expect_shape,
    expect_type,
)
from course_utils.simulate.sky_geometry import CIRCLE


@exercise(hints=(
    "Patch by patch, a layer works once for each place of its output. How many places has the output of each?",
    "The outputs are 28×28, 10×10 and 1×1 places, and a linear layer is asked once. Densely it is one place a pixel.",
))
def saved(answer):
    """The saving of a layer is the number of places that its output has in a patch."""
    expect_shape(answer, (4,), cause="give four numbers in one tuple")
    expect_close(answer, (784, 100, 1, 1), expected="one factor for each of the four layers",
                 cause="how many outputs has the layer in one patch, and how many for one pixel of a frame?", slips=[
        ((28, 10, 1, 1), "that is one side of the output: it has rows and columns"),
        ((1024, 196, 25, 1), "count the places of the layer's output, not of its input"),
        ((1, 1, 1, 1), "neighbouring patches share nearly all their pixels: what one computes, the next needs, too"),
    ])


@exercise(hints=(
    "The first output of the whole frame is that of the first patch. Where is the middle of that patch?",
    "(256 − 32) / 4 steps from the first patch to the last. A patch that starts at row s has its middle at row s + 16.",
))
def places(answer):
    """The coarse map has an output for every fourth row, from the middle of the first patch to that of the last."""
    expect_shape(answer, (3,), cause="give three numbers in one tuple")
    expect_equal(tuple(answer), (57, 16, 240), expected="number of rows, first row, last row",
                 cause="slide a patch of 32 rows over 256 rows, four at a time", slips=[
        ((56, 16, 236), "the fence has one post more than gaps: count the first patch, too"),
        ((57, 15, 239), "the middle is the pixel after the first 16 rows, and rows count from 0"),
        ((57, 0, 224), "these are the first rows of the patches, not their middles"),
        ((64, 0, 252), "that is the padded frame; here nothing is padded"),
    ])


@exercise(hints=(
    "The weights of the linear layer are (outputs, channels · side · side). What shape has the kernel of a Conv2d?",
    "`linear.weight.reshape(…)` to (outputs, channels, side, side), because flatten runs through a patch in that "
    "order; the bias stays.",
))
def linear_to_conv(answer):
    """The convolution has the linear layer's numbers, gives its outputs on one patch, and slides over larger maps."""
    generator = torch.Generator().manual_seed(0)
    for channels, side, outputs in ((3, 2, 5), (1, 4, 2), (6, 1, 3)):
        linear = nn.Linear(channels * side * side, outputs)
        conv = call(answer, linear, channels, side)
        expect_type(conv, nn.Module, expected="a convolution", cause="return the layer, not its output")
        maps = torch.randn(2, channels, side + 3, side + 1, generator=generator)
        wanted = torch.stack([torch.stack([linear(maps[:, :, r : r + side, c : c + side].flatten(1))
                                           for c in range(2)], dim=-1) for r in range(4)], dim=-2)
        got = call(conv, maps)
        shuffled = linear.weight.reshape(outputs, side, side, channels).movedim(-1, 1)
        flipped = linear.weight.reshape(outputs, channels, side, side).flip(2, 3)
        plain = linear.weight.reshape(outputs, channels, side, side)
        slips = [
            (F.conv2d(maps, shuffled, linear.bias), "flatten runs through the channels last to first: the kernel is "
             "(outputs, channels, side, side)"),
            (F.conv2d(maps, plain.transpose(2, 3), linear.bias), "rows and columns of the kernel are exchanged"),
            (F.conv2d(maps, flipped, linear.bias), "torch's convolution does not flip its kernel"),
            (F.conv2d(maps, plain), "the bias is missing"),
            (F.conv2d(maps, plain, linear.bias, stride=side), "the stride: patches overlap, so the kernel moves on "
             "by one pixel at a time, whatever its size"),
            (F.conv2d(maps, plain, linear.bias, padding=side // 2), "the padding: every patch lies inside the map"),
        ]
        expect_close(got.detach(), wanted.detach(), atol=1e-5, cause="the convolution has weights of its own; copy "
                     "those of the linear layer", slips=[(value.detach(), why) for value, why in slips],
                     expected="at every place what the linear layer gives for the patch there")


def _zenith(size):
    """Zenith angle (radians) of each pixel of an all-sky frame: 0 in the middle, π/2 at the edge of its circle."""
    place = np.arange(size) - (size - 1) / 2
    return np.hypot(*np.meshgrid(place, place, indexing="ij")) * np.pi / (CIRCLE * size)


def _fraction(mask, valid, weigh):
    """Share of the visible sky that is cloud, each pixel counted with a weight of its zenith angle."""
    weight = weigh(np.maximum(_zenith(len(mask)), 1e-9))
    return (weight * mask)[valid].sum() / weight[valid].sum()


@exercise(hints=(
    "Where is the middle of the frame, and how does the zenith angle grow from there? At the circle's edge it is 90°.",
    "θ = distance · (π/2) / (0.97 · N/2), in radians. Weigh each pixel with sin θ / θ, divide the weighted sum of the "
    "cloud by that of all valid pixels, and let nothing outside count.",
))
def cloud_fraction(answer):
    """Pixels count by their solid angle, those outside not at all, in frames of even and odd size."""
    rng = np.random.default_rng(0)
    for size in (64, 101, 128):
        zenith = _zenith(size)
        down = np.arange(size)[:, None] - (size - 1) / 2
        inside = zenith <= np.pi / 2
        for mask in (zenith < np.pi / 3, zenith > np.pi / 4, (down > 3) & (zenith > 0.8)):
            valid = inside & (zenith + 0.3 * rng.random(zenith.shape) < 1.6)
            right_one = _fraction(mask, valid, lambda z: np.sin(z) / z)
            got = call(answer, mask, valid)                        # a prediction goes on beyond the visible sky
            seen, cloud, seen_cloud = (_fraction(part, np.ones_like(valid), lambda z: np.sin(z) / z)
                                       for part in (valid, mask, mask & valid))
            slips = [
                (_fraction(mask, valid, np.ones_like), "every pixel counts the same: that is the share of the "
                 "picture"),
                (_fraction(mask, valid, np.sin), "sin θ alone is the weight of a ring of equal width; a pixel "
                 "has only a part of its ring, in proportion to 1 / θ"),
                (_fraction(mask, valid, np.cos), "cos θ is for light on level ground, not for solid angle"),
                (seen_cloud, "pixels outside are counted as clear sky"), (cloud, "pixels outside are counted, too"),
                (cloud / seen, "cloud outside of the visible sky is counted, too"),
            ]
            expect_close(got, right_one, rtol=2e-3, slips=slips, expected="a share, 0 to 1",
                         cause="the zenith angle: 0 in the middle of the frame, π/2 at 0.97 of half its side")


@exercise(hints=(
    "Sort the probabilities. How many of them should be called cloud?",
    "As many as there are cloud pixels. `np.quantile` gives the value that a share of the numbers lies below.",
))
def threshold(answer):
    """At your threshold the predicted cloud fraction is the true one."""
    rng = np.random.default_rng(1)
    for share, blur in ((0.3, 1.0), (0.8, 2.0), (0.5, 0.3)):
        mask = rng.random(2000) < share
        prob = 1 / (1 + np.exp(-(4 * mask - 3 + blur * rng.standard_normal(2000))))
        got = call(answer, prob, mask)
        expect_range(got, 0.0, 1.0, cause="a threshold of a probability")
        expect_shape(got, (), cause="one threshold for all pixels")
        called = float((prob >= float(got)).mean())
        slips = [(0.5, "0.5 gives the more likely class of each pixel, and that need not add up to the right share"),
                 (float(np.quantile(prob, mask.mean())), "the clear share lies below the threshold, the cloudy above"),
                 (float(mask.mean()), "that is the share itself, not a probability to compare with")]
        cause = next((why for value, why in slips if abs(float(got) - value) < 1e-6), "")
        expect_property(abs(called - mask.mean()) < 0.002, f"a share of {called:.3f} at your threshold",
                        "the share of cloud that the truth has", cause=cause)


@exercise(hints=(
    "Ask it about a picture whose pixels you can tell apart, with a classifier that only repeats the middle pixel.",
    "The patch of pixel (r, c) begins at row r − 16. After padding, its first row must be row r: how many rows does "
    "the padding add above, and how many below?",
))
def bug_hunt(answer):
    """Each pixel gets what the classifier says of the patch that has this pixel in its middle."""
    generator = torch.Generator().manual_seed(3)
    frame = torch.rand(3, 37, 45, generator=generator)
    got = call(answer, lambda patches: patches[:, :, 16, 16], frame)
    expect_shape(got, frame.shape, cause="one column of answers for each pixel of the frame, (classes, H, W)")
    padded = F.pad(frame[None], (16, 16, 16, 16), mode="reflect")[0]
    slips = [(padded[:, 17:54, 17:62], "the map is moved by one pixel, along both axes: the patch has the pixel at "
              "place 15, the label was at place 16"),
             (padded[:, 16:53, 17:62], "the columns are still moved by one"),
             (padded[:, 17:54, 16:61], "the rows are still moved by one")]
    expect_close(got, frame, expected="the picture itself, where the classifier repeats the middle pixel",
                 cause="which patch belongs to which pixel?", slips=slips)
    corners = call(answer, lambda patches: torch.stack([patches[:, 0, 0, 31], patches[:, 2, 31, 0]], dim=1), frame)
    expect_shape(corners, (2, 37, 45), cause="ask the classifier about each patch; it may have any number of classes")
    expect_close(corners, torch.stack([padded[0, :37, 31:76], padded[2, 31:68, :45]]),
                 expected="two corners of each patch, where the classifier repeats these",
                 cause="give the classifier whole patches, reflected beyond the frame's edge as in `SkyPatches`")
