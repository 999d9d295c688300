"""The baseline on real Landsat-8 patches, against best thresholds that were found independently."""

import numpy as np
import pytest

from course_utils import metrics, simulate
from course_utils.data.real import available, labelled_scenes
from course_utils.models.threshold import AllOf, Threshold
from course_utils.sensors import LANDSAT8

BLUE, SWIR = LANDSAT8.index("B2"), LANDSAT8.index("B6")


def stacked(views):
    return tuple(np.stack([getattr(view, name) for view in views]) for name in ("image", "mask", "valid"))


@pytest.fixture(scope="module")
def real_patches(shared_realdata):
    """Images, masks and validity of the twelve patches that are kept for tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(shared_realdata))
        views = list(labelled_scenes("l8biome", available("l8biome")))
    assert len(views) == 12 and {view.bands for view in views} == {LANDSAT8.band_names}
    return stacked(views)


def scores(rule, images, masks, valid):
    counts = metrics.count(rule.predict(images), masks, valid)
    return [metrics.iou(counts), metrics.clear_iou(counts), metrics.accuracy(counts)]


def test_the_best_blue_threshold_is_the_known_one(real_patches):
    rule = Threshold.fit(BLUE, *real_patches)
    assert rule.value == pytest.approx(0.22, abs=0.01)
    assert scores(rule, *real_patches) == pytest.approx([0.48, 0.67, 0.75], abs=0.01)


def test_the_best_pair_of_thresholds_is_as_good_as_the_known_one(real_patches):
    known = AllOf((Threshold(BLUE, 0.2), Threshold(SWIR, 0.15)))
    assert scores(known, *real_patches) == pytest.approx([0.84, 0.94, 0.96], abs=0.01)
    found = AllOf.fit((BLUE, SWIR), *real_patches)
    assert scores(found, *real_patches)[0] >= scores(known, *real_patches)[0] - 1e-3


def test_a_threshold_from_simulated_scenes_finds_real_cloud(real_patches):
    rule = Threshold.fit(BLUE, *stacked(list(simulate.scenes(range(40), sensor=LANDSAT8, size=128))))
    everything = Threshold(BLUE, -np.inf)
    assert scores(rule, *real_patches)[0] > scores(everything, *real_patches)[0] + 0.05
