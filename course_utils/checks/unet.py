"""Checks of chapter 10, U-Nets."""

import numpy as np
import torch
from torch.nn import functional as F

from course_utils import losses, metrics
from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_shape,
    expect_type,
)
from course_utils.data.augment import GRIDS
from course_utils.models.unet import UNet


@exercise(hints=(
    "Write the stamps below each other: input pixel i covers the outputs from stride·i to stride·i + kernel − 1. How "
    "many stamps cover one output in the middle?",
    "Even means the same number everywhere, so the kernel is a multiple of the stride. Then find the padding that "
    "gives twice the size: (n − 1)·stride − 2·padding + kernel = 2n.",
))
def even_overlap(answer):
    """The layer doubles every size, and away from the border each output is covered by the same number of stamps."""
    expect_parts(answer, 3, "three whole numbers in one tuple: kernel, stride, padding")
    expect_shape(answer, (3,), cause="kernel, stride and padding are one number each")
    kernel, stride, padding = (int(number) for number in answer)
    expect_property(list(answer) == [kernel, stride, padding] and min(kernel, stride) > 0 <= padding, f"{answer}",
                    "whole numbers, kernel and stride above 0", cause="a size that is no number of pixels")
    expect_property(kernel != 2, f"a kernel of {kernel}", "a kernel other than the one of the text",
                    cause="that is the U-Net's own layer: find another")
    sizes = [(n - 1) * stride - 2 * padding + kernel for n in (8, 13)]
    expect_property(sizes == [16, 26], f"8 becomes {sizes[0]} and 13 becomes {sizes[1]} pixels", "twice the size",
                    cause="the padding cuts off too much or too little" if stride == 2 else
                    "the stride says by how much the size grows")
    counts = F.conv_transpose1d(torch.ones(1, 1, 24), torch.ones(1, 1, kernel), stride=stride, padding=padding)
    inner = counts[0, 0, kernel:-kernel]
    expect_property(len(inner) > 1, f"a kernel of {kernel}", "a kernel that fits into an image of 24 pixels")
    expect_property(inner.min() == inner.max(), f"overlaps from {inner.min():.0f} to {inner.max():.0f}",
                    "one number of stamps everywhere", cause="a kernel that the stride does not divide")


@exercise(hints=(
    "How often is the image halved, and by which number must its height then be divisible? Think of the remainder.",
    "With f = 2**depth, `height % f` rows are too many for the last whole block, and `-height % f` are missing. What "
    "is the latter when it divides?",
))
def padding(answer):
    """Rows and columns to add are right for sizes that divide, sizes that do not, and every depth from 1 to 5."""
    sizes = [(64, 64, 3), (60, 100, 3), (65, 64, 3), (1, 1, 4), (97, 33, 5), (572, 100, 4), (6, 9, 1), (48, 80, 4)]
    got, whole, swapped, twice, floor = [], [], [], [], []
    for height, width, depth in sizes:
        got.append(call(answer, height, width, depth))
        f = 2**depth
        whole.append((-height % f, -width % f))
        swapped.append((-width % f, -height % f))
        twice.append((f - height % f, f - width % f))
        floor.append((height % f, width % f))
    halves = [(-h % (2 * d), -w % (2 * d)) for h, w, d in sizes]
    for pair in got:
        expect_shape(pair, (2,), cause="give two numbers: rows to add below, columns to add on the right")
    expect_close(np.array(got, float), np.array(whole, float), expected="the smallest numbers, 0 or more, after which "
                 "the image can be halved `depth` times", cause="the remainder of a division by 2**depth", slips=[
        (np.array(swapped, float), "rows and columns are exchanged"),
        (np.array(twice, float), "a size that divides gets a whole block more: what is missing is 0 there"),
        (np.array(floor, float), "that many pixels are too many; how many are missing to the next whole block?"),
        (np.array(halves, float), "each level halves what is left: 2**depth, not 2 · depth"),
    ])


@exercise(hints=(
    "Three sums over valid pixels: p·y, p and y. Where a pixel is not valid, both p and y count as 0.",
    "(2·Σpy + 1) / (Σp + Σy + 1) is the overlap; the loss is what is missing to 1. Do the sums run over the whole "
    "batch, and is p the sigmoid of the logit?",
))
def dice_loss(answer):
    """It equals the package's Dice loss and its gradient, on random batches, on an empty mask and on gaps."""
    generator = torch.Generator().manual_seed(10)
    empty, gaps = torch.zeros(2, 5, 4, dtype=torch.bool), torch.rand(2, 5, 4, generator=generator) < 0.7
    for mask, valid in ((torch.rand(2, 5, 4, generator=generator) < 0.4, ~empty), (empty, ~empty),
                        (torch.rand(2, 5, 4, generator=generator) < 0.4, gaps), (gaps & False, gaps)):
        logits = 2 * torch.randn(2, 5, 4, generator=generator)
        got = call(answer, logits, mask, valid)
        expect_shape(got, (), cause="one number for the whole batch")
        expect_close(got, losses.dice(logits, mask, valid), expected="a loss: 0 for a perfect mask, towards 1 for a "
                     "mask without overlap; defined where there is no cloud", cause="the sums",
                     slips=_dice_slips(logits, mask, valid))
        leaf, same = (logits.clone().requires_grad_() for _ in range(2))
        loss = call(answer, leaf, mask, valid)
        expect_property(torch.is_tensor(loss) and loss.requires_grad, "a number without a gradient",
                        "a tensor that `backward` can be called on", cause="`item`, `detach` or numpy on the way")
        (found,) = torch.autograd.grad(loss, leaf, allow_unused=True)
        (wanted,) = torch.autograd.grad(losses.dice(same, mask, valid), same)
        expect_property(found is not None and torch.allclose(found, wanted, atol=1e-6),
                        "a loss of the right size whose gradient is not its derivative", "the derivative by the logits",
                        cause="`detach` or a cut on the way of the probabilities")


def _dice_slips(logits, mask, valid):
    """What the known mistakes give for a batch."""
    p, y, v = logits.sigmoid(), mask.float(), valid.float()
    overlap = (2 * (p * y * v).sum() + 1) / ((p * v).sum() + (y * v).sum() + 1)
    z = logits
    each = (2 * (p * y * v).sum((1, 2)) + 1) / ((p * v).sum((1, 2)) + (y * v).sum((1, 2)) + 1)
    return [
        (overlap, "that is the overlap, which is to grow; a loss falls"),
        (1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1), "pixels without a measurement are counted"),
        (1 - (2 * (z * y * v).sum() + 1) / ((z * v).sum() + (y * v).sum() + 1), "the sigmoid is missing"),
        (1 - 2 * (p * y * v).sum() / ((p * v).sum() + (y * v).sum()), "the ones are missing, so an empty mask gives 1 "
         "for any prediction, or 0 / 0"),
        (1 - ((p * y * v).sum() + 1) / ((p * v).sum() + (y * v).sum() + 1), "the 2 above the line is missing"),
        (1 - (2 * (p * y * v).sum() + 1) / ((p * p * v).sum() + (y * v).sum() + 1), "p is squared below the line, "
         "as in the original; the formula of this page has p"),
        (1 - each.mean(), "the mean over images of each image's loss; here the sums run over the batch"),
    ]


@exercise(hints=(
    "What reaches the decoder without skips has passed the bottom, at an eighth of the resolution.",
    "A deck of cloud that fills the scene is still there at an eighth of the resolution. What is not?",
))
def no_skips(answer):
    """What is lost is fine: the small clouds and the edges; the large decks stay."""
    expect_choice(answer, "b", {
        "a": "a deck of cloud is many blocks of the coarsest level wide; it survives the way through the bottom",
        "c": "colours are no question of resolution: every channel of the bottom still knows its bands",
        "d": "the bottom is an eighth of the size on each side; detail that is thrown away has to be guessed",
    })


@exercise(hints=(
    "Sort of what? Recall can change only at the probabilities of cloudy, valid pixels.",
    "Of n cloudy probabilities in falling order, calling cloud the first k gives a recall of k / n. Which k is the "
    "smallest that is enough, and which cut (called cloud: prob >= cut) takes exactly these?",
))
def cut_for_recall(answer):
    """It is the highest cut that finds at least the wanted share of the cloud, on random scores and on ties."""
    rng = np.random.default_rng(0)
    for size, wanted, digits in ((50, 0.8, 6), (50, 0.95, 6), (400, 0.5, 1), (7, 1.0, 6), (300, 0.01, 6)):
        prob = rng.random(size).round(digits)
        mask, valid = rng.random(size) < prob * 0.8 + 0.1, rng.random(size) < 0.9
        got = call(answer, prob, mask, valid, wanted)
        expect_shape(got, (), cause="one number, a probability")
        reached = metrics.recall(metrics.count(prob >= float(got), mask, valid))
        cloudy = np.sort(prob[mask & valid])[::-1]
        right = cloudy[int(np.ceil(wanted * len(cloudy) - 1e-9)) - 1]
        among_all = np.sort(prob[mask])[::-1]
        expect_property(reached >= wanted - 1e-9, f"a cut of {float(got):.4g}, with a recall of {reached:.3f}",
                        f"a recall of at least {wanted}", cause=_cut_slip(float(got), among_all, wanted))
        expect_property(float(got) >= right - 1e-9, f"a cut of {float(got):.4g}, with a recall of {reached:.3f}",
                        f"the highest cut whose recall is at least {wanted}",
                        cause="a lower cut finds no less, but calls more clear pixels cloud")


def _cut_slip(got: float, among_all: np.ndarray, wanted: float) -> str:
    """The likely cause of a recall that is too low."""
    place = int(np.ceil(wanted * len(among_all) - 1e-9)) - 1
    if np.isclose(got, among_all[place]):
        return "cloud at invalid pixels is counted"
    return "the cut is one cloudy pixel too high, or the pixels at the cut itself are left out: prob >= cut"


@exercise(hints=(
    "Move a picture in which every pixel has its own number, through `turned`: do image and mask still agree? Then "
    "compare `merged` with the line of the class above, argument by argument. Then ask `chosen_cut` twice, with "
    "other test data.",
    "All draws happen once for a batch, before the first grid is moved. The weights were trained with the skip "
    "first. And a cut is chosen where nothing is reported.",
))
def bug_hunt(answer):
    """The batch moves as one, eight ways; the decoder's input has its order; the cut does not know the test part."""
    turned, merged, chosen_cut = expect_parts(answer, 3, "the three functions in one tuple: turned, merged, chosen_cut")
    _moves_together(turned)
    _merges_in_order(merged)
    _cuts_on_validation(chosen_cut)


def _moves_together(turned):
    """All grids of a batch move alike, in each of the eight ways."""
    numbers = torch.arange(36).reshape(1, 6, 6)
    batch = {"image": numbers[:, None].float(), "mask": numbers % 3 == 0, "valid": numbers % 5 > 0,
             "codes": (numbers % 3).to(torch.uint8), "scene": torch.tensor([7])}
    generator, met = torch.Generator().manual_seed(0), set()
    for _ in range(200):
        moved = call(turned, batch, generator)
        expect_type(moved, dict, expected="a batch: a dictionary with the same names")
        absent = [name for name in batch if name not in moved]
        expect_property(not absent, f"a batch without {', '.join(absent)}", "the same names as in the batch given")
        for name in GRIDS:
            expect_shape(moved[name], batch[name].shape, cause=f"`turned` changes the shape of {name}")
        places = moved["image"][0, 0].long()
        for name, rule in (("mask", places % 3 == 0), ("valid", places % 5 > 0), ("codes", places % 3)):
            expect_property(torch.equal(moved[name][0].long(), rule.long()), f"`turned` moves {name} otherwise than "
                            "the image", "every grid of a batch moved alike",
                            cause="a draw inside the loop over the grids, or a grid that is left out")
        met.add(tuple(places.flatten().tolist()))
    expect_property(len(met) == 8, f"{len(met)} different positions in 200 draws", "eight: four turns, each flipped "
                    "or not", cause="the flip or the turns got lost on the way")


def _merges_in_order(merged):
    """The skip first, then what was raised, as the weights were trained."""
    torch.manual_seed(0)
    net = UNet(3, width=4, depth=1).eval()
    up, decoder = net.ups[0], net.decoders[0]
    generator = torch.Generator().manual_seed(0)
    skip, x = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 8, 4, 4, generator=generator)
    with torch.no_grad():
        got = call(merged, up, decoder, x, skip)
        raised = up(x)
        wanted, exchanged = decoder(torch.cat([skip, raised], 1)), decoder(torch.cat([raised, skip], 1))
        doubled = decoder(torch.cat([raised, raised], 1))
    expect_close(got, wanted, rtol=1e-4, atol=1e-5, expected="what the network's own decoder gives",
                 cause="`merged` does not join skip and raised features as `forward` does", slips=[
        (exchanged, "`merged` joins them in the other order than the weights were trained with"),
        (doubled, "the skip is not used")])


def _cuts_on_validation(chosen_cut):
    """The best cut of validation, whatever the test part."""
    rng = np.random.default_rng(1)

    def part(shift):
        prob = rng.random(400)
        return prob, prob + 0.3 * rng.standard_normal(400) > shift, rng.random(400) < 0.9

    validation, test, other = part(0.3), part(0.75), part(0.5)
    cuts = np.arange(0.05, 1.0, 0.05).round(2)

    def best(prob, mask, valid):
        return cuts[int(np.argmax([metrics.iou(metrics.count(prob >= cut, mask, valid)) for cut in cuts]))]

    got, again = (call(chosen_cut, validation, second) for second in (test, other))
    expect_property(np.isclose(float(got), float(again)), "a cut that changes with the test part",
                    "the same cut, whatever the test part", cause="`chosen_cut` looks at the test part")
    expect_equal(round(float(got), 2), round(float(best(*validation)), 2),
                 expected="of the cuts in the list, the one with the highest IoU on validation",
                 cause="`chosen_cut` does not maximise the IoU on the validation part")
