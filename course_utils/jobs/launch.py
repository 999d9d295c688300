"""Start a job of several processes from a notebook or a test, and end all of them whatever happens (chapter 14)."""

import inspect
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["JobFailedError", "command", "run", "run_function", "start"]

GRACE = 45.0                    # seconds; torchrun, asked to end, gives its processes 30 before it ends them itself
TORCHRUNS_REPORT = "failed (exitcode"       # in its first line; what the processes said comes before


class JobFailedError(RuntimeError):
    """A job that did not end well; the message holds the end of what it said."""


def command(target: Sequence[str], processes: int = 2) -> list[str]:
    """Write the command that starts a program several times on this machine.

    It is torchrun, of the very environment that asks; `jobs.torchrun` lets its processes share memory. They meet at a
    free port of the loopback address, so nothing is looked up in a network.

    Args:
        target: what to start: a file or ``-m``, a module, and arguments; options of torchrun may come before.
        processes: how many.

    Returns:
        The command, word by word.

    Example:
        >>> command(["-m", "course_utils.jobs.data_parallel"], processes=4)[1:5]
        ['-m', 'course_utils.jobs.torchrun', '--nnodes', '1']
    """
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    torchrun = [sys.executable, "-m", "course_utils.jobs.torchrun"]
    return [*torchrun, "--nnodes", "1", "--nproc-per-node", str(processes), *meeting, *target]


@contextmanager
def start(target: Sequence[str], processes: int = 2, threads: int = 1) -> Iterator[subprocess.Popen]:
    """Start a job; when the block ends, also by an error or an interrupt, all its processes end.

    Args:
        target: as for `command`.
        processes: how many.
        threads: of each process.

    Yields:
        The launcher, as `subprocess.Popen` with text in ``stdout``, which errors go to as well.
    """
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    surroundings = os.environ | {"OMP_NUM_THREADS": str(threads), "TQDM_DISABLE": "1",
                                 "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}     # else a restart meets dead addresses
    if sys.platform != "win32":
        surroundings["GLOO_SOCKET_IFNAME"] = loopback       # else gloo asks the network for this machine's name
    with tempfile.TemporaryDirectory() as logs:             # torchrun makes a folder for logs, and leaves it behind
        job = subprocess.Popen(command(["--log-dir", logs, *target], processes), env=surroundings, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield job
        finally:
            _end(job)
            job.stdout.close()


def run(target: Sequence[str], processes: int = 2, threads: int = 1, timeout: float = 120.0) -> str:
    """Start a job and wait for its end.

    Args:
        target: as for `command`.
        processes: how many.
        threads: of each process.
        timeout: seconds to wait.

    Returns:
        What it printed.

    Raises:
        JobFailedError: it ended with an error, or did not end in time.
    """
    with start(target, processes, threads) as job:
        try:
            said, _ = job.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise JobFailedError(f"found a job that still runs after {timeout:g} s, expected its end; it was ended: "
                                 "does one process wait for another that has left?") from None
        if job.returncode:
            own = said.partition(TORCHRUNS_REPORT)[0].splitlines()
            end = "\n".join(own[-30:])
            raise JobFailedError(f"found a job that ended with status {job.returncode}, expected 0; it said:\n{end}")
        return said


def run_function(function: Callable[[], None], processes: int = 2, threads: int = 1, timeout: float = 120.0) -> str:
    """Run a function of a notebook in several new processes, which know nothing of the notebook.

    Its source goes to a file that torchrun starts, so it has to import all that it uses.

    Args:
        function: takes no argument; what it prints comes back.
        processes: how many.
        threads: of each process.
        timeout: seconds to wait.

    Returns:
        What all processes printed.

    Raises:
        JobFailedError: a process ended with an error, or did not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / f"{function.__name__}.py"
        source = textwrap.dedent(inspect.getsource(function))
        program.write_text(f"{source}\n\n{function.__name__}()\n", encoding="utf-8")
        return run([str(program)], processes, threads, timeout)


def _end(job: subprocess.Popen) -> None:
    """Ask the launcher to end, which ends its processes first; end it if it does not."""
    if job.poll() is None:
        job.terminate()
        with suppress(subprocess.TimeoutExpired):
            job.wait(GRACE)
    job.kill()
    job.wait()
