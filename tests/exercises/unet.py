"""Planted wrong answers of chapter 10, and the words that each must be told."""

import numpy as np
import torch

from course_utils import metrics
from course_utils.data.augment import GRIDS, turned


def dice(logits, mask, valid, ones=1, factor=2, sigmoid=True, gaps=True, each=False, flip=True):
    p, y, v = (logits.sigmoid() if sigmoid else logits), mask.float(), valid.float() if gaps else 1.0
    axes = (1, 2) if each else (0, 1, 2)
    overlap = (factor * (p * y * v).sum(axes) + ones) / ((p * v).sum(axes) + (y * v).sum(axes) + ones)
    return (1 - overlap if flip else overlap).mean()


def detached(logits, mask, valid):
    return torch.tensor(dice(logits, mask, valid).item())


def stopped(logits, mask, valid):
    return dice(logits.detach(), mask, valid) + 0 * logits.sum()


def squared(logits, mask, valid):
    p, y = logits.sigmoid() * valid, mask * valid.float()
    return 1 - (2 * (p * y).sum() + 1) / ((p * p).sum() + y.sum() + 1)


def mask_stays(batch, generator):
    return {**turned(batch, generator), "mask": batch["mask"]}


def codes_stay(batch, generator):
    return {**turned(batch, generator), "codes": batch["codes"]}


def drawn_anew(batch, generator):
    def moved(grid):
        return grid.flip(-1) if int(torch.randint(2, (), generator=generator)) else grid

    return {name: moved(value) if name in GRIDS else value for name, value in batch.items()}


def never_flipped(batch, generator):
    turns = int(torch.randint(4, (), generator=generator))
    return {name: torch.rot90(value, turns, (-2, -1)) if name in GRIDS else value for name, value in batch.items()}


def scene_lost(batch, generator):
    return {name: value for name, value in turned(batch, generator).items() if name != "scene"}


def merged(up, decoder, x, skip):
    return decoder(torch.cat([skip, up(x)], dim=1))


def other_order(up, decoder, x, skip):
    return decoder(torch.cat([up(x), skip], dim=1))


def without_skip(up, decoder, x, skip):
    raised = up(x)
    return decoder(torch.cat([raised, raised], dim=1))


def cut_on(*parts, score=metrics.iou):
    prob, mask, valid = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    cuts = np.arange(0.05, 1.0, 0.05).round(2)
    return max(cuts, key=lambda cut: score(metrics.count(prob >= cut, mask, valid)))


def on_validation(validation, test):
    return cut_on(validation)


def recall_cut(prob, mask, valid, wanted, above=0, gaps=True, low=False):
    cloudy = np.sort(prob[mask & valid] if gaps else prob[mask])[::-1]
    if low:
        return cloudy[-1]
    return cloudy[max(int(np.ceil(wanted * len(cloudy) - 1e-9)) - 1 - above, 0)]


WRONG = {
    "even_overlap": [
        ((2, 2, 0), "find another"),
        ((3, 2, 0), "cuts off too much or too little"),
        ((4, 2, 0), "cuts off too much or too little"),
        ((6, 3, 2), "the stride says"),
        ((1, 1, 0), "the stride says"),
        ((4.5, 2, 1), "no number of pixels"),
        ((4, 2), "in one tuple: kernel, stride, padding"),
    ],
    "padding": [
        (lambda height, width, depth: (-width % 2**depth, -height % 2**depth), "exchanged"),
        (lambda height, width, depth: (2**depth - height % 2**depth, 2**depth - width % 2**depth), "a whole block"),
        (lambda height, width, depth: (height % 2**depth, width % 2**depth), "too many"),
        (lambda height, width, depth: (-height % (2 * depth), -width % (2 * depth)), "not 2 · depth"),
        (lambda height, width, depth: -height % 2**depth, "give two numbers"),
    ],
    "dice_loss": [
        (lambda z, y, v: dice(z, y, v, flip=False), "a loss falls"),
        (lambda z, y, v: dice(z, y, v, gaps=False), "without a measurement"),
        (lambda z, y, v: dice(z, y, v, sigmoid=False), "the sigmoid is missing"),
        (lambda z, y, v: dice(z, y, v, ones=0), "the ones are missing"),
        (lambda z, y, v: dice(z, y, v, factor=1), "the 2 above the line"),
        (lambda z, y, v: dice(z, y, v, each=True), "the sums run over the batch"),
        (detached, "on the way"),
        (stopped, "on the way of the probabilities"),
        (squared, "p is squared"),
    ],
    "no_skips": [("a", "survives"), ("c", "no question of resolution"), ("d", "thrown away")],
    "cut_for_recall": [
        (lambda prob, mask, valid, wanted: recall_cut(prob, mask, valid, wanted, above=1), "too high"),
        (lambda prob, mask, valid, wanted: recall_cut(prob, mask, valid, wanted, low=True), "finds no less"),
        (lambda prob, mask, valid, wanted: 0.0, "finds no less"),
        (lambda prob, mask, valid, wanted: 0.999, "prob >= cut"),
    ],
    "bug_hunt": [
        ((mask_stays, merged, on_validation), "moves mask otherwise"),
        ((codes_stay, merged, on_validation), "moves codes otherwise"),
        ((drawn_anew, merged, on_validation), "a draw inside the loop"),
        ((never_flipped, merged, on_validation), "the flip or the turns got lost"),
        ((scene_lost, merged, on_validation), "a batch without scene"),
        ((turned, other_order, on_validation), "the other order"),
        ((turned, without_skip, on_validation), "the skip is not used"),
        ((turned, merged, lambda validation, test: cut_on(test)), "looks at the test part"),
        ((turned, merged, lambda validation, test: cut_on(validation, test)), "looks at the test part"),
        ((turned, merged, lambda validation, test: cut_on(validation, score=metrics.recall)), "does not maximise"),
        ((turned, merged), "three functions"),
    ],
}
