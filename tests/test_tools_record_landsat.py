"""The record of `sim2real landsat8`: its cut is the best where it was chosen, and it is that of today's settings."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from course_utils import recorded, simulate
from course_utils.data.real import LabelledScene
from course_utils.data.registry import DATASETS
from course_utils.sensors import LANDSAT8
from course_utils.sim2real.domain import from_json
from course_utils.sim2real.landsat8 import CUT
from course_utils.sim2real.scores import tally
from course_utils.sim2real.training import Sim2Real
from tools import record_landsat as tool


@pytest.fixture(scope="module")
def record():
    return recorded.results("landsat8")[0]


def test_the_cut_is_the_best_on_scenes_that_stand_in_no_score(record):
    assert tool.best_cut(record["cuts"]) == record["cut"] == CUT
    chosen_on = {scene for cuts in record["cuts"].values() for counts in cuts.values() for scene in counts}
    assert not chosen_on & {scene for counts in record["counts"].values() for scene in counts}


def test_every_training_is_counted_on_the_same_pixels(record):
    totals = [{name: one.everywhere.total for name, one in from_json(counts).items()}
              for counts in record["counts"].values()]
    assert len(totals) == len(tool.SEEDS) and all(one == totals[0] for one in totals)
    assert record["counts"]["0"] != record["counts"]["1"]


def test_the_files_the_simulator_and_the_settings_are_those_of_the_course(record):
    known = {file.path: file.sha256 for name in (tool.CHOOSE, tool.REPORT) for file in DATASETS[name].files}
    assert record["files"].items() <= known.items()
    about = recorded.results("landsat8")[1]
    assert about["simulator"] == simulate.VERSION, f"run: {tool.COMMAND}"
    assert record["config"] == json.loads(json.dumps(asdict(Sim2Real()))), f"run: {tool.COMMAND}"


def made(name, bands, seed):
    """A scene of noise."""
    rng = np.random.default_rng(seed)
    return LabelledScene(name, rng.random((len(bands), 64, 64), np.float32),
                         rng.choice(np.array([0, 1, 2, 255], np.uint8), (64, 64)), LANDSAT8.name, bands)


def test_cuts_are_tried_on_one_set_and_the_other_is_scored_at_one_cut(tmp_path, monkeypatch):
    """The whole command once, with a network that repeats its first band."""
    sets = {"ukis": [made("a", LANDSAT8.band_names[:6], 0)], "l8biome": [made("b", LANDSAT8.band_names, 1)]}
    trained = []
    monkeypatch.setattr(tool, "scenes_here", sets.get)
    monkeypatch.setattr(tool, "files", lambda dataset, names: {})
    monkeypatch.setattr(tool, "simulated", lambda *args: (None, None))
    monkeypatch.setattr(tool, "train_for", lambda bands, images, codes, config:
                        trained.append((bands, config.seed)) or (lambda image: image[0]))
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    assert tool.main() == 0
    found = json.loads((tmp_path / "landsat8.json").read_text())["results"]
    assert trained == [(sets[name][0].bands, seed) for seed in tool.SEEDS for name in ("ukis", "l8biome")]
    assert list(found["cuts"]["0"]) == [f"{cut:.2f}" for cut in tool.CUTS]
    for cut, counts in found["cuts"]["0"].items():
        assert from_json(counts) == {"a": tally(sets["ukis"][0].image[0] >= float(cut), sets["ukis"][0])}
    chosen = {"b": tally(sets["l8biome"][0].image[0] >= found["cut"], sets["l8biome"][0])}
    assert from_json(found["counts"]["1"]) == chosen


def test_a_network_is_trained_on_the_bands_of_the_scenes_in_their_order_and_with_all_its_epochs(monkeypatch):
    seen = []
    monkeypatch.setattr(tool, "train_unet", lambda images, codes, config: seen.append((images, config)) or (None, 0.0))
    images = np.arange(len(LANDSAT8.bands), dtype=np.float32)[None, :, None, None]
    tool.train_for(("B6", "B2"), images, None, Sim2Real(epochs=7))
    (given, config), = seen
    assert given.ravel().tolist() == [LANDSAT8.index("B6"), LANDSAT8.index("B2")]
    assert config == Sim2Real(epochs=7, max_seconds=float("inf"))


def test_scenes_of_another_sensor_are_left_out(monkeypatch):
    ours = made("a", LANDSAT8.band_names, 0)
    monkeypatch.setattr(tool, "available", lambda dataset: ("a", "b"))
    monkeypatch.setattr(tool, "labelled_scenes", lambda dataset, names: iter([ours, replace(ours, sensor="other")]))
    assert tool.scenes_here("ukis") == [ours]


def test_the_best_cut_is_that_of_all_trainings_together():
    def counts(tp, fp):
        return {"a": [[tp, fp, 10 - tp, 10 - fp], [0] * 4, [0] * 4]}

    cuts = {"0": {"0.20": counts(9, 3), "0.30": counts(8, 1), "0.40": counts(7, 0)},
            "1": {"0.20": counts(9, 1), "0.30": counts(9, 0), "0.40": counts(3, 0)}}
    assert tool.best_cut(cuts) == 0.3


def test_without_one_of_the_sets_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    monkeypatch.setattr(tool, "available", lambda dataset: ())
    assert tool.main() == 1 and not list(tmp_path.iterdir())
    assert "found no real scene of ukis" in capsys.readouterr().err
