"""Scores against plain counting, scikit-learn, and what must hold for any masks."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn import metrics as sk

from course_utils import metrics
from course_utils.metrics import Counts, MaskError, UndefinedScore

SCORES = [
    metrics.accuracy,
    metrics.iou,
    metrics.clear_iou,
    metrics.mean_iou,
    metrics.recall,
    metrics.precision,
    metrics.false_alarm_rate,
]


def random_masks(seed, n=4000):
    rng = np.random.default_rng(seed)
    mask = rng.random(n) < 0.4
    pred = np.where(rng.random(n) < 0.8, mask, ~mask)
    return pred, mask, rng.random(n) < 0.9


@st.composite
def three_masks(draw):
    shape = draw(array_shapes(min_dims=1, max_dims=3, max_side=6))
    return tuple(draw(arrays(bool, shape)) for _ in range(3))


@given(three_masks())
def test_counts_agree_with_counting_one_pixel_at_a_time(masks):
    cells = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pred, mask, valid in zip(*(m.ravel().tolist() for m in masks), strict=True):
        if valid:
            cells[pred, mask] += 1
    counts = metrics.count(*masks)
    assert counts == Counts(
        tp=cells[True, True], fp=cells[True, False], fn=cells[False, True], tn=cells[False, False]
    )
    assert counts.total == masks[2].sum()


@given(three_masks())
def test_torch_and_numpy_count_alike(masks):
    assert metrics.count(*masks) == metrics.count(*(torch.from_numpy(m) for m in masks))


@given(three_masks())
def test_counts_of_parts_add_up_to_counts_of_the_whole(masks):
    flat = [m.ravel() for m in masks]
    cut = flat[0].size // 2
    parts = [metrics.count(*(m[:cut] for m in flat)), metrics.count(*(m[cut:] for m in flat))]
    assert sum(parts) == parts[0] + parts[1] == metrics.count(*flat)


@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_with_scikit_learn(seed):
    pred, mask, valid = random_masks(seed)
    counts = metrics.count(pred, mask, valid)
    truth, guess = mask[valid], pred[valid]
    assert metrics.accuracy(counts) == pytest.approx(sk.accuracy_score(truth, guess))
    assert metrics.iou(counts) == pytest.approx(sk.jaccard_score(truth, guess))
    assert metrics.clear_iou(counts) == pytest.approx(sk.jaccard_score(~truth, ~guess))
    assert metrics.mean_iou(counts) == pytest.approx(sk.jaccard_score(truth, guess, average="macro"))
    assert metrics.recall(counts) == pytest.approx(sk.recall_score(truth, guess))
    assert metrics.precision(counts) == pytest.approx(sk.precision_score(truth, guess))
    assert metrics.false_alarm_rate(counts) == pytest.approx(1 - sk.recall_score(~truth, ~guess))


@given(st.tuples(*[st.integers(1, 10**7)] * 4))
def test_scores_lie_between_zero_and_one(cells):
    counts = Counts(*cells)
    assert all(0 <= score(counts) <= 1 for score in SCORES)


def test_a_perfect_mask_scores_one_and_its_opposite_zero():
    _, mask, valid = random_masks(0)
    perfect, opposite = metrics.count(mask, mask, valid), metrics.count(~mask, mask, valid)
    for score in SCORES[:-1]:
        assert score(perfect) == 1 and score(opposite) == 0
    assert metrics.false_alarm_rate(perfect) == 0 and metrics.false_alarm_rate(opposite) == 1


def test_invalid_pixels_never_matter():
    pred, mask, valid = random_masks(1)
    assert metrics.count(pred, mask, valid) == metrics.count(pred ^ ~valid, mask, valid)


def test_counts_are_pooled_not_averaged():
    """One valid pixel that is wrong must not weigh as much as 99 that are right."""
    good, bad = Counts(tp=99), Counts(fp=1)
    assert metrics.iou(good + bad) == pytest.approx(0.99)
    assert (metrics.iou(good) + metrics.iou(bad)) / 2 == 0.5


def test_counts_of_arrays_score_many_thresholds_at_once():
    table = Counts(tp=np.array([1, 4]), fp=np.array([1, 0]), fn=np.array([2, 0]), tn=np.array([0, 0]))
    assert metrics.iou(table).tolist() == [0.25, 1.0]


@pytest.mark.parametrize(
    ("score", "counts", "word"),
    [
        (metrics.accuracy, Counts(), "no pixel is valid"),
        (metrics.iou, Counts(tn=5), "there is no cloud, true or predicted"),
        (metrics.clear_iou, Counts(tp=5), "nothing is clear"),
        (metrics.recall, Counts(fp=1, tn=5), "no true cloud"),
        (metrics.precision, Counts(fn=5, tn=5), "no cloud was predicted"),
        (metrics.false_alarm_rate, Counts(tp=5), "nothing is truly clear"),
    ],
)
def test_a_score_without_a_denominator_is_nan_and_says_so(score, counts, word):
    with pytest.warns(UndefinedScore, match=word):
        assert np.isnan(score(counts))


def test_a_defined_score_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.iou(Counts(fp=3, tn=5)) == 0


def test_counts_do_not_add_to_numbers():
    with pytest.raises(TypeError):
        Counts(tp=1) + 1
    with pytest.raises(TypeError):
        1 + Counts(tp=1)


YES = np.ones((2, 3), bool)


@pytest.mark.parametrize(
    ("pred", "mask", "valid", "words"),
    [
        (YES.astype(float), YES, YES, r"found pred of type float64; expected bool.*compare probabilities"),
        (YES, YES.astype(np.uint8), YES, r"found mask of type uint8; expected bool.*from_codes"),
        (YES, YES, torch.ones(2, 3), r"found valid of type torch.float32"),
        (YES, YES, True, r"found valid of type bool, which is no array"),
        (YES[:1], YES, YES, r"found shapes pred \(1, 3\), mask \(2, 3\), valid \(2, 3\); expected one shape"),
        (YES, YES, YES.T, r"valid \(3, 2\)"),
        (YES, torch.from_numpy(YES), YES, r"pred ndarray, mask Tensor.*expected one kind"),
    ],
)
def test_what_can_not_be_counted_is_refused(pred, mask, valid, words):
    with pytest.raises(MaskError, match=words):
        metrics.count(pred, mask, valid)


# --- where a score looks ---------------------------------------------------------------------------


def test_recall_on_thin_cloud_counts_thin_pixels_only():
    codes = np.array([2, 2, 2, 2, 1, 1, 0, 255], np.uint8)
    pred = np.array([1, 1, 1, 0, 0, 0, 1, 1], bool)
    _, valid = metrics.from_codes(codes)
    assert metrics.recall_on(pred, codes == metrics.THIN, valid) == 0.75
    valid[3] = False
    assert metrics.recall_on(pred, codes == metrics.THIN, valid) == 1


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_codes_split_into_mask_and_validity(kind):
    mask, valid = metrics.from_codes(kind([[0, 1], [2, 255]]))
    assert mask.tolist() == [[False, True], [True, False]]
    assert valid.tolist() == [[True, True], [True, False]]


def test_unknown_codes_are_named():
    with pytest.raises(MaskError, match=r"found the codes \[64, 128\]; expected 0 clear, 1 thick, 2 thin"):
        metrics.from_codes(np.array([128, 64, 255, 128, 0], np.uint8))


def flood(mask, start):
    """The pixels that hang together with `start`, by walking: the oracle for connected clouds."""
    seen, edge = {start}, [start]
    while edge:
        row, col = edge.pop()
        around = {(row + i, col + j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        fresh = {p for p in around if all(0 <= p[k] < mask.shape[k] for k in (0, 1)) and mask[p]} - seen
        seen |= fresh
        edge += fresh
    return seen


@given(arrays(bool, (7, 8)), arrays(bool, (7, 8), elements=st.sampled_from([True] * 9 + [False])), st.integers(1, 9))
def test_small_clouds_agree_with_walking(mask, valid, max_pixels):
    small = metrics.small_clouds(mask, valid, max_pixels)
    for row, col in np.ndindex(mask.shape):
        expected = False
        if (mask & valid)[row, col]:
            cloud = flood(mask & valid, (row, col))
            around = {(r + i, c + j) for r, c in cloud for i in (-1, 0, 1) for j in (-1, 0, 1)}
            whole = all(0 < r < 6 and 0 < c < 7 for r, c in cloud) and all(valid[p] for p in around)
            expected = whole and len(cloud) <= max_pixels
        assert small[row, col] == expected


def test_images_of_a_stack_do_not_touch():
    rng = np.random.default_rng(5)
    mask, valid = rng.random((4, 20, 20)) < 0.15, rng.random((4, 20, 20)) < 0.98
    stack = metrics.small_clouds(mask, valid, 6)
    assert stack.any()
    for k in range(4):
        assert (stack[k] == metrics.small_clouds(mask[k], valid[k], 6)).all()


def test_small_clouds_refuses_a_flat_mask():
    with pytest.raises(MaskError, match=r"shape \(6,\); expected \(H, W\) or \(N, H, W\)"):
        metrics.small_clouds(YES.ravel(), YES.ravel(), 3)


# --- curves ----------------------------------------------------------------------------------------


def scored_pixels(seed, n=300, ties=True):
    rng = np.random.default_rng(seed)
    mask = rng.random(n) < 0.3
    score = rng.normal(size=n) + mask
    return (score.round(1) if ties else score), mask, rng.random(n) < 0.9


@pytest.mark.parametrize("seed", range(3))
def test_every_point_of_a_curve_is_the_score_of_its_threshold(seed):
    score, mask, valid = scored_pixels(seed)
    roc, pr = metrics.roc_curve(score, mask, valid), metrics.precision_recall_curve(score, mask, valid)
    for curve in (roc, pr):
        assert curve.x.shape == curve.y.shape == curve.thresholds.shape
    for x, y, threshold in zip(roc.x, roc.y, roc.thresholds, strict=True):
        counts = metrics.count(score >= threshold, mask, valid)
        assert (x, y) == pytest.approx((metrics.false_alarm_rate(counts), metrics.recall(counts)))
    for x, y, threshold in zip(pr.x[:-1], pr.y[:-1], pr.thresholds[:-1], strict=True):
        counts = metrics.count(score >= threshold, mask, valid)
        assert (x, y) == pytest.approx((metrics.recall(counts), metrics.precision(counts)))
    assert (pr.x[-1], pr.y[-1], pr.thresholds[-1]) == (0, 1, np.inf)


@pytest.mark.parametrize("seed", range(3))
def test_area_under_roc_is_the_chance_that_cloud_outscores_clear(seed):
    score, mask, valid = scored_pixels(seed)
    cloud, clear = score[mask & valid], score[~mask & valid]
    difference = cloud[:, None] - clear[None, :]
    assert metrics.roc_curve(score, mask, valid).area == pytest.approx(
        np.mean((difference > 0) + 0.5 * (difference == 0))
    )


@pytest.mark.parametrize("ties", [True, False])
def test_curves_are_those_of_scikit_learn(ties):
    score, mask, valid = scored_pixels(4, ties=ties)
    roc, pr = metrics.roc_curve(score, mask, valid), metrics.precision_recall_curve(score, mask, valid)
    every = np.stack(sk.roc_curve(mask[valid], score[valid], drop_intermediate=False), axis=1)
    ours = np.stack([roc.x, roc.y, roc.thresholds], axis=1)
    assert np.isclose(ours[:, None], every).all(axis=2).any(axis=1).all()
    assert roc.x.size < len(every) and roc.area == pytest.approx(sk.roc_auc_score(mask[valid], score[valid]))
    for ours, theirs in zip((pr.y, pr.x), sk.precision_recall_curve(mask[valid], score[valid])[:2], strict=True):
        assert np.allclose(ours, theirs)


@pytest.mark.parametrize("ties", [True, False])
def test_average_precision_agrees_with_scikit_learn(ties):
    score, mask, valid = scored_pixels(3, ties=ties)
    expected = sk.average_precision_score(mask[valid], score[valid])
    assert metrics.precision_recall_curve(score, mask, valid).area == pytest.approx(expected)


@pytest.mark.parametrize("curve", [metrics.roc_curve, metrics.precision_recall_curve])
def test_what_has_no_curve_is_refused(curve):
    score, mask, valid = scored_pixels(0)
    with pytest.raises(MaskError, match="expected both classes"):
        curve(score, np.zeros_like(mask), valid)
    with pytest.raises(MaskError, match="not finite"):
        curve(np.where(np.arange(score.size) == np.argmax(valid), np.nan, score), mask, valid)
    with pytest.raises(MaskError, match=r"found score \(299,\), mask \(300,\)"):
        curve(score[1:], mask, valid)
