"""The clock: what it counts, what it leaves out, and that it waits for the device."""

import itertools

import pytest
import torch

from course_utils.measure import clock


@pytest.fixture
def ticking(monkeypatch):
    """A clock that moves on only when told to."""
    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    return now


def test_the_median_of_the_repeats_without_the_warm_up(ticking):
    lengths = iter([100.0, 50.0, 3.0, 1.0, 9.0, 2.0, 4.0])

    def call():
        ticking[0] += next(lengths)

    assert clock.seconds(call, repeats=5, warmup=2, device="cpu") == 3.0
    assert next(lengths, None) is None


def test_the_clock_waits_for_what_was_sent_off(ticking, monkeypatch):
    """A device that returns at once and works when waited for: its time counts, and work sent before does not."""
    queue = []

    def wait(device):
        while queue:
            ticking[0] += queue.pop(0)

    monkeypatch.setattr(clock, "synchronize", wait)
    queue.append(1000.0)                                        # somebody else's work, sent off earlier
    assert clock.seconds(lambda: queue.append(7.0), repeats=3, warmup=1) == 7.0
    parts = clock.Parts("cpu")
    queue.append(1000.0)
    for name, length in (("a", 1.0), ("b", 2.0), ("a", 4.0)):
        with parts(name):
            queue.append(length)
    assert parts.seconds == {"a": 5.0, "b": 2.0} and list(parts.seconds) == ["a", "b"]


@pytest.mark.parametrize(("kind", "waited"), [("cuda", ["cuda"]), ("mps", ["mps"]), ("cpu", [])])
def test_each_kind_of_device_is_waited_for_in_its_own_way(monkeypatch, kind, waited):
    calls = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: calls.append("cuda"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: calls.append("mps"))
    clock.synchronize(kind)
    clock.synchronize(torch.device(kind))
    assert calls == waited * 2


def test_without_a_device_the_fastest_one_is_waited_for(monkeypatch):
    asked = []
    monkeypatch.setattr(clock, "pick_device", lambda: torch.device("mps"))
    monkeypatch.setattr(clock, "synchronize", asked.append)
    clock.seconds(lambda: None, repeats=1, warmup=0)
    assert asked == [torch.device("mps")] * 2


@pytest.mark.parametrize(("repeats", "warmup"), [(0, 1), (-1, 0), (1, -1)])
def test_nothing_to_measure_is_refused(repeats, warmup):
    calls = itertools.count()
    with pytest.raises(ValueError, match=f"found repeats={repeats}, warmup={warmup}"):
        clock.seconds(lambda: next(calls), repeats, warmup)
    assert next(calls) == 0
