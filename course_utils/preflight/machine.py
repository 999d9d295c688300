"""Whether notebooks can be run here: a kernel that starts, folders that can be written, threads, speed."""

import json
import queue
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import torch

from course_utils import budgets
from course_utils.doctor import INSTALL, Check
from course_utils.measure.clock import seconds
from course_utils.models.unet import UNet
from course_utils.preflight import limits

__all__ = ["KERNEL", "SLOW", "home", "kernel", "scratch", "speed", "threads", "training_step"]

KERNEL = "python3"                      # the name in each chapter's front matter
SLOW = 2.0                              # times the time that the page states
SPARE_MB = 100
CODE = """import json, sys, torch, course_utils
print(json.dumps({"python": sys.executable, "torch": torch.__version__, "course": course_utils.__version__,
                  "threads": torch.get_num_threads()}))"""


def kernel(name: str = KERNEL, patience: float = 60.0) -> tuple[Check, dict]:
    """Start a kernel as JupyterLab does, import PyTorch and the package in it, end it.

    Args:
        name: of the kernel, as `jupyter kernelspec list` shows it.
        patience: seconds to wait for each answer.

    Returns:
        The check; and what the kernel said of itself: ``python``, ``torch``, ``course``, ``threads``; empty if it is
        not fit for the chapters.
    """
    try:
        from jupyter_client.kernelspec import NoSuchKernel
        from jupyter_client.manager import KernelManager
    except ImportError:
        return Check("kernel", "error", "jupyter_client is not installed", INSTALL), {}
    began, manager = time.monotonic(), KernelManager(kernel_name=name)
    install = f"in the course's environment: python -m ipykernel install --sys-prefix --name {name}"
    try:
        manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except NoSuchKernel:
        return Check("kernel", "error", f"there is no kernel {name}, which the chapters name", install), {}
    except OSError as error:
        advice = "see which program `jupyter kernelspec list` leads to, and let learners read and run it"
        return Check("kernel", "error", f"{name} cannot be started: {error}", advice), {}
    client, printed = manager.client(), []
    client.start_channels()
    try:
        client.wait_for_ready(timeout=patience)
        reply = client.execute_interactive(CODE, timeout=patience, output_hook=printed.append)["content"]
    except (RuntimeError, TimeoutError, queue.Empty) as error:
        return Check("kernel", "error", f"{name} does not answer: {error or 'no reply'}", install), {}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["status"] != "ok":
        advice = f"{INSTALL}, or make its kernel the one named {name}"
        return Check("kernel", "error", f"{name} starts, but {reply['ename']}: {reply['evalue']}", advice), {}
    said = "".join(one["content"]["text"] for one in printed if one["content"].get("name") == "stdout")
    about = json.loads(said.splitlines()[-1])           # what packages print when they are imported comes before
    took = time.monotonic() - began
    return Check("kernel", "ok", f"{name} of {about['python']}: PyTorch {about['torch']} after {took:.1f} s"), about


def home() -> Check:
    """Look whether notebooks can be saved.

    Returns:
        The check of the home folder.
    """
    return _writable("home", Path.home(), "mend the rights, or the disk, of the home folder: notebooks are saved there")


def scratch() -> Check:
    """Look whether programs can keep files for a while, as chapters 02, 06, 13 to 15 and 17 do.

    Returns:
        The check of the system's folder for temporary files.
    """
    advice = "name a folder that can be written in TMPDIR"
    try:
        return _writable("temporary files", Path(tempfile.gettempdir()), advice)
    except FileNotFoundError as error:
        return Check("temporary files", "error", str(error), advice)


def _writable(name: str, folder: Path, advice: str) -> Check:
    """Whether a file of a megabyte can be written to a folder that then still has room."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1_000_000))
            file.flush()
        free = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        return Check(name, "error", f"{folder} cannot be written: {error.strerror or error}", advice)
    if free < SPARE_MB:
        return Check(name, "error", f"{folder} has {free:.0f} MB left", f"free at least {SPARE_MB} MB there")
    return Check(name, "ok", f"{folder}, can be written")


def threads(wanted: int) -> Check:
    """Compare the threads that PyTorch starts with the cores that they may use.

    Args:
        wanted: how many threads PyTorch starts in a kernel.

    Returns:
        The check.
    """
    may = limits.cores()
    found = f"{wanted} for {may:g} cores"
    if wanted > max(1, may):
        return Check("threads", "warning", found, f"set OMP_NUM_THREADS={max(1, int(may))} for learners: threads "
                                                  "that wait for a core make every training slower")
    if may < 2:
        return Check("threads", "warning", found, "give each learner 2 cores: with one, trainings take twice as long")
    return Check("threads", "ok", found)


def training_step() -> float:
    """Measure what a step of training the course's U-Net takes here.

    Returns:
        Seconds for a batch of 4 patches, on the processor.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 12, 64, 64, generator=generator)
    model = UNet(12)
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()

    return seconds(step, repeats=3, warmup=1, device="cpu")


def speed(step: float) -> tuple[Check, float]:
    """Compare this machine with the one that the chapters were last measured on.

    Args:
        step: what `training_step` measured here.

    Returns:
        The check; and how many times as long a training takes here as there (1 if that is not known).
    """
    reference = budgets.measured().training_step
    if not reference:
        return Check("speed", "ok", f"{1000 * step:.0f} ms a training step; nothing to compare with is recorded"), 1.0
    slower = step / reference
    found = f"a training takes {slower:.1f} times as long as where the chapters were measured"
    if slower > SLOW:
        advice = "end other work; else let one row start a training after the other, or all read the curves of one"
        return Check("speed", "warning", found, advice), slower
    return Check("speed", "ok", found), slower
