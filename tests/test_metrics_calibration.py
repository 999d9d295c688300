"""Reliability against scikit-learn, against probabilities that are right by construction, and pooled over batches."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from course_utils import metrics
from course_utils.metrics import MaskError, reliability


def pixels(seed=0, n=5000, honest=True):
    """Probabilities, and a truth that is drawn from them; or from their square if not honest."""
    rng = np.random.default_rng(seed)
    prob = rng.random(n)
    return prob, rng.random(n) < (prob if honest else prob**2), rng.random(n) < 0.9


@pytest.mark.parametrize("bins", [1, 2, 7, 10])
def test_equals_scikit_learn(bins):
    prob, mask, valid = pixels()
    found = reliability(prob, mask, valid, bins)
    observed, mean = calibration_curve(mask[valid], prob[valid], n_bins=bins, strategy="uniform")
    np.testing.assert_allclose(found.observed, observed)
    np.testing.assert_allclose(found.prob, mean)


def test_a_probability_on_an_edge_falls_where_scikit_learn_puts_it():
    prob = np.array([0.0, 0.2, 0.2, 0.5, 0.5, 0.7, 1.0])
    mask = np.array([False, True, False, False, True, True, True])
    found = reliability(prob, mask, np.ones(7, bool), bins=2)
    observed, mean = calibration_curve(mask, prob, n_bins=2)
    np.testing.assert_allclose([found.observed, found.prob], [observed, mean])
    assert found.pixels.tolist() == [5, 2]


def test_the_error_is_that_of_the_definition():
    prob, mask, valid = pixels(honest=False)
    found = reliability(prob, mask, valid)
    weights = found.pixels / found.pixels.sum()
    assert found.error == pytest.approx((weights * np.abs(found.observed - found.prob)).sum())


def test_honest_probabilities_have_a_small_error_and_squared_ones_a_large_one():
    assert reliability(*pixels(n=200_000)).error < 0.01
    # the mean of p − p² over the unit interval is 1/6
    assert reliability(*pixels(n=200_000, honest=False)).error == pytest.approx(1 / 6, abs=0.01)


def test_bins_of_batches_add_up_to_the_bins_of_all():
    prob, mask, valid = pixels()
    parts = [reliability(prob[rows], mask[rows], valid[rows]) for rows in (slice(0, 10), slice(10, 5000))]
    together, whole = parts[0] + parts[1], reliability(prob, mask, valid)
    np.testing.assert_array_equal(together.pixels, whole.pixels)
    np.testing.assert_allclose(together.observed, whole.observed)
    assert together.error == pytest.approx(whole.error)


def test_without_pixels_the_error_is_undefined_and_a_warning_says_so():
    nothing = reliability(np.zeros(3), np.zeros(3, bool), np.zeros(3, bool))
    with pytest.warns(metrics.UndefinedScore, match="no pixel is valid"):
        assert np.isnan(nothing.error)


def test_empty_bins_are_nan_and_do_not_touch_the_error():
    found = reliability(np.array([0.05, 0.95]), np.array([False, True]), np.ones(2, bool))
    assert np.isnan(found.prob[1:-1]).all() and np.isnan(found.observed[1:-1]).all()
    assert found.error == pytest.approx(0.05)


def test_a_batch_of_one_class_counts_like_any_other():
    assert metrics.reliability(np.full(4, 0.5), np.ones(4, bool), np.ones(4, bool)).error == 0.5


@pytest.mark.parametrize(("prob", "bins", "words"), [
    (np.array([-0.1, 0.5]), 10, "take the sigmoid"),
    (np.array([0.5, 3.0]), 10, "take the sigmoid"),
    (np.array([0.5, np.nan]), 10, "not finite"),
    (np.array([0.5]), 10, "expected one shape"),
    (np.array([0.5, 0.5]), 0, "expected 1 or more"),
])
def test_what_is_no_probability_is_refused(prob, bins, words):
    with pytest.raises(MaskError, match=words):
        reliability(prob, np.array([True, False]), np.ones(2, bool), bins)


def test_different_numbers_of_bins_do_not_add():
    one, two = (reliability(*pixels(n=50), bins=bins) for bins in (5, 6))
    with pytest.raises(MaskError, match="the same number"):
        one + two
