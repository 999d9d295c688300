"""The batch scripts: valid shell, and their bodies run with stand-ins for the batch system on two processes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.data.cifar import write_records
from course_utils.jobs import cifar10
from course_utils.simulate.shapes import SHAPES, shapes
from tools.notebooks import ROOT

HPC = ROOT / "hpc"
SCRIPTS = sorted([*HPC.glob("*.sbatch"), *HPC.glob("*.sh")])
CHAPTER = ROOT / "book" / "scale" / "14_supercomputers.md"

# What a cluster provides. `srun` starts its command once, since there is one node; the two options for torchrun stand
# for the network between nodes.
STAND_INS = {
    "module": 'echo "module $*" >> "$LOG"',
    "scontrol": 'echo "scontrol $*" >> "$LOG"; echo 127.0.0.1',
    "srun": 'echo "srun $*" >> "$LOG"\n'
            'while [[ $1 == --* ]]; do shift; done\n'
            'if [[ "$3" == torch.distributed.run ]]; then exec "$1" "$2" "$3" --local-addr 127.0.0.1 "${@:4}"; fi\n'
            'exec "$@"',
}


@pytest.fixture
def cluster(tmp_path):
    """A folder of stand-ins, an environment in which Slurm has started a job, and the log of what was called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in STAND_INS.items():
        (programs / name).write_text(f"#!/bin/bash\n{body}\n")
        (programs / name).chmod(0o755)
    environment = tmp_path / "environment" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    slurm = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_JOB_NODELIST": "node1", "SLURM_JOB_NUM_NODES": "1",
             "SLURM_CPUS_PER_TASK": "2", "SLURM_GPUS_ON_NODE": "2", "SLURM_JOB_USER": "somebody"}
    cache = os.environ["COURSE_CACHE"]
    return {"PATH": f"{programs}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"), "HOME": str(tmp_path),
            "ENVIRONMENT": f"{Path(sys.prefix)}", "COURSE_CACHE": cache, "GLOO_SOCKET_IFNAME": "lo",
            "TQDM_DISABLE": "1", "PYTHONPATH": str(ROOT), **slurm}


def submit(script, cluster, folder, *options):
    return subprocess.run(["bash", HPC / script, *map(str, options)], env=cluster, cwd=folder, text=True,
                          capture_output=True, timeout=300)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_valid_shell_and_stop_at_the_first_error(script):
    assert subprocess.run(["bash", "-n", script], capture_output=True, text=True).stderr == ""
    text = script.read_text()
    assert text.startswith("#!/bin/bash\n") and "\nset -euo pipefail\n" in text
    header, body = text.split("set -euo pipefail")
    assert "#SBATCH" not in body, "Slurm stops reading at the first command"
    assert (script.suffix == ".sbatch") == ("#SBATCH --time=" in header)
    assert max(map(len, text.splitlines())) <= 120


def test_a_training_script_trains_on_two_processes(cluster, tmp_path):
    done = submit("train_cuda.sbatch", cluster, tmp_path, "--device", "cpu", "--model", "mlp", "--epochs", 1,
                  "--scenes", 13, "--patches", 16)
    assert done.returncode == 0, done.stderr
    beginning, report = map(json.loads, done.stdout.splitlines())
    assert beginning["processes"] == 2 and beginning["backend"] == "gloo" and report["epoch"] == 1
    assert beginning["patches_per_process"] == 16
    assert (tmp_path / f"clouds-{cluster['SLURM_JOB_ID']}.pt").is_file()
    called = Path(cluster["LOG"]).read_text().splitlines()
    assert called[:3] == ["module load cuda", "module load python", "scontrol show hostnames node1"]
    assert f"--rdzv-endpoint 127.0.0.1:{29500 + int(cluster['SLURM_JOB_ID']) % 1000}" in called[-1]


def test_the_two_systems_start_the_same_training(cluster, tmp_path):
    srun = Path(cluster["PATH"].split(":")[0]) / "srun"
    srun.write_text('#!/bin/bash\nprintf "%s\\n" "$TORCH_DISABLE_SHARE_RDZV_TCP_STORE" "$OMP_NUM_THREADS" "$*"\n')
    started = [submit(f"train_{name}.sbatch", cluster, tmp_path, "--epochs", 3) for name in ("cuda", "rocm")]
    assert [done.returncode for done in started] == [0, 0], started
    assert started[0].stdout == started[1].stdout and started[0].stdout.startswith("1\n1\n")
    assert started[0].stdout.endswith("--epochs 3\n")
    loaded = Path(cluster["LOG"]).read_text().splitlines()
    assert [line for line in loaded if line.startswith("module")] == [
        "module load cuda", "module load python", "module load rocm", "module load python"]


def test_the_script_of_the_challenge_runs_it(cluster, tmp_path, monkeypatch, capsys):
    write_records(tmp_path / "data_batch_1.bin", *shapes(range(100)))
    write_records(tmp_path / "test_batch.bin", *shapes(range(20), seed=1))
    (tmp_path / "batches.meta.txt").write_text("\n".join(SHAPES))
    srun = Path(cluster["PATH"].split(":")[0]) / "srun"
    srun.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    done = submit("cifar10.sbatch", cluster, tmp_path, "--epochs", 1, "--batch-size", 20, "--data", tmp_path)
    python, *words = done.stdout.splitlines()
    assert done.returncode == 0 and Path(python).is_file() and words[:2] == ["-m", "course_utils.jobs.cifar10"]
    monkeypatch.chdir(tmp_path)
    assert cifar10.main([*words[2:], "--device", "cpu"]) == 0
    assert "validation accuracy" in capsys.readouterr().out
    (entry,) = json.loads((tmp_path / "cifar10-runs" / "tuning.json").read_text())
    assert entry["name"] == "somebody"


def test_staging_fetches_and_simulates(cluster, tmp_path):
    environment = tmp_path / "environment"
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").write_text('#!/bin/bash\necho "python $*" >> "$LOG"\n')
    (environment / "bin" / "python").chmod(0o755)
    done = submit("stage_data.sh", cluster | {"ENVIRONMENT": str(environment)}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(cluster["LOG"]).read_text().splitlines() == [
        "module load python", "python -m course_utils fetch cifar10", "python -m course_utils simulate"]


def test_a_missing_module_ends_a_script_before_it_computes(cluster, tmp_path):
    programs = Path(cluster["PATH"].split(":")[0])
    (programs / "module").write_text("#!/bin/bash\nexit 1\n")
    done = submit("train_cuda.sbatch", cluster, tmp_path)
    assert done.returncode == 1 and not Path(cluster["LOG"]).exists()


def test_the_two_systems_differ_only_where_the_chapter_says_so():
    cuda, rocm = ((HPC / f"train_{name}.sbatch").read_text().splitlines() for name in ("cuda", "rocm"))
    different = [line for line in rocm if line not in cuda]
    assert len(different) <= 10
    assert [line for line in cuda if line.startswith(("srun", "    --"))] == [
        line for line in rocm if line.startswith(("srun", "    --"))]


def test_every_line_of_shell_in_the_chapter_is_a_line_of_the_script():
    script = (HPC / "train_cuda.sbatch").read_text().splitlines()
    blocks = re.findall(r"^```bash\n(.*?)^```$", CHAPTER.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 15 and [line for line in lines if line not in script] == []
