"""From simulation to real images: the scores against plain counting, the crops, and the whole command once, small."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from course_utils import __main__ as command_line
from course_utils import sim2real, simulate
from course_utils.data.errors import LayoutError
from course_utils.data.real import LabelledScene, write_labelled_npz
from course_utils.models.unet import UNet
from course_utils.sensors import LANDSAT8
from course_utils.sim2real import training
from course_utils.tasks import Segmentation

TINY = sim2real.Sim2Real(
    scenes=3, validation_scenes=1, width=2, depth=1, crop=32, crops_per_epoch=4, epochs=2, batch_size=2
)


def labelled(number, size=64):
    """A simulated scene in the place of a real one."""
    scene = simulate.scene(number, seed=9, sensor=LANDSAT8, size=size)
    return LabelledScene(f"scene-{number}", scene.image, scene.codes, LANDSAT8.name, LANDSAT8.band_names)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "labelled.npz"
    write_labelled_npz(path, [labelled(0), labelled(1)])
    return path


def test_scores_are_those_of_plain_counting():
    rng = np.random.default_rng(0)
    scenes = [
        LabelledScene("a", rng.random((7, 20, 30), np.float32), rng.choice([0, 1, 2, 255], (20, 30)).astype(np.uint8),
                      LANDSAT8.name, LANDSAT8.band_names)
        for _ in range(3)
    ]  # fmt: skip
    got = sim2real.score(lambda image: image[0] > 0.4, scenes, ("B6", "B2"))
    pred = np.stack([s.image[4] > 0.4 for s in scenes])
    codes = np.stack([s.codes for s in scenes])
    green, nir, swir1 = (np.stack([s.image[k] for s in scenes]) for k in (1, 3, 4))
    cloud, clear = (codes == 1) | (codes == 2), codes == 0
    snow = ((green - swir1) / (green + swir1) > 0.4) & (nir > 0.11) & clear
    assert got["accuracy"] == ((pred & cloud) | (~pred & clear)).sum() / (codes != 255).sum()
    assert got["cloud_iou"] == (pred & cloud).sum() / (cloud | (pred & clear)).sum()
    assert got["clear_iou"] == (~pred & clear).sum() / (clear | (~pred & cloud)).sum()
    assert got["mean_iou"] == pytest.approx((got["cloud_iou"] + got["clear_iou"]) / 2)
    assert got["thin_recall"] == (pred & (codes == 2)).sum() / (codes == 2).sum()
    assert got["snow_false_alarms"] == (pred & snow).sum() / snow.sum()


def test_what_can_not_be_scored_is_none():
    clear = LabelledScene("a", np.zeros((3, 8, 8), np.float32), np.zeros((8, 8), np.uint8), "L8", ("B2", "B3", "B4"))
    got = sim2real.score(lambda image: image[0] > 1, [clear], ("B2",))
    assert (got["accuracy"], got["clear_iou"]) == (1.0, 1.0)
    assert got["thin_recall"] is got["snow_false_alarms"] is got["cloud_iou"] is None


def test_crops_are_always_the_same_and_carry_their_label_along():
    image = np.zeros((2, 3, 64, 64), np.float32)
    codes = np.random.default_rng(0).choice([0, 1, 2, 255], (2, 64, 64)).astype(np.uint8)
    image[:] = (codes == 1)[:, None]  # the picture is its own mask of thick cloud
    crops = sim2real.Crops(image, codes, crop=16, seed=4)
    assert len(crops) == 2 * crops.PER_SCENE
    for index in (0, 5, len(crops) - 1):
        a, b = crops[index], crops[index]
        assert all(torch.equal(a[key], b[key]) for key in a)
        assert a["image"].shape == (3, 16, 16)
        assert torch.equal(a["image"][0] > 0, a["image"][2] > 0)
        assert not ((a["image"][0] > 0) & ~(a["mask"] & a["valid"])).any()
    assert not torch.equal(crops[0]["mask"], crops[1]["mask"])


def test_the_command_trains_and_prints_one_object(file, monkeypatch, capsys):
    monkeypatch.setattr(sim2real, "Sim2Real", lambda seed: TINY)
    assert command_line.main(["sim2real", "landsat8", "--real", str(file), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out.splitlines()[-1])
    baseline = scores.pop("baseline")
    assert set(scores) == set(baseline) == {*sim2real.SCORES, "train_seconds", "seed"}
    assert scores["seed"] == baseline["seed"] == 0
    assert 0 < scores["train_seconds"] < 90
    assert all(0 <= scores[name] <= 1 for name in ("accuracy", "clear_iou", "mean_iou"))


def test_the_same_seed_gives_the_same_scores_and_fewer_bands_are_allowed(file):
    first, again = (sim2real.landsat8(file, ["B2", "B3", "B4"], TINY) for _ in range(2))
    assert {k: first[k] for k in sim2real.SCORES} == {k: again[k] for k in sim2real.SCORES}


def trained(config):
    """Weights after a training on noise, as a list of tensors."""
    rng = np.random.default_rng(0)
    images, codes = rng.random((4, 3, 32, 32), np.float32), rng.integers(0, 2, (4, 32, 32)).astype(np.uint8)
    return list(sim2real.train_unet(images, codes, config)[0].state_dict().values())


def test_a_slow_machine_trains_fewer_epochs_but_whole_ones(capsys):
    """Without time for two epochs the one-cycle schedule is that of one, down to its end, not the half of two."""
    hurried, short, long = map(trained, (replace(TINY, max_seconds=1e-6), replace(TINY, epochs=1), TINY))
    assert all(torch.equal(a, b) for a, b in zip(hurried, short, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(short, long, strict=True))
    assert capsys.readouterr().err.count("this machine trains 1 of 2 epochs in 0 s") == 1


def test_epochs_are_planned_from_the_time_that_batches_take(monkeypatch):
    clock = iter([])
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(training, "train_epoch", lambda *args: None)
    monkeypatch.setattr(training, "evaluate", lambda *args: None)
    model, batches, looks = torch.nn.Linear(2, 1), [None] * 30, [None] * 5
    for slowest, limit, epochs in ((2.0, 700.0, 10), (90.0, 700.0, 10), (2.0, 699.0, 9), (2.0, 1.0, 1), (2.0, 1e9, 40)):
        ends = np.cumsum([slowest] + 7 * [2.0] + [2.0])              # 30 batches of 2 s and 5 looks of 2 s: 70 s
        clock = iter(np.stack([ends - np.diff(ends, prepend=0), ends], axis=1).ravel().tolist())
        config = sim2real.Sim2Real(epochs=40, max_seconds=limit)
        assert training.epochs_in_time(model, None, batches, looks, config) == epochs


def test_the_rehearsal_leaves_the_model_as_it_was():
    crops = sim2real.Crops(np.random.default_rng(0).random((2, 3, 32, 32), np.float32),
                           np.zeros((2, 32, 32), np.uint8), crop=16, seed=0)
    model = training.unet(3, TINY)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loader = torch.utils.data.DataLoader(crops, 2, sampler=range(6))
    assert training.epochs_in_time(model, Segmentation(), loader, loader, TINY) == TINY.epochs
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_blocks_of_one_pixel_are_a_plain_unet():
    assert isinstance(training.unet(3, replace(TINY, block=1)), UNet)
    assert training.unet(3, replace(TINY, block=4, depth=1)).factor == 8


def test_the_threshold_rule_uses_blue_and_swir_where_they_are():
    images, codes = sim2real.simulated(range(2), 0, LANDSAT8, ("B4", "B6", "B2"))
    assert [rule.band for rule in sim2real.threshold_rule(images, codes, ("B4", "B6", "B2")).rules] == [2, 1]
    assert [rule.band for rule in sim2real.threshold_rule(images[:, :1], codes, ("B4",)).rules] == [0]


def test_the_bands_of_another_sensor_are_refused(tmp_path, capsys):
    image, codes = np.zeros((1, 2, 8, 8), np.float32), np.zeros((1, 8, 8), np.uint8)
    np.savez(tmp_path / "s2.npz", x=image, mask=codes, bands=np.array(["B02", "B03"]))
    assert command_line.main(["sim2real", "landsat8", "--real", str(tmp_path / "s2.npz")]) == 1
    assert "found the bands of Sentinel-2 MSI in" in capsys.readouterr().err


def test_a_band_that_the_file_does_not_have_is_named(file, capsys):
    with pytest.raises(LayoutError, match="found no band B8 in"):
        sim2real.landsat8(file, ["B2", "B8"], TINY)
    assert command_line.main(["sim2real", "landsat8", "--real", str(file), "--bands", "B8"]) == 1
    assert "expected some of B2, B3, B4" in capsys.readouterr().err
    assert command_line.main(["sim2real", "landsat8", "--real", str(file.parent / "absent.npz")]) == 1
    assert "found no file" in capsys.readouterr().err
