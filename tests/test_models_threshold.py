"""The threshold that is found is the best one there is: brute force says so."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils import metrics
from course_utils.metrics import MaskError
from course_utils.models.threshold import AllOf, Threshold


def training_part(seed, levels=12, n=3):
    rng = np.random.default_rng(seed)
    masks = rng.random((n, 6, 7)) < 0.4
    images = rng.integers(0, levels, (n, 2, 6, 7)) + 5 * masks[:, None]
    return (images / 20).astype(np.float32), masks, rng.random((n, 6, 7)) < 0.9


def score_of(rule, images, masks, valid, criterion=metrics.iou):
    return criterion(metrics.count(rule.predict(images), masks, valid))


@pytest.mark.parametrize("criterion", [metrics.iou, metrics.accuracy, metrics.mean_iou])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore::course_utils.metrics.UndefinedScore")
def test_no_threshold_beats_the_one_that_fit_finds(criterion, seed):
    part = training_part(seed)
    rule = Threshold.fit(1, *part, criterion=criterion)
    tried = [-1.0, *np.arange(0, 1, 0.01), *np.unique(part[0])]
    best = max(score_of(Threshold(1, float(value)), *part, criterion) for value in tried)
    assert score_of(rule, *part, criterion) == pytest.approx(best)


@given(arrays(np.float32, (1, 4, 4), elements=st.floats(0, 1, width=32)), arrays(bool, (4, 4)))
def test_no_value_that_occurs_beats_it_for_any_image(image, mask):
    mask[0, 0], mask[0, 1] = True, False
    valid = np.ones_like(mask)
    rule = Threshold.fit(0, image, mask, valid)
    best = max(score_of(Threshold(0, float(v)), image, mask, valid) for v in [-1, *image.ravel()])
    assert score_of(rule, image, mask, valid) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(3))
def test_no_pair_beats_the_pair_that_fit_finds(seed):
    part = training_part(seed)
    rule = AllOf.fit((0, 1), *part)
    values = [-1.0, *np.unique(part[0]).tolist()]
    pairs = itertools.product(values, values)
    best = max(score_of(AllOf((Threshold(0, a), Threshold(1, b))), *part) for a, b in pairs)
    assert score_of(rule, *part) == pytest.approx(best)
    assert score_of(rule, *part) >= score_of(Threshold.fit(0, *part), *part)


def test_a_coarse_grid_comes_close_to_the_fine_one():
    rng = np.random.default_rng(0)
    masks = rng.random((2, 60, 60)) < 0.4
    images = (rng.normal(0.3, 0.1, (2, 2, 60, 60)) + 0.2 * masks[:, None]).astype(np.float32)
    part = images, masks, np.ones_like(masks)
    coarse, fine = (score_of(AllOf.fit((0, 1), *part, steps=n), *part) for n in (64, 1000))
    assert fine - 0.01 < coarse <= fine + 1e-12


def test_invalid_pixels_do_not_move_the_threshold():
    images, masks, valid = training_part(7)
    spoiled = np.where(valid[:, None], images, 9).astype(np.float32)
    assert Threshold.fit(0, images, masks, valid) == Threshold.fit(0, spoiled, masks, valid)


def test_a_band_that_says_nothing_gives_all_cloud():
    masks = np.array([[True, True, False]])
    rule = Threshold.fit(0, np.full((1, 1, 3), 0.5, np.float32), masks, np.ones_like(masks))
    assert rule.value == -np.inf and rule.predict(np.zeros((1, 2, 2))).all()


def test_the_value_itself_is_clear_even_after_rounding_to_float32():
    image = np.float32([[[0.1, 0.2, 0.3]]])
    mask = np.array([[False, False, True]])
    rule = Threshold.fit(0, image, mask, np.ones_like(mask))
    assert rule.value == float(np.float32(0.2))
    assert (rule.predict(image) == mask).all() and (rule.predict(torch.from_numpy(image)).numpy() == mask).all()


def test_numpy_and_torch_batches_are_masked_alike():
    images, *_ = training_part(1)
    rule = AllOf((Threshold(0, 0.2), Threshold(1, 0.3)))
    pred = rule.predict(torch.from_numpy(images))
    assert pred.shape == (3, 6, 7) and pred.dtype == torch.bool
    assert (pred.numpy() == rule.predict(images)).all()
    assert (rule.predict(images[1]) == pred.numpy()[1]).all()
    assert (rule.parameters, rule.rules[0].parameters) == (2, 1)


def test_what_can_not_be_fitted_is_refused():
    images, masks, valid = training_part(0)
    with pytest.raises(MaskError, match=r"found 0 cloudy of .* expected both classes"):
        Threshold.fit(0, images, np.zeros_like(masks), valid)
    with pytest.raises(MaskError, match=r"found images \(3, 2, 6, 7\), masks \(2, 6, 7\).*expected \(N, C, H, W\)"):
        Threshold.fit(0, images, masks[:2], valid)
    with pytest.raises(MaskError, match=r"masks .* uint8"):
        AllOf.fit((0, 1), images, masks.astype(np.uint8), valid)
    images[0, 0][valid[0]] = np.nan
    with pytest.raises(MaskError, match="not finite"):
        Threshold.fit(0, images, masks, valid)
