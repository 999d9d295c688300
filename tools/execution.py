"""Run a notebook in a kernel of its own, and say what that took: wall time, processor time, memory.

Memory is the peak of the kernel's resident set; while it has child processes, what they and the kernel occupy together,
pages that they share counted once (`Pss`). Linux tells both in /proc.
"""

import os
import subprocess
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient

EVERY = 0.2                   # seconds between two looks at the child processes
CELL_SECONDS = 300            # as in _config.yml
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a notebook took.

    Attributes:
        seconds: wall time, the start of the kernel included.
        cpu_seconds: processor time of the kernel and of its child processes that have ended.
        peak_rss_mb: the most memory that they occupied together, in 10⁶ bytes.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float

    def as_dict(self) -> dict[str, float]:
        """The numbers by name, rounded to what is worth reading."""
        return {name: round(value, 1) for name, value in asdict(self).items()}


class Meter:
    """Watches a process and its children from now on.

    Args:
        pid: of the process.
        started: when its work began, in seconds of `time.perf_counter`.
    """

    def __init__(self, pid: int, started: float):
        self.pid, self.started, self.together = pid, started, 0.0
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY):
            if children := descendants(self.pid):
                together = sum(megabytes(each, "smaps_rollup", "Pss") for each in (self.pid, *children))
                self.together = max(self.together, together)

    def stop(self) -> Usage:
        """Stop watching; the process must still be there.

        Returns:
            What it took so far.
        """
        self._stop.set()
        self._watcher.join()
        return Usage(time.perf_counter() - self.started, cpu_seconds(self.pid),
                     max(self.together, megabytes(self.pid, "status", "VmHWM")))


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs; those that have just ended are left out."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:                     # the thread or the process has ended meanwhile
            continue
        found += [each for child in children for each in (child, *descendants(child))]
    return found


def megabytes(pid: int, file: str, name: str) -> float:
    """A line such as ``VmHWM:  1234 kB`` of a file in /proc, in 10⁶ bytes; 0 if the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1.024e-3 for line in lines if line.startswith(f"{name}:")), 0.0)


def cpu_seconds(pid: int) -> float:
    """The processor time of a process and of its children that have ended and were waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def execute(path: Path) -> tuple[nbformat.NotebookNode, Usage]:
    """Run a notebook as a reader does, from top to bottom in its own folder.

    Args:
        path: an .ipynb file; it stays as it is.

    Returns:
        The notebook with outputs, and what it took.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised and is not tagged ``raises-exception``.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(path.parent)}})
    started = time.perf_counter()
    with client.setup_kernel(stderr=subprocess.DEVNULL):        # what a cell writes there, the notebook holds
        meter = Meter(client.km.provisioner.pid, started)
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        usage = meter.stop()
    return notebook, usage
