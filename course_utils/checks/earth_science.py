"""Checks of chapter 16, machine learning in Earth science."""

import math
import numbers

import torch

from course_utils.checks.core import call, exercise
from course_utils.checks.expect import expect_choice, expect_close, expect_parts, expect_property, expect_shape
from course_utils.simulate import lorenz


@exercise(hints=(
    "What has the network learned about a column with much vapour? And how much vapour do the warmer columns hold?",
    "At the same relative humidity, a warmer column holds more vapour, and the network has seen so much vapour only "
    "where it rained hard.",
))
def warmer(answer):
    """At the same relative humidity the warmer columns hold more vapour, which the network takes for heavy rain."""
    expect_choice(answer, "b", {
        "a": "inputs outside the training range: the network goes on in straight lines where saturation bends upwards",
        "c": "warmer columns of the same relative humidity hold more vapour, not less",
    })


@exercise(hints=(
    "First the shares: each part divided by the sum of all parts. What must happen to the sum's shape for that?",
    "`parts.sum(dim=-1, keepdim=True)` aligns with the parts. `total` lacks the last dimension: `total[..., None]`.",
))
def share_out(answer):
    """The parts keep their proportions and add up to the total to rounding, in any number of dimensions."""
    generator = torch.Generator().manual_seed(16)
    for shape in ((5,), (7, 4), (3, 6, 9)):
        parts = 0.01 + torch.rand(shape, generator=generator)
        total = 40 * torch.rand(shape[:-1], generator=generator)
        got = call(answer, parts, total)
        wanted = parts / parts.sum(-1, keepdim=True) * total[..., None]
        expect_shape(got, shape, cause="one number for each part")
        expect_close(got, wanted, expected="the total, shared out in the proportions of the parts", cause="the shares",
                     slips=_share_slips(parts, total))
    parts = torch.rand(4, 3, generator=generator).add(0.1).requires_grad_()
    shared = call(answer, parts, torch.ones(4))
    expect_property(torch.is_tensor(shared) and shared.requires_grad, "a result without a gradient",
                    "a tensor that training can differentiate", cause="`item`, `detach` or numpy on the way")


def _share_slips(parts, total):
    """What the known mistakes give."""
    whole, each = parts.sum(-1, keepdim=True), total[..., None]
    return [
        (parts / whole, "these are the shares; the total is missing"),
        (parts.softmax(-1) * each, "a softmax changes the proportions: the parts are positive already"),
        (parts + (each - whole) / parts.shape[-1], "the difference is spread evenly, which changes the proportions and "
         "can make a part negative"),
        (parts / parts.sum() * each, "the sum runs over everything; each column has a sum of its own: dim=-1"),
        (parts * each, "the parts are not divided by their sum"),
    ]


@exercise(hints=(
    "Think of a million days: a thousand events, the rest quiet. Count right and wrong warnings.",
    "Share of right warnings: right warnings over all warnings. Accuracy: right answers, of both kinds, over all days.",
))
def warnings(answer):
    """The useless forecast is the more accurate one, and of a hundred warnings of the other not two are right."""
    never, right, better = expect_parts(answer, 3, "three numbers in a tuple: accuracy of never, share of right "
                                        "warnings, accuracy of the better forecast")
    found, false = 0.9 * 0.001, 0.05 * 0.999
    expect_close(never, 0.999, rtol=1e-3, expected="the share of days on which 'never' is right", slips=[
        (0.001, "that is the share of events; 'never' is right on the other days"), (99.9, "a share, not a percentage"),
        (0.0, "'never' finds no event, but accuracy counts every day on which it is right")],
        cause="the accuracy of 'never'")
    expect_close(right, found / (found + false), rtol=0.03, expected="the share of right warnings among all warnings",
                 cause="count right warnings and false ones among many days: precision", slips=[
        (0.9, "that is the share of events that are found; many quiet days bring many false warnings"),
        (0.9 / 0.95, "events and quiet days are not equally many: weigh each by how often it occurs"),
        (100 * found / (found + false), "a share, not a percentage")])
    expect_close(better, found + 0.95 * 0.999, rtol=2e-3, expected="the share of days on which the other one is right",
                 cause="events found, and quiet days without a warning, over all days", slips=[
        (0.925, "that is the mean of both rates; quiet days are far more frequent than events"),
        (0.9, "accuracy counts the quiet days, too")])


@exercise(hints=(
    "Write the weighted odds p'/(1 − p') as the weight times the true odds, and solve for p.",
    "The true odds are p'/(w(1 − p')). A probability is odds / (1 + odds).",
))
def corrected(answer):
    """The odds are divided by the weight: 0 stays 0, weight 1 changes nothing, and the order of days is kept."""
    for weight in (99.0, 1.0, 999.0, 0.5):
        prob = torch.linspace(0, 0.99, 41, dtype=torch.float64)           # odds of 1 are infinite
        got = call(answer, prob, weight)
        true = prob / (prob + weight * (1 - prob))
        expect_shape(got, (41,), cause="one probability for each")
        expect_close(got, true, expected="probabilities whose odds are the weighted odds divided by the weight",
                     cause="the odds", slips=[
            (weight * prob / (weight * prob + 1 - prob), "that weighs a second time: divide the odds, do not multiply"),
            (prob / weight, "dividing the probability is right only for very small ones"),
            (prob / (prob + weight), "the 1 − p' is missing"),
            (prob / (weight * (1 - prob)), "these are the odds, not yet a probability")])


@exercise(hints=(
    "One period is one turn: which angle belongs to half a period?",
    "The angle is 2π · value / period. Sine and cosine of it side by side: `torch.stack([...], dim=-1)`.",
))
def encode(answer):
    """Codes lie on the unit circle, a whole period changes nothing, and no two places of a period share a code."""
    for period in (24.0, 360.0, 365.25):
        value = torch.linspace(-1.2, 2.3, 29, dtype=torch.float64) * period
        got = call(answer, value, period)
        angle = 2 * torch.pi * value / period
        sine, cosine = torch.sin(angle), torch.cos(angle)
        wanted = torch.stack([sine, cosine], -1)
        if torch.is_tensor(got) and got.shape == (2, 29):
            expect_property(False, "a tensor of shape (2, 29)", "shape (29, 2)",
                            cause="sine and cosine belong side by side in each row: dim=-1")
        expect_shape(got, (29, 2), cause="two numbers for each value, sine and cosine")
        raw, half = value / period, torch.pi * value / period
        expect_close(got, wanted, atol=1e-6, expected="sine and cosine of the angle",
                     cause="the angle: it goes on evenly, a full turn for each `period`, beyond one period too", slips=[
            (wanted.flip(-1), "sine comes first"),
            (torch.stack([torch.sin(raw), torch.cos(raw)], -1), "the turn is missing: a period is 2π, not 1"),
            (torch.stack([torch.sin(half), torch.cos(half)], -1), "a period is 2π; with π the ends of a period are "
             "opposite each other"),
            (torch.stack([sine, sine], -1), "sine twice: two places of the period share a code"),
            (torch.stack([torch.sin(value), torch.cos(value)], -1), "the value is no angle yet: 2π · value / period")])


@exercise(hints=(
    "Try 0.001 and 0.0001. By how much does a tenth of the error lengthen the forecast?",
    "A tenth of the error buys about 2.3 Lyapunov times. How many tenths are missing from 0.01 to between 8 and 9?",
))
def lead(answer):
    """Started that far off, forecasts by the true equations are good for 8 to 9 Lyapunov times in the median."""
    value = answer.item() if torch.is_tensor(answer) and answer.numel() == 1 else answer
    expect_property(isinstance(value, numbers.Real) and not isinstance(value, bool), repr(answer), "a number",
                    cause="one size of error, for example 0.01")
    expect_property(math.isfinite(value) and value != 0, f"{value}", "a small number that is not 0",
                    cause="without an error in the start there is nothing to grow")
    start = lorenz.states(60, torch.Generator().manual_seed(8))
    truth, other = lorenz.run(start, 500), lorenz.run(start + value, 500)
    error = ((other - truth) / truth.flatten(0, 1).std(0)).square().mean(-1).sqrt()
    error[-1] = 1.0                                             # a forecast that is good to the end counts as that long
    good = ((error > 0.5).float().argmax(0) * lorenz.STEP * lorenz.LYAPUNOV).median().item()
    cause = "the starting error is too large" if good < 8 else "the starting error is smaller than needed"
    expect_property(7.8 <= good <= 9.2, f"forecasts that are good for {good:.1f} Lyapunov times", "8 to 9", cause=cause)


@exercise(hints=(
    "For each function ask: what of the test part, or of the future, does it know? Is the third what its comment says?",
    "Split by time, with the gap before the test part. Mean and spread come from the training part alone. Persistence "
    "is the forecast `previous`: its error belongs below the line.",
))
def bug_hunt(answer):
    """Training ends a gap before the test part, the scaling is the training part's, and persistence is the baseline."""
    split, scaled, skill = expect_parts(answer, 3, "the three functions in one tuple: split, scaled, skill")
    _splits_by_time(split)
    _scales_by_training(scaled)
    _compares_with_persistence(skill)


def _splits_by_time(split):
    """Training days, the gap, the last fifth for the test, all in order."""
    for days, gap in ((100, 10), (364, 30), (50, 0)):
        got = call(split, days, gap, torch.Generator().manual_seed(0))
        parts = expect_parts(got, 2, "two sets of rows: training and test")
        train, test = (torch.as_tensor(rows) for rows in parts)
        first = days - days // 5
        expect_property(len(train) > 0 and len(test) > 0, "an empty part", "rows in both parts")
        expect_property(int(train.max()) < int(test.min()), "training days among or after the test days",
                        "every training day before every test day",
                        cause="the days are shuffled, so a test day has its neighbours in the training part")
        between = int(test.min()) - int(train.max()) - 1
        expect_property(between >= gap, f"{between} days between the parts", f"at least {gap}",
                        cause="the gap is not left out: the last training days resemble the first test days")
        expect_property(torch.equal(test.sort().values, torch.arange(first, days)), f"a test part of {len(test)} days",
                        f"the last {days // 5} of {days} days",
                        cause="the gap belongs to the end of the training part, and a fifth is rounded down")
        expect_property(torch.equal(train.sort().values, torch.arange(first - gap)), f"a training part of {len(train)} "
                        "days", "every day before the gap", cause="more days are left out than needed")
        expect_property(all(torch.equal(rows, rows.sort().values) for rows in (train, test)), "days out of order",
                        "both parts in order", cause="the days are shuffled")


def _scales_by_training(scaled):
    """Both parts lose the mean and the spread of the training part."""
    generator = torch.Generator().manual_seed(1)
    train = 5 + 2 * torch.randn(80, 3, generator=generator)
    test = 9 + 4 * torch.randn(20, 3, generator=generator)
    got = call(scaled, train, test)
    expect_parts(got, 2, "both parts, scaled: training and test")
    wanted = [(part - train.mean(0)) / train.std(0) for part in (train, test)]
    own = (test - test.mean(0)) / test.std(0)
    for part, want in zip(got, wanted, strict=True):
        expect_close(part, want, rtol=1e-2, atol=1e-2, expected="each part with the training part's mean taken out and "
                     "divided by its spread", cause="`scaled` looks at the test part", slips=[
            (own, "the test part is scaled by its own mean and spread: that hides that it is warmer")])


def _compares_with_persistence(skill):
    """1 for the truth, 0 for the value before."""
    generator = torch.Generator().manual_seed(2)
    truth = torch.randn(200, generator=generator).cumsum(0) / 5
    previous = torch.cat([truth[:1], truth[:-1]])
    for pred in (truth + 0.1 * torch.randn(200, generator=generator), previous, truth):
        got = call(skill, pred, truth, previous)
        expect_shape(got, (), cause="one number")
        wrong = (pred - truth).square().mean()
        expect_close(got, 1 - wrong / (previous - truth).square().mean(), rtol=1e-4, atol=1e-6,
                     expected="1 for a perfect forecast, 0 for persistence itself",
                     cause="`skill` does not divide by the error of persistence", slips=[
            (1 - wrong / (truth - truth.mean()).square().mean(), "`skill` compares with the test part's own mean"),
            (wrong / (previous - truth).square().mean(), "that is what is left of the error; skill is what is gone"),
            (1 - wrong / previous.square().mean(), "the error of persistence is its distance from the truth")])
