"""Planted wrong answers of chapter 16, and the words that each must be told."""

import torch


def ring(value, period, turn=2 * torch.pi, names=("sin", "cos"), dim=-1):
    angle = turn * value / period
    return torch.stack([getattr(torch, name)(angle) for name in names], dim=dim)


def split(days, gap, generator):
    first = days - days // 5
    return torch.arange(first - gap), torch.arange(first, days)


def shuffled(days, gap, generator):
    return torch.randperm(days, generator=generator).split([days - days // 5, days // 5])


def without_gap(days, gap, generator):
    first = days - days // 5
    return torch.arange(first), torch.arange(first, days)


def gap_in_the_test_part(days, gap, generator):
    first = days - days // 5
    return torch.arange(first), torch.arange(first + gap, days)


def first_fifth(days, gap, generator):
    return torch.arange(days // 5 + gap, days), torch.arange(days // 5)


def wide_gap(days, gap, generator):
    first = days - days // 5
    return torch.arange(first - 2 * gap - 1), torch.arange(first, days)


def rounded_up(days, gap, generator):
    first = days * 4 // 5
    return torch.arange(first - gap), torch.arange(first, days)


def backwards(days, gap, generator):
    return tuple(rows.flip(0) for rows in split(days, gap, generator))


def scaled(train, test):
    return tuple((part - train.mean(0)) / train.std(0) for part in (train, test))


def by_both(train, test):
    both = torch.cat([train, test])
    return tuple((part - both.mean(0)) / both.std(0) for part in (train, test))


def each_its_own(train, test):
    return tuple((part - part.mean(0)) / part.std(0) for part in (train, test))


def mean_of_both(train, test):
    return tuple((part - torch.cat([train, test]).mean(0)) / train.std(0) for part in (train, test))


def skill(pred, truth, previous):
    return 1 - (pred - truth).square().mean() / (previous - truth).square().mean()


def against_the_mean(pred, truth, previous):
    return 1 - (pred - truth).square().mean() / (truth - truth.mean()).square().mean()


def what_is_left(pred, truth, previous):
    return (pred - truth).square().mean() / (previous - truth).square().mean()


WRONG = {
    "warmer": [
        ("a", "straight lines where saturation bends"),
        ("c", "hold more vapour, not less"),
    ],
    "share_out": [
        (lambda parts, total: parts / parts.sum(-1, keepdim=True), "the total is missing"),
        (lambda parts, total: parts.softmax(-1) * total[..., None], "a softmax changes the proportions"),
        (lambda parts, total: parts + (total - parts.sum(-1))[..., None] / parts.shape[-1], "spread evenly"),
        (lambda parts, total: parts * total[..., None], "not divided by their sum"),
        (lambda parts, total: (parts / parts.sum(-1, keepdim=True) * total[..., None]).detach(), "without a gradient"),
        (lambda parts, total: parts / parts.sum() * total[..., None], "the sum runs over everything"),
        (lambda parts, total: parts.sum(-1) * total, "one number for each part"),
    ],
    "warnings": [
        ((0.001, 0.0177, 0.95), "'never' is right on the other days"),
        ((0.999, 0.9, 0.95), "the share of events that are found"),
        ((0.999, 0.947368, 0.95), "not equally many"),
        ((0.999, 0.0177, 0.925), "the mean of both rates"),
        ((99.9, 0.0177, 0.95), "not a percentage"),
        ((0.999, 0.0177), "three numbers in a tuple"),
    ],
    "corrected": [
        (lambda prob, weight: weight * prob / (weight * prob + 1 - prob), "weighs a second time"),
        (lambda prob, weight: prob / weight, "only for very small ones"),
        (lambda prob, weight: prob / (prob + weight), "is missing"),
        (lambda prob, weight: prob, "the odds"),
    ],
    "encode": [
        (lambda value, period: ring(value, period, names=("cos", "sin")), "sine comes first"),
        (lambda value, period: ring(value, period, turn=1.0), "the turn is missing"),
        (lambda value, period: ring(value, period, turn=torch.pi), "opposite each other"),
        (lambda value, period: ring(value, period, names=("sin", "sin")), "share a code"),
        (lambda value, period: ring(value, period, dim=0), "side by side in each row"),
        (lambda value, period: torch.sin(2 * torch.pi * value / period), "sine and cosine"),
        (lambda value, period: ring(value, 1.0, turn=1.0), "the value is no angle yet"),
    ],
    "lead": [
        (0.01, "too large"),
        (1e-7, "smaller than needed"),
        (1e-14, "smaller than needed"),
        (0, "nothing to grow"),
        ("small", "a number"),
    ],
    "bug_hunt": [
        ((shuffled, scaled, skill), "the days are shuffled"),
        ((without_gap, scaled, skill), "the gap is not left out"),
        ((gap_in_the_test_part, scaled, skill), "belongs to the end of the training part"),
        ((first_fifth, scaled, skill), "before every test day"),
        ((wide_gap, scaled, skill), "more days are left out"),
        ((rounded_up, scaled, skill), "rounded down"),
        ((backwards, scaled, skill), "out of order"),
        ((split, by_both, skill), "looks at the test part"),
        ((split, mean_of_both, skill), "looks at the test part"),
        ((split, each_its_own, skill), "its own mean and spread"),
        ((split, scaled, against_the_mean), "the test part's own mean"),
        ((split, scaled, what_is_left), "skill is what is gone"),
        ((split, scaled), "three functions"),
    ],
}
