"""The recorder of chapter 10: it trains what it says, resumes, and keeps what the chapter loads."""

import shutil

import numpy as np
import pytest
import torch

from course_utils import recorded
from course_utils.data.packed import simulate_patches
from course_utils.data.patches import PackedPatches
from tools import record_unet as tool


@pytest.fixture(scope="module")
def few():
    """Patches of some scenes, for training and validation."""
    return PackedPatches(simulate_patches(range(3)))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder that the first to ask fills with the recording of seed 0."""
    return tmp_path_factory.mktemp("first")


@pytest.fixture
def quick(few, first, monkeypatch, tmp_path):
    """The recorder on a few patches, with three experiments and one snowy scene, seed 0 recorded; counts trainings."""
    trained = []

    def train(experiment, *settings, _train=tool.train):
        trained.append(experiment)
        return _train(experiment, *settings)

    chosen = ("rgb", "100 patches", "pixel MLP")
    monkeypatch.setattr(tool, "load_patches", lambda part, scenes=150: few)
    monkeypatch.setattr(tool, "EXPERIMENTS", {name: tool.EXPERIMENTS[name] for name in chosen})
    monkeypatch.setattr(tool, "SNOWY", ((5000, "cumulus"),))
    monkeypatch.setattr(tool, "train", train)
    tool.snowy_scenes.cache_clear()
    if not any(first.iterdir()):
        tool.record(first, [0], 2, 1e-3)
        assert len(trained) == 3
        trained.clear()
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    yield lambda *seeds: (tool.record(tmp_path, list(seeds), 2, 1e-3), trained, tmp_path)[1:]
    tool.snowy_scenes.cache_clear()


def test_a_recording_goes_on_where_it_was(quick):
    trained, folder = quick(0)
    assert trained == []
    quick(0, 1)
    assert len(trained) == 3
    found, about = recorded.results("unet", folder)
    assert [(run["name"], run["seed"]) for run in found["runs"]] == [
        (name, seed) for seed in (0, 1) for name in ("rgb", "100 patches", "pixel MLP")]
    assert about["seeds"] == [0, 1] and about["command"] == tool.COMMAND
    assert all(0 <= run[score] <= 1 for run in found["runs"] for score in ("iou", "small", "thin", "snow", "cut"))


def test_other_settings_start_anew(quick):
    trained, folder = quick()
    tool.record(folder, [0], 4, 1e-3)
    assert len(trained) == 3
    assert recorded.results("unet", folder)[0]["settings"]["steps"] == 4


def test_weights_of_the_first_seed_load_into_the_chapters_model(quick):
    _, folder = quick(0)
    model = tool.Scaled(tool.UNet(3, width=8), torch.rand(9, 3))
    recorded.weights("unet-rgb", model, folder)
    assert model(torch.rand(1, 3, 16, 16)).isfinite().all()


def test_every_experiment_differs_from_every_other():
    assert len(set(tool.EXPERIMENTS.values())) == len(tool.EXPERIMENTS)
    assert set(tool.KEPT.values()) <= set(tool.EXPERIMENTS)


def test_channels_are_chosen_by_name_in_their_order(few):
    rows = tool.channels_of(tool.EXPERIMENTS["rgb + 1618"], few.channels)
    assert [few.channels[row] for row in rows] == ["650", "550", "470", "1618"]
    (batch,) = tool.Chosen([{"image": torch.arange(12.0).reshape(1, 12, 1, 1)}], rows)
    assert batch["image"].flatten().tolist() == rows


def test_the_cloud_share_counts_valid_pixels_only(few):
    share = tool.cloud_share(few)
    codes = few.patches.codes
    for row in range(0, len(few), 17):
        valid = codes[row] != 255
        wanted = np.isin(codes[row][valid], (1, 2)).mean() if valid.any() else 0
        assert share[row] == pytest.approx(wanted)
