"""What a process may use here, and whether a kernel starts: the preflight's own measurements."""

import json

import pytest

from course_utils.preflight import limits, machine
from tools import notebooks

# --- a real kernel ----------------------------------------------------------------------------------

def specify(folder, monkeypatch, *command, **environment):
    """Name a kernel that runs this command."""
    (folder / "kernels" / "odd").mkdir(parents=True)
    (folder / "kernels" / "odd" / "kernel.json").write_text(json.dumps(
        {"argv": command, "display_name": "odd", "language": "python", "env": environment}))
    monkeypatch.setenv("JUPYTER_PATH", str(folder))


def test_the_chapters_kernel_starts_and_ends():
    import psutil

    assert {notebooks.to_notebook(path.read_text(encoding="utf-8")).metadata.kernelspec.name
            for path in notebooks.chapters()[:1]} == {machine.KERNEL}
    check, about = machine.kernel()
    assert check.status == "ok" and about["threads"] >= 1 and about["python"] in check.found
    assert not [one for one in psutil.Process().children() if "ipykernel" in " ".join(one.cmdline())]


def test_a_kernel_that_is_not_there():
    check, about = machine.kernel("no-such-kernel")
    assert (check.status, about) == ("error", {}) and "there is no kernel no-such-kernel" in check.found
    assert "python -m ipykernel install --sys-prefix --name no-such-kernel" in check.advice


def test_a_kernel_of_an_environment_without_pytorch(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('no PyTorch here')")
    specify(tmp_path, monkeypatch, "python", "-m", "ipykernel_launcher", "-f", "{connection_file}",
            PYTHONPATH=str(tmp_path))
    check, about = machine.kernel("odd")
    assert (check.found, about) == ("odd starts, but ImportError: no PyTorch here", {}) and check.status == "error"
    assert "requirements.txt" in check.advice


def test_a_kernel_whose_packages_chatter(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("import sys\nprint('hello')\nprint('old', file=sys.stderr, flush=True)\n"
                                       "__version__ = '2.0'\ndef get_num_threads():\n    return 3")
    specify(tmp_path, monkeypatch, "python", "-m", "ipykernel_launcher", "-f", "{connection_file}",
            PYTHONPATH=str(tmp_path))
    check, about = machine.kernel("odd")
    assert check.status == "ok" and (about["torch"], about["threads"]) == ("2.0", 3)


@pytest.mark.parametrize(("command", "words"), [(["false"], "does not answer"), (["sleep", "60"], "does not answer"),
                                                (["no-such-program"], "cannot be started")])
def test_a_kernel_that_dies_or_sleeps(tmp_path, monkeypatch, command, words):
    import psutil

    specify(tmp_path, monkeypatch, *command)
    check, about = machine.kernel("odd", patience=1.5)
    assert (check.status, about) == ("error", {}) and words in check.found
    assert not [one for one in psutil.Process().children() if "sleep" in one.cmdline()]


# --- limits -----------------------------------------------------------------------------------------

@pytest.fixture
def group(tmp_path, monkeypatch):
    """A learner's service in the groups of a system; no limit yet."""
    for name in ("MEM_LIMIT", "CPU_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    own = tmp_path / "user.slice" / "jupyter-ada.service"
    own.mkdir(parents=True)
    (tmp_path / "own").write_text("12:pids:/x\n0::/user.slice/jupyter-ada.service\n")
    monkeypatch.setattr(limits, "GROUPS", tmp_path)
    monkeypatch.setattr(limits, "OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(limits, "_machine_mb", lambda: 8000.0)
    monkeypatch.setattr(limits, "describe_machine", lambda: {"cores": 8})
    return own


def test_limits_of_memory(group, monkeypatch):
    assert limits.free_memory_mb() == 8000
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("600000000\n")
    assert limits.free_memory_mb() == 8000
    (group / "memory.max").write_text("1000000000\n")
    assert limits.free_memory_mb() == 400
    (group / "memory.stat").write_text("anon 1\ninactive_file 60000000\nactive_file 40000000\ninactive_anon 9\n")
    assert limits.free_memory_mb() == 500
    (group.parent / "memory.max").write_text("2000000000\n")
    (group.parent / "memory.current").write_text("1700000000\n")
    assert limits.free_memory_mb() == 300
    monkeypatch.setenv("MEM_LIMIT", str(400 * 10**6))
    assert limits.free_memory_mb() == 400 - limits.SERVER_MB
    monkeypatch.setenv("MEM_LIMIT", "none")
    assert limits.free_memory_mb() == 300


def test_limits_of_cores(group, monkeypatch):
    assert limits.cores() == 8
    (group / "cpu.max").write_text("max 100000\n")
    assert limits.cores() == 8
    (group.parent / "cpu.max").write_text("150000 100000\n")
    assert limits.cores() == 1.5
    monkeypatch.setenv("CPU_LIMIT", "0.5")
    assert limits.cores() == 0.5


def test_this_machine_has_some():
    assert limits.cores() > 0 and (limits.free_memory_mb() is None or limits.free_memory_mb() > 10)


def test_a_training_step_is_measured(monkeypatch):
    monkeypatch.setattr(machine, "seconds", lambda step, **how: step() or 0.25)        # once is enough here
    assert machine.training_step() == 0.25
