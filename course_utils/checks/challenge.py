"""Checks of chapter 17, the cloud-mask challenge."""

import numpy as np
import torch

from course_utils.challenge import resampled_iou
from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_close,
    expect_dtype,
    expect_equal,
    expect_parts,
    expect_property,
    expect_shape,
    expect_type,
)
from course_utils.metrics import Counts


@exercise(hints=(
    "What does `challenge.Round` need to simulate the scenes with their labels?",
    "The seed comes from the key through a one-way function; the name of the round comes from it, too, but the way "
    "back is closed.",
))
def withheld(answer):
    """The choice is right: who has the key, and only who has the key, can simulate the labels."""
    expect_choice(answer, "c", {
        "a": "the images hold no label, and the seed cannot be read off them",
        "b": "the name comes from the key by a one-way function: nothing leads back",
        "d": "a fast computer could try keys, but there are more of 32 random characters than it can ever try",
    })


def _two_orders(seed: int):
    """Probabilities of two models for the same patches, and an order for each; eighths, so that sums are exact."""
    rng = np.random.default_rng(seed)
    ids = np.sort(rng.choice(6000, 24, replace=False)).astype(np.int64)
    probs = rng.integers(0, 9, size=(2, 24, 3, 5)).astype(np.float32) / 8
    orders = [rng.permutation(24) for _ in range(2)]
    return ids, probs, orders


@exercise(hints=(
    "Before two arrays are added, the same row must be the same patch. Which index puts `ids_a` in increasing order?",
    "`a = np.argsort(ids_a)` sorts ids and probabilities alike: `ids_a[a]`, `prob_a[a]`. The same for b; then average, "
    "and compare with `>=`.",
))
def blend(answer):
    """Ids come in increasing order, each with the mask of its own patch, for several orders and several cuts."""
    for seed, cut in ((0, 0.5), (1, 0.25), (2, 0.6875)):
        ids, (one, two), (first, second) = _two_orders(seed)
        got = call(answer, ids[first], one[first], ids[second], two[second], cut)
        expect_parts(got, 2, "two arrays: ids and pred")
        expect_dtype(got[0], np.int64)
        expect_dtype(got[1], np.bool_, cause="compare the mean with the cut")
        expect_close(got[0], ids, expected="every id once, in increasing order", cause="the ids are still in the order "
                     "of a loader", slips=[(ids[first], "the ids are still in the order of the first model"),
                                           (ids[second], "the ids are still in the order of the second model")])
        mean = (one + two) / 2
        expect_close(got[1], mean >= cut, expected="for each id, in order, whether the mean is at least the cut",
                     cause="probabilities that belong to other patches, or another mean", slips=[
            (mean > cut, "a mean that equals the cut is cloud: >= instead of >"),
            ((one[first] + two[second]) / 2 >= cut, "rows of different patches were averaged: sort both by their ids"),
            ((one + two[second]) / 2 >= cut, "the second model's rows are still in their own order"),
            ((one[first] + two) / 2 >= cut, "the first model's rows are still in their own order"),
            (mean[first] >= cut, "the ids were sorted, the masks were not"),
            ((one >= cut) & (two >= cut), "two masks were combined: average the probabilities, then cut"),
            ((one >= cut) | (two >= cut), "two masks were combined: average the probabilities, then cut"),
        ])


def _scenes(rng: np.random.Generator, hard: np.ndarray) -> Counts:
    """Counts of an entry that is worse on hard scenes."""
    tp = rng.integers(200, 400, size=hard.size) * (hard < 0.5) + rng.integers(20, 80, size=hard.size)
    return Counts(tp, (60 * hard + rng.integers(0, 20, hard.size)).astype(int),
                  (90 * hard + rng.integers(0, 20, hard.size)).astype(int), rng.integers(500, 900, size=hard.size))


@exercise(hints=(
    "Score both entries on every draw, then subtract: one difference for each draw.",
    "`resampled(first, times) - resampled(second, times)` are the differences; `np.quantile(..., [0.025, 0.975])` "
    "leaves 2.5 % out on each side.",
))
def interval(answer):
    """Both ends are right for several pairs of entries, also when the second is the better one."""
    rng = np.random.default_rng(5)
    for size in (60, 25):
        hard = rng.random(size)
        first, second = _scenes(rng, hard), _scenes(rng, hard)
        times = rng.multinomial(size, np.full(size, 1 / size), size=500)
        one, two = resampled_iou(first, times), resampled_iou(second, times)
        got = call(answer, first, second, times)
        expect_shape(got, (2,), cause="give the lower and the upper end")
        gains = one - two
        apart = np.hypot(one.std(), two.std())
        ends = [np.quantile(values, [0.025, 0.975]) for values in (one, two)]
        expect_close(got, np.quantile(gains, [0.025, 0.975]), rtol=1e-3, atol=0.03 * gains.std(),
                     expected="the central 95 % of the paired differences",
                     cause="the quantiles, or what they are taken of", slips=[
            (np.quantile(-gains, [0.025, 0.975]), "second minus first"),
            (np.quantile(gains, [0.05, 0.95]), "the central 90 %: 5 % were left out on each side"),
            (np.quantile(gains, [0.975, 0.025]), "the lower end comes first"),
            (ends[0] - ends[1], "the difference of two intervals: subtract within each draw first"),
            (gains.mean() + apart * np.array([-1.96, 1.96]), "the draws were not paired: subtract within each draw"),
            (np.quantile(one - two[::-1], [0.025, 0.975]), "the draws were not paired: subtract within each draw"),
        ])


@exercise(hints=(
    "Each row of the array is one challenge with 100 entries. Which number of a row is the winner's?",
    "`.max(axis=1)` gives the winners, `.mean()` how lucky they are on average.",
))
def best_of(answer):
    """The luck of the best of a hundred is right to about two hundredths."""
    value = answer.item() if torch.is_tensor(answer) or isinstance(answer, np.ndarray | np.generic) else answer
    expect_type(value, (int, float), expected="one number")
    expect_property(abs(value - (2 * np.log(100)) ** 0.5) > 0.05, f"{value:.4g}", "the mean over many draws",
                    cause="√(2 ln n) is an upper bound: draw, and look")
    expect_property(value > 0.5, f"{value:.4g}", "the mean of the largest of a hundred, in standard errors",
                    cause="the mean of all entries instead of the best of each challenge")
    expect_property(value < 3.5, f"{value:.4g}", "the mean of the largest of a hundred, in standard errors",
                    cause="the largest of all draws: take the maximum along each row")
    expect_close(value, 2.508, atol=0.03, rtol=0, expected="the mean over challenges of the best of 100 entries",
                 cause="too few draws, or the maximum along the other axis")


def _answers(scores: list[float], step: float, margin: float, rounded: bool = True, last: bool = False) -> np.ndarray:
    """What a ladder answers; with other settings, what a wrong one does."""
    answers, reference = [], None
    for score in scores:
        if reference is None or score > reference + margin:
            answers.append(round(score / step) * step if rounded else score)
            reference = answers[-1]
        else:
            answers.append(answers[-1])
        if last:
            reference = score
    return np.array(answers)


@exercise(hints=(
    "Keep the answers in a list. What is the last answer when the next score arrives, and by how much must the score "
    "beat it?",
    "`if not answers or score > answers[-1] + step:` append `round(score / step) * step`, else `answers[-1]`.",
))
def ladder(answer):
    """Answers are rounded, rise only when a step is beaten, and are repeated otherwise, for one score and for none."""
    rng = np.random.default_rng(11)
    cases = [([0.503], 0.01), ([], 0.05), ([0.613, 0.601, 0.633, 0.655, 0.701, 0.2, 0.3, 0.721], 0.02),
             ((0.6 + 0.03 * rng.standard_normal(60)).round(4).tolist(), 0.01),
             ((0.5 + 0.3 * rng.random(40)).round(4).tolist(), 0.05)]
    for scores, step in cases:
        got = call(answer, list(scores), step)
        expect_type(got, (list, tuple, np.ndarray), expected="a list with an answer to every score")
        expect_equal(len(got), len(scores), expected="an answer to every score", cause="a score that is not good "
                     "enough gets the last answer again")
        if not scores:
            continue
        expect_close(np.array(got, float), _answers(scores, step, step), atol=1e-9, rtol=0,
                     expected="the last answer again, or a higher one", cause="when a new answer is given, or which",
                     slips=[
            (_answers(scores, step, step, rounded=False), "the answers are not rounded"),
            (_answers(scores, step, 0), "any higher score is answered: it must be higher by more than a step"),
            (np.round(np.array(scores) / step) * step, "every score is answered, good or not"),
            (_answers(scores, step, step, last=True), "compared with the last score, not the last answer"),
        ])


class _Clock:
    """A budget that only says whether it is counting."""

    def __init__(self):
        self.counting = False

    def __enter__(self):
        self.counting = True
        return self

    def __exit__(self, *error):
        self.counting = False


class _Images(torch.utils.data.Dataset):
    """Patches whose every pixel is their own probability."""

    def __init__(self):
        rng = np.random.default_rng(2)
        self.ids = torch.from_numpy(np.sort(rng.choice(6000, 70, replace=False)).astype(np.int64))
        self.image = torch.from_numpy(rng.random(70, np.float32))[:, None, None, None].expand(70, 12, 4, 4)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, rows):
        image = self.image[rows]
        return {"image": image, "valid": image[..., 0, :, :] >= 0, "id": self.ids[rows]}


@exercise(hints=(
    "Look at three orders: of the ids and of the masks; of choosing and of asking; of `train` and `with budget`.",
    "The loader hands out `batch['id']` beside `batch['image']`: collect both in one pass. The cut is validation's. "
    "And the trainings that lost were made, too.",
))
def bug_hunt(answer):
    """Ids travel with their masks, the cut is chosen on validation, and every training of the search is counted."""
    masks, choose, search = expect_parts(answer, 3, "the three functions: masks, choose, search")
    _check_masks(masks)
    _check_choice(choose)
    _check_search(search)


def _check_masks(masks) -> None:
    """Every id comes with the mask of its own patch, whatever the loader's order."""
    images = _Images()
    got = call(masks, images, lambda image: image[:, 0].numpy(), 0.5, torch.Generator().manual_seed(3))
    ids, pred = (np.asarray(part) for part in expect_parts(got, 2, "two arrays: ids and masks"))
    expect_shape(ids, (70,))
    expect_shape(pred, (70, 4, 4))
    expect_equal(sorted(ids.tolist()), images.ids.tolist(), expected="every id once")
    right = images.image[:, 0].numpy() >= 0.5
    place = np.searchsorted(images.ids.numpy(), ids)
    expect_close(pred, right[place], expected="with every id the mask of its own patch",
                 cause="the masks come in the loader's order, the ids in another: read both from the same batch")


def _check_choice(choose) -> None:
    """The cut is validation's, and the board is not asked."""
    validation, board = {0.3: 0.71, 0.5: 0.74, 0.7: 0.73}, {0.3: 0.70, 0.5: 0.72, 0.7: 0.75}
    asked = []

    def ask_board(cut):
        asked.append(cut)
        return board[cut]

    got = call(choose, [0.3, 0.5, 0.7], validation.get, ask_board)
    expect_equal(got, 0.5, expected="the cut with the highest IoU on validation", slips=[
        (0.7, "the board was asked: that is choosing on the test scenes")])
    expect_property(not asked, f"{len(asked)} questions to the board", "none", cause="the choice is validation's alone")


def _check_search(search) -> None:
    """Every training of the search is made while the clock counts."""
    clock, trained = _Clock(), []
    scores = {"narrow": 0.70, "wide": 0.82, "deep": 0.77}

    def train(setting):
        trained.append(clock.counting)
        return scores[setting]

    got = call(search, list(scores), train, clock)
    expect_equal(got, "wide", expected="the setting with the highest IoU on validation")
    expect_property(len(trained) >= 3, f"{len(trained)} trainings", "every setting trained")
    expect_property(all(trained), f"{trained.count(False)} of {len(trained)} trainings outside the budget",
                    "all inside", cause="what did not win was computed, too")
