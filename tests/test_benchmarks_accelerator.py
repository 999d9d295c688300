"""The accelerator benchmark on tiny steps: equal training in every variant, a whole record, a warm-up undone."""

import contextlib
import json

import numpy as np
import pytest
import torch

from benchmarks import _training, accelerator
from benchmarks._training import Settings, Training, masked_bce, nothing
from course_utils import losses
from course_utils.data.samples import Patches, channel_names
from course_utils.runtime import generator
from course_utils.sensors import PACE_OCI

TINY = Settings(patches=6, batch=2, width=2, steps=2, warmup=1)
QUICK = ("data on device", "bf16 autocast", "channels_last")


@pytest.fixture(scope="module")
def patches():
    draw, count = np.random.default_rng(0), TINY.patches
    channels = channel_names(PACE_OCI)
    return Patches(draw.integers(256, size=(count, len(channels), 64, 64), dtype=np.uint8),
                   draw.integers(2, size=(count, 64, 64), dtype=np.uint8), np.ones((count, 64, 64), bool),
                   np.arange(count), channels)


@pytest.fixture(scope="module")
def made(patches):
    return accelerator.record(patches, torch.device("cpu"), TINY, "a test", (*QUICK, "CUDA graph"))


def test_every_variant_makes_the_same_updates(made):
    naive, *others = made["variants"]
    assert [one["name"] for one in others] == [*QUICK, "CUDA graph"]
    assert others[0]["losses"] == pytest.approx(naive["losses"], rel=1e-4)
    for one in others[:3]:
        assert len(one["losses"]) == TINY.warmup + TINY.steps
        assert one["losses"] == pytest.approx(naive["losses"], rel=0.02) and one["against_naive"]["agrees"]


def test_the_record_is_whole(made):
    naive, resident, half, _, graph = made["variants"]
    assert graph == {"name": "CUDA graph", "absent": "CUDA graphs need a CUDA device, this is cpu"}
    assert list(naive["seconds_per_step"]) == ["load", "transfer", "forward", "backward", "step"]
    assert list(resident["seconds_per_step"]) == ["load", "forward", "backward", "step"]
    assert half["peak_bytes"] < resident["peak_bytes"] == naive["peak_bytes"]
    assert made["settings"]["batch"] == 2 and made["note"] == "a test" and made["machine"]["torch"] and made["date"]
    json.dumps(made)


def test_what_a_device_can_not_do_is_recorded_and_left_out(patches, monkeypatch):
    real = Training.loss

    def loss(self, batch):
        if "bf16 autocast" in self.features:
            raise RuntimeError("no bfloat16 here\nmore")
        return real(self, batch)

    monkeypatch.setattr(Training, "loss", loss)
    _, _, half, last = accelerator.record(patches, torch.device("cpu"), TINY, "", QUICK)["variants"]
    assert half == {"name": "bf16 autocast", "absent": "RuntimeError: no bfloat16 here"} and last["losses"]
    monkeypatch.setattr(Training, "loss", lambda self, batch: 1 / 0)
    with pytest.raises(ZeroDivisionError):                       # a mistake of ours is no lack of the device
        accelerator.record(patches, torch.device("cpu"), TINY, "", QUICK)


def test_the_record_is_written_under_device_and_date(patches, monkeypatch, tmp_path):
    monkeypatch.setattr(accelerator, "training_patches", lambda count: patches)
    monkeypatch.setitem(accelerator.SETTINGS, "cpu", TINY)
    monkeypatch.setattr(accelerator, "record", lambda *given, real=accelerator.record: real(*given, features=QUICK[:1]))
    speeds = accelerator.main(tmp_path, "note", "cpu")
    (file,) = tmp_path.iterdir()
    stored = json.loads(file.read_text())
    assert file.name == f"accelerator-cpu-{stored['date']}.json"
    assert speeds == {f"accelerator {one['name']}": one["images_per_second"] for one in stored["variants"]}


def test_training_patches_are_the_training_parts():
    from course_utils.data.cached import scenes_of

    taken = accelerator.training_patches(20)
    assert len(taken) == 20 and set(taken.scene) <= set(scenes_of("train"))


def test_the_loss_is_the_packages_without_the_question():
    draw = generator(0)
    logits, mask, valid = torch.randn(3, 4, 5, generator=draw), *(torch.rand(2, 3, 4, 5, generator=draw) > 0.5)
    assert masked_bce(logits, mask, valid).item() == pytest.approx(losses.bce(logits, mask, valid).item())
    assert masked_bce(logits, mask, valid & False).item() == 0
    logits[0, 0, 0], valid[0, 0, 0] = torch.nan, False
    assert masked_bce(logits, mask, valid).isfinite()


@pytest.mark.parametrize(("losses_", "learns", "agrees"), [
    ([1.0, 0.9, 0.8, 0.5], True, True), ([1.01, 0.9, 0.8, 0.55], True, True),
    ([1.0, 0.9, 0.8, 0.6], True, False), ([1.1, 0.9, 0.8, 0.5], True, False), ([1.0, 1.0, 1.0, 1.2], False, False),
])
def test_comparing_with_the_naive_loop(losses_, learns, agrees):
    said = accelerator.compare(losses_, [1.0, 0.9, 0.8, 0.5])
    assert (said["learns"], said["agrees"]) == (learns, agrees)


@pytest.fixture
def asked(monkeypatch):
    """Stand-ins of streams and graphs that record nothing, and what was asked of them."""
    calls = []

    class Graph:
        def replay(self):
            calls.append("replay")

    class Stream:
        def wait_stream(self, other):
            calls.append("wait")

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    for name in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, lambda given: contextlib.nullcontext())
    return calls


def test_the_steps_that_warm_a_graph_up_leave_no_trace(patches, asked, tmp_path):
    """Weights as they were, the optimizer's memory empty, a replay asked for."""
    training = Training(("data on device",), patches, tmp_path, TINY, torch.device("cpu"))
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    places = [p.data_ptr() for p in training.model.parameters()]
    training.capture()
    assert all(torch.equal(value, before[name]) for name, value in training.model.state_dict().items())
    assert places == [p.data_ptr() for p in training.model.parameters()]
    kept = [value for state in training.optimizer.state.values() for value in state.values()]
    assert len(kept) == 3 * len(places) and not any(value.any() for value in kept)
    batch = training.batch(1, nothing)
    assert training.step(batch, nothing) == training.static_loss.detach() and asked == ["wait", "wait", "replay"]
    assert all(torch.equal(batch[key], training.static[key]) for key in _training.KEYS)


def test_a_graphs_memory_is_measured_where_it_is_reserved(patches, asked, monkeypatch, tmp_path):
    """A replay allocates nothing, so its own peak would be far too low."""
    def peak(call, device):
        before = len(asked)
        call()
        return 10 if "replay" in asked[before:] else 1000

    monkeypatch.setattr(_training, "peak_bytes", peak)
    training = Training(("data on device",), patches, tmp_path, TINY, torch.device("cpu"))
    training.features += ("CUDA graph",)                  # not at once: AdamW cannot be `capturable` on a processor
    assert training.run()["peak_bytes"] == 1000
