"""Checkpoints: whole or not there, and refused with the first difference where they do not fit."""

from pathlib import Path

import pytest
import torch

from course_utils.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from course_utils.models.mlp import PixelMLP
from course_utils.models.unet import UNet
from tests.toy_training import model


def test_checkpoints_of_something_else_say_what_differs(tmp_path):
    path = tmp_path / "last.pt"
    net = PixelMLP(3, hidden=(8,))
    save_checkpoint(path, net)
    with pytest.raises(CheckpointError, match=r"found a checkpoint of PixelMLP in last\.pt, expected UNet"):
        load_checkpoint(path, UNet(3, width=4))
    other = PixelMLP(4, hidden=(8,))
    before = [p.clone() for p in other.parameters()]
    with pytest.raises(CheckpointError, match=r"found layers.0.weight of shape \[8, 3\] in last.pt, expected \[8, 4\]"):
        load_checkpoint(path, other)
    assert all(torch.equal(a, b) for a, b in zip(before, other.parameters(), strict=True))
    with pytest.raises(CheckpointError, match=r"layers.4.weight of shape absent"):
        load_checkpoint(path, PixelMLP(3, hidden=(8, 1)))
    torch.save({"format": 0}, path)
    with pytest.raises(CheckpointError, match=r"in format 0, expected 1"):
        load_checkpoint(path, net)
    torch.save({"format": 1, "model": net.state_dict()}, path)
    with pytest.raises(CheckpointError, match=r"found no architecture in last\.pt, expected a checkpoint with"):
        load_checkpoint(path, net)
    path.write_bytes(b"half a fi")
    with pytest.raises(CheckpointError, match="cannot read"):
        load_checkpoint(path, net)
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "absent.pt", net)


def test_an_interrupted_write_keeps_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_checkpoint(path, model(), note="first")

    def half(file, content):
        file.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, model(), note="second")
    assert load_checkpoint(path, model())["note"] == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]
