"""Marks: those of the scoreboard's scores, with the error that other scenes would make."""

import numpy as np
import pytest

from course_utils import challenge, metrics, simulate
from course_utils.challenge import ChallengeError, Round, marking
from course_utils.data.samples import cut
from course_utils.metrics import Counts
from tests.challenge.submissions import OWN, made


def test_marks_are_those_of_the_scoreboards_scores(quick):
    marks = challenge.mark(made(), OWN)
    pred = made().pred
    assert marks.iou == metrics.iou(metrics.count(pred, quick.mask, quick.valid))
    assert marks.thin_recall == (pred & quick.thin).sum() / quick.thin.sum()
    assert marks.small_recall == (pred & quick.small & quick.valid).sum() / (quick.small & quick.valid).sum()
    clear_snow = quick.snow & ~quick.mask
    assert marks.snow_alarms == (pred & clear_snow).sum() / clear_snow.sum()
    assert marks.scenes.tp.shape == (60,) and marks.scenes.total.sum() == quick.valid.sum()
    first = metrics.count(pred[:16], quick.mask[:16], quick.valid[:16])
    assert (marks.scenes.tp[0], marks.scenes.fn[0]) == (first.tp, first.fn)


def test_a_perfect_submission_is_perfect(quick):
    marks = challenge.mark(made(pred=quick.mask), OWN)
    assert (marks.iou, marks.error, marks.thin_recall, marks.snow_alarms) == (1, 0, 1, 0)


def test_the_truth_is_that_of_the_simulator(monkeypatch):
    monkeypatch.setattr(marking, "SCENES", 2)
    marking.truth.cache_clear()
    true = marking.truth(OWN)
    marking.truth.cache_clear()
    scene = simulate.scene(1, seed=OWN.seed)
    assert np.array_equal(true.mask[16:], cut(scene.mask)) and np.array_equal(true.valid[16:], cut(scene.valid))
    assert np.array_equal(true.thin[16:], cut(scene.codes == 2))
    white = np.isin(scene.surface, [simulate.SURFACES.index("snow"), simulate.SURFACES.index("ice")])
    assert np.array_equal(true.snow[16:], cut(white & scene.valid))


def test_another_round_and_too_much_computing_are_refused(quick):
    with pytest.raises(ChallengeError, match=f"found masks of round {OWN.id}, expected .* the key is another"):
        challenge.mark(made(), Round("a class's own, secret key"))
    with pytest.raises(ChallengeError, match=r"found 300\.1 processor seconds, expected at most 300"):
        challenge.mark(made(cpu_seconds=300.1), OWN)
    assert challenge.mark(made(cpu_seconds=300), OWN).iou > 0


def test_resampling_scenes():
    times = challenge.resample(60, 400, np.random.default_rng(0))
    assert times.shape == (400, 60) and (times.sum(axis=1) == 60).all()
    assert times.mean(axis=0) == pytest.approx(np.ones(60), abs=0.3)
    scenes = Counts(*np.random.default_rng(1).integers(1, 50, size=(4, 60)))
    found = challenge.resampled_iou(scenes, times)
    rows = np.repeat(np.arange(60), times[7])
    assert found[7] == pytest.approx(scenes.tp[rows].sum() / (scenes.tp + scenes.fp + scenes.fn)[rows].sum())
    assert challenge.resampled_iou(scenes, np.ones((1, 60), int))[0] == pytest.approx(
        scenes.tp.sum() / (scenes.tp + scenes.fp + scenes.fn).sum())


def test_the_standard_error_of_a_mean_is_its_textbook_value():
    """With equal unions in all scenes, IoU is a mean of scenes, and its bootstrap error is known."""
    tp = np.random.default_rng(2).integers(0, 100, size=60)
    scenes = Counts(tp, 100 - tp, np.zeros(60, int), np.zeros(60, int))
    error = challenge.resampled_iou(scenes, challenge.resample(60, 20_000, np.random.default_rng(0))).std()
    assert error == pytest.approx((tp / 100).std() / np.sqrt(60), rel=0.02)
