"""Planted wrong answers of chapter 04, and the words that each must be told."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def merged(first, second, weight=lambda a, c: c @ a, bias=lambda b, c, d: c @ b + d, swap=False):
    sizes = (first.in_features, second.out_features)
    layer = nn.Linear(*(sizes[::-1] if swap else sizes))
    with torch.no_grad():
        layer.weight.copy_(weight(first.weight, second.weight))
        layer.bias.copy_(bias(first.bias, second.weight, second.bias))
    return layer


def only_if_square(first, second, right):
    """A slip that shows in square layers and would raise in others."""
    return right(first, second) if first.weight.shape == second.weight.shape == second.weight.T.shape else merged(
        first, second)


def exchanged(first, second):
    """Inputs and outputs the wrong way round, which does not show where there are as many of either."""
    if first.in_features == second.out_features:
        return merged(first, second)
    return nn.Linear(second.out_features, first.in_features)


def in_place(first, second):
    layer = merged(first, second)
    with torch.no_grad():
        second.bias += 1
    return layer


def split(labels, fraction, generator, count=round, rows=None, swap=False):
    train, test = [], []
    for label in np.unique(labels):
        mine = generator.permutation(np.flatnonzero(labels == label)) if rows is None else rows(labels == label)
        cut = count(fraction * len(mine))
        test.append(mine[:cut])
        train.append(mine[cut:])
    parts = np.concatenate(train), np.concatenate(test)
    return parts[::-1] if swap else parts


def in_pieces(labels, fraction, generator):
    """The rows of each class by themselves."""
    rows = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    pairs = [np.split(mine, [round(fraction * len(mine))]) for mine in rows]
    return [train for _, train in pairs], [test for test, _ in pairs]


def shuffled_together(labels, fraction, generator):
    rows = generator.permutation(len(labels))
    return rows[round(fraction * len(rows)):], rows[:round(fraction * len(rows))]


def drawn_twice(labels, fraction, generator):
    """Draws with replacement: the test rows hold some twice, and the train rows are the others."""
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    test = np.concatenate([generator.choice(rows, round(fraction * len(rows))) for rows in groups])
    return np.setdiff1d(np.arange(len(labels)), test), test


class Deep(nn.Module):
    """The network of the bug hunt, unmended."""

    def __init__(self, channels, width, depth):
        super().__init__()
        widths = [channels] + [width] * depth
        self.hidden = [nn.Linear(m, n) for m, n in pairwise(widths)]
        self.output = nn.Linear(width, 1)

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.output(x).squeeze(-1)


class Registered(Deep):
    def __init__(self, channels, width, depth):
        super().__init__(channels, width, depth)
        self.hidden = nn.ModuleList(self.hidden)


class Linear(Registered):
    def forward(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.output(x).squeeze(-1)


class OneBend(Registered):
    def forward(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.output(F.relu(x)).squeeze(-1)


class Column(Registered):
    def forward(self, x):
        return super().forward(x)[:, None]


class Detached(Registered):
    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x)).detach()
        return self.output(x).squeeze(-1)


class Probabilities(Registered):
    def forward(self, x):
        return super().forward(x).sigmoid()


class Shallow(Registered):
    def __init__(self, channels, width, depth):
        super().__init__(channels, width, 1)


WRONG = {
    "collapse": [
        (lambda a, b: merged(a, b, bias=lambda b, c, d: d), "the first bias is forgotten"),
        (lambda a, b: merged(a, b, bias=lambda b, c, d: c @ b), "the second bias is forgotten"),
        (lambda a, b: only_if_square(a, b, lambda a, b: merged(a, b, bias=lambda b, c, d: b + d)), "must pass through"),
        (lambda a, b: only_if_square(a, b, lambda a, b: merged(a, b, weight=lambda a, c: a @ c)),
         "the wrong way round"),
        (lambda a, b: only_if_square(a, b, lambda a, b: merged(a, b, weight=lambda a, c: (c @ a).T)),
         "right but transposed"),
        (in_place, "left as they were"),
        (lambda a, b: nn.Sequential(a, b), "an nn.Linear"),
        (exchanged, "exchanged"),
        (lambda a, b: nn.Linear(a.in_features, b.out_features, bias=False), "without a bias"),
    ],
    "wedge": [
        (([[-4, 1], [0.1, -1]], [0.8, 0.08], [10, 10], -0.1), "signs of the output are turned"),
        (([[-4, 0.1], [1, -1]], [0.8, 0.08], [-10, -10], 0.1), "the weight is transposed"),
        (([[4, -1], [-0.1, 1]], [5, 0.08], [-10, -10], 0.1), "beside the pixels"),
        (([[-4, 1], [0.1, -1]], [0.8, 0.08], [-10, -10], [0.1]), "output bias ()"),
        (([[-2, 1], [0, -1]], [0.1, 0.1], [-10, -10], 0.3), "one border at a time"),
    ],
    "parameters": [
        ((416, (16, 7), (50, 64, 64, 3), 24), "the weights alone"),
        ((179, (16, 7), (50, 64, 64, 3), 24), "two hidden layers"),
        ((451, (7, 16), (50, 64, 64, 3), 24), "stores the transpose"),
        ((451, (16, 7), (50, 3, 64, 64), 24), "in the last dimension"),
        ((451, (16, 7), (50, 3), 24), "all dimensions but the last"),
        ((451, (16, 7), (50, 64, 64, 3), 21), "a bias as well"),
    ],
    "stratified": [
        (shuffled_together, "left to chance"),
        (lambda *given: split(*given, swap=True), "exchanged"),
        (lambda *given: split(*given, count=int), "rounded down"),
        (lambda *given: split(*given, count=math.ceil), "rounded up"),
        (drawn_twice, "in both parts"),
        (in_pieces, "np.concatenate"),
        (lambda *given: split(*given, rows=np.flatnonzero), "`generator` is not used"),
        (lambda *given: split(*given, rows=lambda mine: given[2].permutation(mine.sum())), "places inside a class"),
        (lambda labels, fraction, generator: split(labels, fraction, np.random.default_rng()),
         "does not come from `generator`"),
    ],
    "bug_hunt": [
        (Deep, "in a plain list"),
        (Shallow, "a layer is missing"),
        (Linear, "the activation was lost"),
        (OneBend, "gets what layer 1 gives"),
        (Column, "one logit for each pixel"),
        (Detached, "no gradient for"),
        (Probabilities, "the loss applies the sigmoid"),
    ],
}
