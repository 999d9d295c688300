"""The recorded scores on real scenes: measured on what is here, never overwritten by nothing."""

import json

import numpy as np
import pytest

from course_utils import metrics
from course_utils.data.real import LabelledScene
from course_utils.models.threshold import Threshold
from course_utils.sensors import LANDSAT8
from tools import record_real_scores as tool


def scene(seed):
    """A made scene whose clouds are bright in the green."""
    rng = np.random.default_rng(seed)
    image, codes = rng.random((7, 16, 16), np.float32), rng.choice(np.array([0, 1, 2, 255], np.uint8), (16, 16))
    image[1] += 0.4 * (codes == 1)
    return LabelledScene(str(seed), image, codes, LANDSAT8.name, LANDSAT8.band_names)


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Two made scenes in one data set, none in the other; a threshold that needs no simulated scenes."""
    scenes = {"l8biome": [scene(0), scene(1)], "ukis": []}
    monkeypatch.setattr(tool, "RECORD", tmp_path / "scores.json")
    monkeypatch.setattr(tool, "available", lambda dataset: tuple(view.name for view in scenes[dataset]))
    monkeypatch.setattr(tool, "labelled_scenes", lambda dataset, names: iter(scenes[dataset]))
    monkeypatch.setattr(tool, "fit_on_simulated", lambda band: Threshold(0, 0.7))
    return scenes


def test_what_is_recorded_is_the_pooled_score_of_all_scenes(record):
    assert tool.main() == 0
    first, second = json.loads(tool.RECORD.read_text())["rows"]
    assert (first["band"], first["counterpart"], first["dataset"], first["scenes"]) == ("550", "B3", "l8biome", 2)
    assert (second["band"], second["counterpart"]) == ("1378", "B9")
    counts = sum(metrics.count(view.image[1] > 0.7, view.mask, view.valid) for view in record["l8biome"])
    assert first["iou"] == pytest.approx(metrics.iou(counts), abs=5e-5)
    assert first["accuracy"] == pytest.approx(metrics.accuracy(counts), abs=5e-5)
    assert first["iou"] < first["best_iou"]


def test_without_real_scenes_the_record_stays_as_it_is(record, capsys):
    tool.RECORD.write_text("old")
    record["l8biome"].clear()
    assert tool.main() == 1 and tool.RECORD.read_text() == "old"
    assert "fetch l8biome ukis" in capsys.readouterr().err
