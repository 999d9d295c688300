"""Devices, generators, and the description of the machine."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils import runtime
from course_utils.runtime import describe_machine, generator, pick_device


def have(monkeypatch, cuda=0, mps=False):
    """Pretend that the machine has these accelerators."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "expected"), [(2, True, "cuda"), (0, True, "mps"), (0, False, "cpu")])
def test_the_fastest_device_is_picked(monkeypatch, cuda, mps, expected):
    have(monkeypatch, cuda, mps)
    assert pick_device() == torch.device(expected)
    assert pick_device("cpu") == torch.device("cpu")


def test_a_device_by_number(monkeypatch):
    have(monkeypatch, cuda=2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ValueError, match=r"found device 'cuda:2', expected one that this machine has: cuda \(2\), cpu"):
        pick_device("cuda:2")


def test_devices_that_are_not_there(monkeypatch):
    have(monkeypatch)
    for name in ("cuda", "mps", "cuda:0"):
        with pytest.raises(ValueError, match=rf"found device '{name}', expected one that this machine has: cpu \(1\)"):
            pick_device(name)
    for name in ("gpu", "cuda:x", ""):
        with pytest.raises(ValueError, match=f"found device '{name}', expected one of cuda, mps, cpu"):
            pick_device(name)


def test_generators_repeat_and_stay_apart():
    assert torch.equal(torch.rand(5, generator=generator(3)), torch.rand(5, generator=generator(3)))
    assert not torch.equal(torch.rand(5, generator=generator(3)), torch.rand(5, generator=generator(4)))
    before = torch.initial_seed(), np.random.get_state()[2]             # noqa: NPY002 - the global state is left alone
    generator(9)
    assert before == (torch.initial_seed(), np.random.get_state()[2])   # noqa: NPY002


def test_the_machine_is_described():
    machine = describe_machine()
    release = torch.__version__.partition("+")[0]           # not every build says in its metadata what follows the plus
    assert str(machine["torch"]).partition("+")[0] == release and machine["numpy"] == np.__version__
    assert 1 <= machine["cores"] <= os.cpu_count()
    assert str(machine["device"]).startswith(pick_device().type)


def test_a_containers_memory_limit_counts(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(runtime, "Path", lambda name: limit if name == "/sys/fs/cgroup/memory.max" else Path(name))
    limit.write_text("1000000000\n")
    assert runtime._memory_gb() == 1.0
    limit.write_text("max\n")
    assert runtime._memory_gb() > 1.0
