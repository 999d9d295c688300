"""Jobs of several processes are ended whatever happens, and what went wrong is said."""

import os
import tempfile

import pytest
import torch

from course_utils.jobs import launch, scaling, torchrun
from course_utils.jobs.launch import JobFailedError
from course_utils.jobs.team import Team
from tests.processes import all_gone, running


def test_an_interrupt_ends_every_process(tmp_path):
    program = tmp_path / "sleeper.py"
    program.write_text("import os, time\nprint(f'{os.getpid()}\\n', end='', flush=True)\ntime.sleep(600)\n")
    with pytest.raises(KeyboardInterrupt), launch.start([str(program)]) as job:
        pids = [int(job.stdout.readline()) for _ in range(2)]
        assert len(set(pids)) == 2 and all(map(running, pids))
        raise KeyboardInterrupt
    assert all_gone([*pids, job.pid])


def test_lines_of_several_processes_do_not_mix():
    def speaks():
        for number in range(20_000):
            print("number", number)

    said = launch.run_function(speaks, timeout=300).splitlines()
    assert sorted(said) == sorted(2 * [f"number {number}" for number in range(20_000)])


def test_a_job_leaves_no_file_behind(tmp_path, monkeypatch):
    def says_where():
        import tempfile

        print(tempfile.gettempdir())

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)      # asked again, by this process too
    assert launch.run_function(says_where).splitlines() == 2 * [str(tmp_path)]
    assert not list(tmp_path.iterdir())


def test_a_job_that_fails_says_what_it_said():
    def fails():
        import os
        import sys

        sys.exit(f"rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']}, {os.environ['OMP_NUM_THREADS']} threads")

    with pytest.raises(JobFailedError, match="ended with status 1, expected 0; it said:") as error:
        launch.run_function(fails, processes=2, threads=3, timeout=300)
    assert "of 2, 3 threads" in str(error.value) and "ChildFailedError" not in str(error.value)


def test_a_job_that_raises_says_where():
    def raises():
        {}["no such key"]

    with pytest.raises(JobFailedError, match=r"(?s)Traceback.*in raises\n.*KeyError: 'no such key'"):
        launch.run_function(raises, processes=1, timeout=300)


def test_a_program_finds_what_python_gives_it_shares_what_the_launcher_has_imported_and_may_leave(tmp_path):
    (tmp_path / "neighbour.py").write_text("NAME = __name__\n")
    program = tmp_path / "program.py"
    program.write_text("import multiprocessing, signal, sys\nfrom neighbour import NAME\n\n"
                       "made = type(multiprocessing.current_process()).__name__\n"
                       "imported = 'torch._dynamo' in sys.modules\n"
                       "print(__name__, sys.argv, NAME, made, imported, signal.getsignal(signal.SIGTERM).name)\n"
                       "sys.exit()\n")
    said = launch.run([str(program), "--word", "1"], processes=2, timeout=300).splitlines()
    made = "ForkProcess" if torchrun.FORKS else "SpawnProcess"
    assert said == 2 * [f"__main__ {[str(program), '--word', '1']} neighbour {made} True SIG_DFL"]


def test_a_job_that_does_not_end_is_ended(tmp_path, monkeypatch):
    program = tmp_path / "sleeper.py"
    program.write_text("import time\ntime.sleep(600)\n")
    started = []
    monkeypatch.setattr(launch.subprocess, "Popen", lambda *words, popen=launch.subprocess.Popen, **options: (
        started.append(popen(*words, **options)) or started[-1]))
    with pytest.raises(JobFailedError, match=r"found a job that still runs after 0.2 s"):
        launch.run([str(program)], timeout=0.2)
    assert all_gone([started[0].pid])


def test_processes_meet_on_this_machine_alone():
    words = launch.command(["x.py"], 3)
    options = dict(zip(words[3:-1:2], words[4:-1:2], strict=True))
    assert options["--rdzv-endpoint"] == "127.0.0.1:0" and options["--local-addr"] == "127.0.0.1"
    assert options["--nproc-per-node"] == "3" and words[-1] == "x.py"


def test_a_team_of_one_takes_as_long_shared_as_alone():
    times = scaling.measure(Team(device=torch.device("cpu")), batch_size=2, size=16, repeats=1)
    assert set(times) == {"processes", "alone", "strong", "weak"} and times["processes"] == 1
    assert min(times["alone"], times["strong"], times["weak"]) > 0 and os.environ.get("WORLD_SIZE") is None
