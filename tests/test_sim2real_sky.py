"""From simulated to real pictures of the sky: the codes, the ratio, the sizes, and the whole command once, small."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import __main__ as command_line
from course_utils import metrics, sim2real
from course_utils.data.sky import SkyPicture
from course_utils.sim2real.sky import (
    SIDE,
    predict_picture,
    ratio_rule,
    red_blue_ratio,
    simulated_pictures,
    training_codes,
)
from course_utils.simulate.sky import sky_photo
from tests.sky_folders import write_sky_folder

TINY = sim2real.Sim2Real(
    scenes=6, validation_scenes=2, width=2, depth=1, crop=32, crops_per_epoch=4, epochs=2, batch_size=2
)


@pytest.fixture
def folder(tmp_path):
    photos = [sky_photo(number, seed=9, size=80) for number in (0, 1, 5)]
    return write_sky_folder(tmp_path / "sky", [
        SkyPicture(f"p{k}", photo.picture[: 80 - 9 * k], photo.codes[: 80 - 9 * k]) for k, photo in enumerate(photos)
    ])  # fmt: skip


def test_codes_are_translated():
    assert training_codes(np.array([[0, 100, 255]], np.uint8)).tolist() == [[255, 0, 1]]


def test_the_ratio_is_red_over_blue_and_white_where_there_is_no_blue():
    image = np.stack([[[0.3, 0.2]], [[0.9, 0.9]], [[0.6, 0.0]]]).astype(np.float32)
    assert np.allclose(red_blue_ratio(image), [[[0.5, 1.0]]])
    assert np.allclose(red_blue_ratio(np.stack([image, 2 * image])), [[[[0.5, 1.0]]]] * 2)


def test_the_rule_finds_the_ratio_that_parts_cloud_from_sky():
    rng = np.random.default_rng(0)
    codes = rng.choice([0, 1, 255], (3, 40, 40)).astype(np.uint8)
    blue = np.full((3, 40, 40), 0.8, np.float32)
    red = np.where(codes == 1, 0.7, 0.4).astype(np.float32) + rng.uniform(-0.1, 0.1, blue.shape).astype(np.float32)
    rule = ratio_rule(np.stack([red, blue, blue], axis=1), codes)
    assert 0.6 < rule.value < 0.61 / 0.8


def test_pictures_become_arrays_of_one_size():
    images, codes = simulated_pictures(2, seed=2, workers=1)
    assert images.shape == (2, 3, SIDE, SIDE) and images.dtype == np.float32 and images.max() <= 1
    assert codes.shape == (2, SIDE, SIDE) and set(np.unique(codes)) <= {0, 1, 255}


@pytest.mark.parametrize("shape", [(40, 90), (700, 500), (SIDE, SIDE), (3, 300)])
def test_a_picture_of_any_size_gets_a_probability_of_its_size(shape):
    class Bright(torch.nn.Module):
        def forward(self, image):
            assert max(image.shape[-2:]) == SIDE
            return 40 * (image[:, 0] - 0.5)

    image = np.zeros((3, *shape), np.float32)
    image[:, :, shape[1] // 2 :] = 1
    prob = predict_picture(Bright(), image)
    assert prob.shape == shape and prob[:, : shape[1] // 3].max() < 0.1 and prob[:, -shape[1] // 3 :].min() > 0.9


def test_a_ratio_fitted_on_simulated_pictures_works_on_real_ones(shared_realdata):
    photos = sorted((shared_realdata / "swimseg/images").glob("*.png"))[:12]
    truth = [np.asarray(Image.open(shared_realdata / "swimseg/GTmaps" / f"{photo.stem}_GT.png").convert("L"))[::4, ::4]
             for photo in photos]
    images = [np.asarray(Image.open(photo).convert("RGB"), np.float32)[::4, ::4].transpose(2, 0, 1) / 255
              for photo in photos]
    rule = ratio_rule(*simulated_pictures(64, seed=0, workers=1))
    counts = sum((metrics.count(rule.predict(red_blue_ratio(image)), mask > 127, np.ones(mask.shape, bool))
                  for image, mask in zip(images, truth, strict=True)), start=metrics.Counts())
    assert metrics.iou(counts) > 0.65 and metrics.accuracy(counts) > 0.75


def test_the_command_trains_and_prints_one_object(folder, monkeypatch, capsys):
    monkeypatch.setattr(sim2real, "SKY", TINY)
    assert command_line.main(["sim2real", "sky", "--real", str(folder), "--seed", "3", "--json"]) == 0
    out = capsys.readouterr().out.splitlines()
    scores = json.loads(out[-1])
    baseline = scores.pop("baseline")
    assert set(scores) == set(baseline) == {*sim2real.SCORES, "train_seconds", "seed"}
    assert scores["seed"] == baseline["seed"] == 3 and 0 < scores["train_seconds"] < 90
    assert scores["thin_recall"] is scores["snow_false_alarms"] is None
    assert all(0 <= scores[name] <= 1 for name in ("accuracy", "clear_iou", "cloud_iou", "mean_iou"))
    assert out[0].startswith("accuracy") and "U-Net" in out[0] and "red/blue" in out[0]


def test_what_can_not_be_scored_is_described(folder, tmp_path, capsys):
    assert command_line.main(["sim2real", "sky", "--real", str(tmp_path / "nowhere")]) == 1
    assert "found no picture in" in capsys.readouterr().err
    (folder / "masks/p1.png").unlink()
    assert command_line.main(["sim2real", "sky", "--real", str(folder)]) == 1
    assert "found no mask for p1" in capsys.readouterr().err
    assert command_line.main(["sim2real", "sky", "--real", str(folder), "--bands", "B2"]) == 2
    assert "leave it out" in capsys.readouterr().err
