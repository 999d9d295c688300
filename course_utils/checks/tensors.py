"""Checks of chapter 01, Tensors."""

import numpy as np
import torch
from sklearn.datasets import load_sample_image

from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_close,
    expect_dtype,
    expect_equal,
    expect_parts,
    expect_property,
    expect_raises,
    expect_range,
    expect_shape,
)

# Top, bottom, left, right of the boxes that chapter 01 draws on the photograph.
BOXES = {"A": (5, 45, 10, 170), "B": (40, 85, 530, 635), "C": (150, 195, 380, 540), "D": (330, 400, 30, 150)}
DARKEST = 0.6


@exercise(hints=(
    "How many different values does a byte have? What follows after the largest?",
    "Bytes count modulo 256. `//` keeps whole numbers, `/` never does. Which fraction type is PyTorch's own?",
))
def dtypes(answer):
    """Bytes wrap around at 256, float32 does not; `//` keeps bytes and `/` gives PyTorch's default fraction type."""
    total, as_float, quarter, half = expect_parts(answer, 4)
    byte = "what a byte holds: a whole number from 0 to 255"
    expect_equal(total, 4, expected=f"prediction 1: {byte}", cause="the sum does not fit in a byte, and what is left?",
                 slips=[(260, "the sum does not fit in a byte"), (255, "bytes do not stop at 255, they start again"),
                        (5, "after 255 comes 0, not 1")])
    expect_equal(as_float, 260, expected="prediction 2: the sum of two fractions",
                 cause="float32 has room for this sum",
                 slips=[(4, "the numbers are no longer bytes when they are added")])
    expect_equal(quarter, 62, expected=f"prediction 3: {byte}", cause="250 divided by 4, rounded down",
                 slips=[(62.5, "`//` gives whole numbers"), (63, "`//` rounds down, not to the nearest")])
    name = str(half).removeprefix("torch.")
    whole = [(f"{kind}{bits}", "`/` always gives fractions") for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
    expect_equal(name, "float32", expected="prediction 4: the name of a dtype",
                 cause="PyTorch has one default for fractions",
                 slips=[("float64", "that is numpy's habit; PyTorch has another default"),
                        ("float", "a short form; write the name as a tensor shows it, with its bits"), *whole])


@exercise(hints=(
    "Begin at the end: neighbours in the last dimension are neighbours in memory.",
    "A stride is the number of numbers in everything to the right of that dimension. `permute` reorders the strides "
    "as it reorders the sizes.",
    "Contiguous means: the strides are those that a new tensor of the same shape would have.",
))
def strides(answer):
    """Strides are products of the sizes to the right, permute reorders them, and both views are walks with jumps."""
    first, permuted, bands_last, one_band = expect_parts(answer, 4)
    batch = torch.zeros(8, 12, 64, 32)
    expect_equal(first, batch.stride(), expected="prediction 1: how many numbers one step hops over",
                 cause="the sizes to the right of a dimension, multiplied",
                 slips=[((98304, 8192, 128, 4), "these are bytes, as numpy counts; PyTorch counts numbers"),
                        (batch.stride()[::-1], "the last dimension has the shortest hop"),
                        (tuple(batch.shape), "these are the sizes, not the hops")])
    expect_equal(permuted, batch.permute(0, 2, 3, 1).stride(), expected="prediction 2: the same hops in another order",
                 cause="`permute` moves no number: each dimension keeps its hop",
                 slips=[(torch.zeros(8, 64, 32, 12).stride(), "those of a copy; `permute` copies nothing")])
    expect_equal(bands_last, False, expected="prediction 3: True or False", cause="does the last dimension hop by 1?")
    expect_equal(one_band, False, expected="prediction 4: True or False",
                 cause="what lies between the first band of one image and that of the next?")


def _normalised(image, valid, *, correction=0, over=None, whole=False, emptied=True, power=1):
    """The wanted result, and what known slips lead to."""
    measured = image[:, valid if over is None else over].double()
    dim = (0, 1) if whole else 1
    mean = measured.mean(dim=dim, keepdim=True)[..., None]
    spread = measured.std(dim=dim, correction=correction, keepdim=True)[..., None]
    scaled = ((image - mean) / spread**power).float()
    return torch.where(valid, scaled, 0.0) if emptied else scaled


@exercise(hints=(
    "`image[:, valid]` has one row for each band and holds only what was measured.",
    "The means have shape (C,). Which shape lets them meet an image (C, H, W)?",
    "NaN · 0 is NaN, so choose with `torch.where(…, …, 0.0)`; its condition can ask for a valid pixel and for a spread "
    "above the limit.",
))
def normalise(answer):
    """Each band has mean 0 and spread 1 over its valid pixels; the others, and constant bands, are 0."""
    generator = torch.Generator().manual_seed(4)
    for trial, (bands, rows, columns) in enumerate([(3, 6, 9), (1, 4, 4), (12, 5, 3)]):
        scale = torch.arange(1, bands + 1)[:, None, None]
        image = scale * (1 + torch.rand(bands, rows, columns, generator=generator))
        valid = torch.rand(rows, columns, generator=generator) > 0.3
        got = call(answer, image, valid)
        expect_shape(got, image.shape, cause="the result is an image of the same size")
        expect_dtype(got, torch.float32)
        everywhere = torch.ones_like(valid)
        expect_close(
            got, _normalised(image, valid), rtol=1e-3, atol=1e-4,
            expected="mean 0 and spread 1 over the valid pixels of every band, 0 elsewhere",
            cause="subtract the mean of each band, then divide by its spread",
            slips=[
                (_normalised(image, valid, over=everywhere), "mean and spread are taken over all pixels"),
                (_normalised(image * valid, valid, over=everywhere), "zeros that were not measured count in the mean"),
                (_normalised(image, everywhere), "mean and spread are taken over all pixels"),
                (_normalised(image, valid, emptied=False), "pixels that are not valid are not set to 0"),
                (_normalised(image, valid, correction=1), "the spread is over N − 1; see `correction`"),
                (_normalised(image, valid, whole=True), "one mean for all bands; each band has its own"),
                (_normalised(image, valid, power=2), "divided by the variance; its square root is wanted"),
                (_normalised(image, valid, power=0), "the mean is gone, but nothing is divided by the spread"),
            ])
        image[:, ~valid] = torch.nan
        got = call(answer, image, valid)
        expect_property(not bool(torch.isnan(got).any()), "a result with not-a-number in it",
                        "0 where a pixel is not valid, whatever it holds",
                        cause="NaN · 0 is NaN: multiplying by the mask does not remove it")
        image[trial % bands] = 0.5
        got = call(answer, image, valid)
        expect_range(got[trial % bands], 0, 0, cause="a constant band: 0 divided by a spread of 0")
        image[trial % bands] += 1e-7 * torch.rand(rows, columns, generator=generator)
        got = call(answer, image, valid)
        expect_range(got[trial % bands], 0, 0, cause="a band that is constant up to rounding: a small difference over "
                     "a small spread is not small; compare the spread with the limit")


@exercise(hints=(
    "Which dimension is summed over, and which survive?",
    "`torch.einsum` with the letters k, c, h, w; the summed letter is missing on the right.",
))
def mix_bands(answer):
    """Every new band is the weighted sum of the old ones, at every pixel, for images of any height and width."""
    generator = torch.Generator().manual_seed(5)
    for new, old, rows, columns in [(2, 3, 4, 7), (3, 3, 5, 2), (1, 12, 1, 6)]:
        matrix = torch.randn(new, old, generator=generator)
        image = torch.rand(old, rows, columns, generator=generator)
        want = torch.stack([(row[:, None, None] * image).sum(dim=0) for row in matrix])
        got = call(answer, matrix, image)
        expect_shape(got, want.shape, cause="the new image has one band for each row of the matrix, bands first")
        torn_before = (image.reshape(-1, old) @ matrix.T).T.reshape(want.shape)
        torn_after = (image.flatten(1).T @ matrix.T).reshape(want.shape)
        torn_twice = (image.reshape(-1, old) @ matrix.T).reshape(want.shape)
        slips = [(torn, "numbers have left their pixel: a `reshape` was used to reorder axes")
                 for torn in (torn_before, torn_after, torn_twice)]
        slips += [(want / old, "the mean over the old bands; the sum is wanted")]
        slips += [(torch.einsum("ck,chw->khw", matrix, image), "the matrix is used transposed")] if new == old else []
        expect_close(got, want, expected="the sum over the old bands, each times its weight", slips=slips,
                     cause="one row of the matrix holds the weights of one new band", rtol=1e-4, atol=1e-5)


@exercise(hints=(
    "`image[0]` is red and `image[2]` is blue; both have shape (H, W).",
    "`torch.where(condition, a, b)` chooses for each pixel; a NaN that is not chosen does no harm.",
))
def cloud_index(answer):
    """The index is blue minus red over their sum, for each pixel, and 0 where there is neither."""
    generator = torch.Generator().manual_seed(1)
    for rows, columns in [(4, 5), (1, 7), (6, 6)]:
        image = torch.randint(1, 256, (3, rows, columns), generator=generator) / 255
        image[:, 0, 1] = torch.tensor([1, 5, 2]) / 255  # dark, but not black
        for black in (False, True):
            if black:
                image[:, 0, 0] = 0
                image[::2, -1, -1] = 0  # green light alone
            red, green, blue = image
            total = torch.where(red + blue > 0, red + blue, 1.0)
            shifted = [(blue - red) / (red + blue + small) for small in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)]
            got = call(answer, image)
            expect_shape(got, (rows, columns), cause="one value for each pixel")
            expect_dtype(got, torch.float32)
            cause = "0/0 where a pixel has neither red nor blue" if black else "the formula"
            expect_range(got, -1, 1, cause=cause)
            expect_close(
                got, (blue - red) / total, expected="one value for each pixel, 0 where there is neither red nor blue",
                cause=cause,
                slips=[*((value, "a number added below the line changes every pixel") for value in shifted),
                       ((red - blue) / total, "red and blue are exchanged: which band comes first?"),
                       ((green - red) / torch.where(red + green > 0, red + green, 1.0), "band 1 is green, not blue")])


def _cloudy(box: str, limit: float, darkest: float = 0.0) -> float:
    """Share of a box of the photograph that is called cloud."""
    top, bottom, left, right = BOXES[box]
    part = load_sample_image("china.jpg")[top:bottom, left:right].astype(np.float32) / 255
    red, blue, mean = part[..., 0], part[..., 2], part.mean(axis=-1)
    return float(((blue - red < limit * (blue + red)) & (mean > darkest)).mean())


@exercise(hints=(
    "Print the smallest and the largest index of boxes A and B. What lies between?",
    "`(index[box] < threshold).float().mean()` is a share. `&` joins two masks, each in parentheses.",
    "Question 4 asks which box is called cloud by both rules although there is none.",
))
def threshold(answer):
    """The threshold parts sky from streaks, the shares are those of the photograph, and the odd box is named."""
    limit, haze, trees, box = expect_parts(answer, 4)
    expect_range(limit, -1, 1, cause="answer 1 is a value of the index")
    for share in (haze, trees):
        expect_range(share, 0, 1, cause="a share, not a percentage")
    limit = float(limit)
    sky, streaks = _cloudy("A", limit), _cloudy("B", limit)
    expect_property(streaks >= 0.99, f"threshold {limit:g}, which calls {streaks:.1%} of the streaks cloud",
                    "answer 1: at least 99 % of box B", cause="the threshold is too low")
    expect_property(sky <= 0.01, f"threshold {limit:g}, which calls {sky:.1%} of the sky cloud",
                    "answer 1: at most 1 % of box A", cause="the threshold is too high")
    expect_close(haze, _cloudy("C", limit), expected="answer 2: the share of box C below your threshold", atol=0.004,
                 cause="count the pixels of box C whose index is below your threshold",
                 slips=[(1 - _cloudy("C", limit), "this is the share that is called clear")])
    expect_close(trees, _cloudy("D", limit, DARKEST), expected="answer 3: the share of box D that meets both rules",
                 atol=0.004, cause="both rules must hold: join the masks with `&`",
                 slips=[(_cloudy("D", limit), "the rule on brightness is missing"),
                        (1 - _cloudy("D", limit, DARKEST), "this is the share that is called clear")])
    expect_choice(box, "C", {"A": "the threshold was chosen so that the sky is right",
                             "B": "the threshold was chosen so that the streaks are right",
                             "D": "look at your answer 3: is the box still called cloud?"})


@exercise(hints=(
    "Print the shape of `estimate - truth`.",
    "Give both the same shape before subtracting, for example with `flatten()`.",
    "Compare `numel()` of both first, for a single truth would broadcast as well.",
))
def rmse(answer):
    """Each estimate meets its own truth, as rows or as a column, and another number of estimates is refused."""
    generator = torch.Generator().manual_seed(9)
    for count in (64, 5, 1):
        truth = torch.rand(count, generator=generator)
        estimate = truth + 0.1 * (torch.rand(count, generator=generator) - 0.5)
        want = (estimate - truth).square().mean().sqrt()
        table = (estimate[:, None] - truth).square().mean().sqrt()
        for left, right in [(estimate, truth), (estimate[:, None], truth), (estimate, truth[:, None]),
                            (estimate[:, None], truth[:, None])]:
            shapes = f"{tuple(left.shape)} and {tuple(right.shape)} broadcast to {(count, count)}"
            expect_close(call(answer, left, right), want, rtol=1e-4,
                         expected="one number: the root of the mean squared difference",
                         cause="each estimate and its own truth",
                         slips=[(table, f"every estimate was compared with every truth: {shapes}"),
                                (want.square(), "the root is missing"),
                                (want * count**0.5, "a sum over the scenes; the mean is wanted"),
                                ((estimate - truth).abs().mean(), "nothing is squared")])
    cause = "a count of 1 broadcasts against any other, so compare the counts before subtracting"
    for count in (1, 3):
        expect_raises(answer, torch.ones(8, 1), torch.ones(count), error=ValueError, cause=cause)
