"""The record of chapter 11: complete, consistent with itself, and never overwritten by nothing."""

import json

import numpy as np
import pytest

from course_utils import recorded
from course_utils.data.real import LabelledScene, available, labelled_scenes
from course_utils.data.registry import DATASETS
from course_utils.models.threshold import AllOf, Threshold
from course_utils.predict import tiled
from course_utils.sensors import LANDSAT8
from course_utils.sim2real import CLOUD_FROM, domain
from course_utils.sim2real.variants import MEMBERS, VARIANTS, empty_ensemble
from tools import record_satellites as tool

MORE = {"two thresholds", "members together", "eight ways"}


@pytest.fixture(scope="module")
def record():
    return recorded.results("satellites")[0]


def test_every_model_is_counted_on_the_same_pixels_of_every_scene(record):
    for name, counts in record["counts"].items():
        assert set(counts) == {*VARIANTS, *MORE} | ({"fine-tuned"} if name == "real" else set())
        totals = [{scene: one.everywhere.total for scene, one in domain.from_json(found).items()}
                  for found in counts.values()]
        assert all(one == totals[0] for one in totals)
        kept = sum(totals[0].values())
        assert all(np.array(found)[0].sum() == kept for found in record["doubts"][name].values())


def test_errors_of_the_members_together_are_their_counts(record):
    for name in ("real", "simulated"):
        counts = domain.pooled(domain.from_json(record["counts"][name]["members together"])).everywhere
        errors = np.array(record["doubts"][name]["together"])[1].sum()
        assert errors == counts.fp + counts.fn


def test_the_files_are_those_of_the_registry(record):
    known = {file.path: file.sha256 for file in DATASETS["l8biome"].files}
    assert record["files"].items() <= known.items()
    names = {path.split("/")[-1].removesuffix(".tif") for path in record["files"]}
    assert names == set(record["counts"]["real"]["member 0"])


def test_quantiles_rise_and_cover_all_bands(record):
    for kinds in record["quantiles"].values():
        for bands in kinds.values():
            assert tuple(bands) == LANDSAT8.band_names
            assert all(len(found) == 101 and (np.diff(found) >= 0).all() for found in bands.values())


def count_again(predict, scenes, stored, tolerance=5e-4):
    """Counts of some scenes now against those of the record: a few pixels may round to the other side."""
    for scene, found in domain.tallies(predict, scenes, LANDSAT8.band_names).items():
        now, then = (np.array(domain.to_json({scene: one})[scene]) for one in (found, stored[scene]))
        assert np.abs(now - then).max() <= tolerance * then[0].sum(), scene


def test_the_stored_members_give_the_recorded_counts_on_simulated_scenes(record):
    members = empty_ensemble()
    recorded.weights("satellites", members)
    stored = domain.from_json(record["counts"]["simulated"]["member 1"])
    count_again(lambda image: tiled(members[1], image) >= CLOUD_FROM, domain.simulated_scenes(range(2)), stored)


def test_the_stored_members_give_the_recorded_counts_on_real_scenes(record, monkeypatch, shared_realdata):
    monkeypatch.setenv("COURSE_DATA", str(shared_realdata))
    names = [name for name in available("l8biome") if name in record["counts"]["real"]["member 0"]][:3]
    if not names:
        pytest.skip("none of the recorded Landsat patches is here")
    members = empty_ensemble()
    recorded.weights("satellites", members)
    stored = domain.from_json(record["counts"]["real"]["member 0"])
    count_again(lambda image: tiled(members[0], image) >= CLOUD_FROM, labelled_scenes("l8biome", names), stored)


def test_without_real_scenes_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    monkeypatch.setattr(tool, "available", lambda dataset: ())
    assert tool.main() == 1 and not list(tmp_path.iterdir())
    assert "fetch l8biome" in capsys.readouterr().err


def test_what_is_measured_is_what_a_reader_gets(tmp_path, monkeypatch):
    """The whole command once, with networks that have learned nothing, on made scenes."""
    rng = np.random.default_rng(0)
    scenes = [LabelledScene(f"Forest_{k:02}_0000", rng.random((7, 128, 128), np.float32),
                            rng.choice(np.array([0, 1, 2, 255], np.uint8), (128, 128)), LANDSAT8.name,
                            LANDSAT8.band_names) for k in range(2)]
    rule = AllOf((Threshold(0, 0.2), Threshold(4, 0.1)))
    models = {f"member {seed}": member for seed, member in enumerate(empty_ensemble().eval())}
    monkeypatch.setattr(tool, "train_all", lambda: (models, rule))
    monkeypatch.setattr(tool, "simulated_scenes", lambda *args, **kwargs: scenes[:1])
    monkeypatch.setattr(tool, "fine_tune", lambda model, scenes, bands: model)
    monkeypatch.setattr(tool, "available", lambda dataset: ("x",))
    monkeypatch.setattr(tool, "labelled_scenes", lambda dataset, names: iter(scenes))
    monkeypatch.setattr(tool, "files", lambda dataset, names: {})
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    assert tool.main() == 0
    found = json.loads((tmp_path / "satellites.json").read_text())["results"]
    assert found["thresholds"] == [0.2, 0.1]
    assert found["counts"]["real"]["fine-tuned"] == found["counts"]["real"]["member 0"]
    assert set(found["cuts"]) == {f"{cut:.2f}" for cut in tool.CUTS}
    assert len(empty_ensemble()) == MEMBERS
