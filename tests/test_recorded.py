"""Recorded weights and results come back as they were, and nothing that does not fit is loaded."""

import importlib.metadata
import json

import pytest
import torch
from torch import nn

from course_utils import recorded, simulate
from course_utils.models.mlp import PixelMLP
from course_utils.models.scaled import Scaled

COMMAND = "python -m tools.nothing"


def network(width: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, 1, 1))


def test_results_come_back_with_what_made_them(tmp_path):
    found = [{"epochs": 3, "iou": 0.25, "name": "größer"}]
    recorded.save_results("one", found, COMMAND, [0, 1], tmp_path)
    back, about = recorded.results("one", tmp_path)
    assert back == found
    assert about["command"] == COMMAND and about["seeds"] == [0, 1] and about["simulator"] == simulate.VERSION
    assert about["torch"] == importlib.metadata.version("torch")


def test_weights_come_back_within_half_precision_and_in_eval_mode(tmp_path):
    model, other = network(), network()
    model[1].running_mean += 0.3
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    recorded.save_weights("one", model, COMMAND, [7], tmp_path)
    about = recorded.weights("one", other, tmp_path)
    assert about["seeds"] == [7] and not other.training
    for name, value in model.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=2**-11, atol=1e-7)
        assert other.state_dict()[name].dtype == value.dtype


def test_channels_last_weights_are_kept_as_they_are(tmp_path):
    model = network().to(memory_format=torch.channels_last)
    recorded.save_weights("one", model, COMMAND, [0], tmp_path)
    other = network()
    recorded.weights("one", other, tmp_path)
    image = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(other(image), model.eval()(image), rtol=1e-2, atol=1e-3)


def test_another_architecture_is_refused_and_left_alone(tmp_path):
    recorded.save_weights("one", network(4), COMMAND, [0], tmp_path)
    other = network(5)
    before = {key: value.clone() for key, value in other.state_dict().items()}
    with pytest.raises(recorded.RecordError, match=r"found \(4,\) for 0.bias in the weights one, expected \(5,\)"):
        recorded.weights("one", other, tmp_path)
    assert all(torch.equal(before[key], value) for key, value in other.state_dict().items())
    with pytest.raises(recorded.RecordError, match="nothing"):
        recorded.weights("one", network(4)[:2], tmp_path)


def test_absent_and_damaged_records_say_what_is_there(tmp_path):
    recorded.save_weights("one", network(), COMMAND, [0], tmp_path)
    with pytest.raises(recorded.RecordError, match=r"two.safetensors, expected one of: one"):
        recorded.weights("two", network(), tmp_path)
    with pytest.raises(recorded.RecordError, match=r"two.json, expected one of: none"):
        recorded.results("two", tmp_path)
    (tmp_path / "bad.safetensors").write_bytes((tmp_path / "one.safetensors").read_bytes()[:100])
    with pytest.raises(recorded.RecordError, match="cannot be read"):
        recorded.weights("bad", network(), tmp_path)


def test_weights_that_are_large_or_not_finite_are_not_written(tmp_path):
    with pytest.raises(recorded.RecordError, match="at most 1000000"):
        recorded.save_weights("one", nn.Linear(1000, 1000), COMMAND, [0], tmp_path)
    broken = PixelMLP(3)
    nn.init.constant_(next(broken.parameters()), float("nan"))
    with pytest.raises(recorded.RecordError, match="not finite"):
        recorded.save_weights("one", broken, COMMAND, [0], tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_record_of_the_project_is_whole_and_small():
    for path in recorded.FOLDER.glob("*.json"):
        assert {"about", "results"} == set(json.loads(path.read_text(encoding="utf-8")))
        assert recorded.results(path.stem)[1]["command"]
    for path in recorded.FOLDER.glob("*.safetensors"):
        assert path.stat().st_size < 1_000_000


def test_a_scaled_model_keeps_its_scaling(tmp_path):
    pixels = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    model, other = Scaled(PixelMLP(3), pixels), Scaled(PixelMLP(3), pixels * 2)
    recorded.save_weights("one", model, COMMAND, [0], tmp_path)
    recorded.weights("one", other, tmp_path)
    torch.testing.assert_close(other.mean, model.mean, rtol=1e-3, atol=0)
