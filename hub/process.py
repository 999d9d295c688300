"""A hub that is started for a while, as tests want it: free ports, a token that nobody sees, nothing left behind.

A Python process runs one such hub at a time: whatever else it starts meanwhile is taken for a part of the hub.
"""

import ctypes
import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hub.start import CONFIG, NOTEBOOKS, hub_command, prepare

PATIENCE = 60               # seconds in which a hub must answer, and in which it must have ended
OVERLAY = """
load_subconfig({config!r})
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.JupyterHub.services = [{{"name": "visitor", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "visitor", "services": ["visitor"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


@dataclass
class Running:
    """A running hub: where it is, where its files are, what it has written, what opens it."""

    url: str
    state: Path
    log: Path
    token: str = field(repr=False)

    def family(self) -> list[psutil.Process]:
        """The hub and all that it has started and that is still there, also what has lost its parent."""
        return psutil.Process().children(recursive=True)

    def commands(self, words: str) -> list[psutil.Process]:
        """Those of the family whose command has these words in it."""
        return [process for process in self.family() if words in command_of(process)]


def command_of(process: psutil.Process) -> str:
    """The command of a process; empty if it has gone."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def free_ports(count: int) -> list[int]:
    """Numbers of ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def fresh_hub() -> Iterator[tuple[Running, Path]]:
    """Run a hub that nobody has used before; when the block ends, nothing of it is left.

    Yields:
        The hub, once it answers, and the repository that its users' notebooks come from.

    Raises:
        RuntimeError: as `running`, or the notebooks could not be published.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)           # the users' accounts have to get through
        state = Path(folder) / "hub"
        prepare(state / NOTEBOOKS)
        with running(state) as hub:
            yield hub, state / NOTEBOOKS


@contextmanager
def running(state: Path, cores: int = 2) -> Iterator[Running]:
    """Run a hub until the block ends; then it and every process that it has started are stopped.

    Args:
        state: the folder of homes, database and log. Other accounts must be able to enter its parents.
        cores: how many processor cores the hub and its users share.

    Yields:
        The hub, once it answers.

    Raises:
        RuntimeError: it did not answer in time; the message ends with its last words.
    """
    adopt_orphans()
    state.mkdir(mode=0o711, parents=True, exist_ok=True)
    public, hub, api = free_ports(3)
    private = state / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    token, log, config = secrets.token_hex(32), private / "hub.log", private / "config.py"
    config.write_text(OVERLAY.format(config=str(CONFIG), public=public, hub=hub, api=api, token=token))
    command = ["setpriv", "--pdeathsig", "TERM"]        # it ends with whoever started it, even if that was killed
    command += ["taskset", "--cpu-list", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores]))]
    command += hub_command(config, state)
    with log.open("w") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, start_new_session=True,
                                   env=os.environ | {"COURSE_HUB_STATE": str(state)})
    here = Running(f"http://127.0.0.1:{public}", state, log, token)
    try:
        _wait_until_it_answers(here, process)
        yield here
    finally:
        stop(here)


def _wait_until_it_answers(here: Running, process: subprocess.Popen) -> None:
    """Ask until there is an answer, the hub has ended or the patience is at its end."""
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), urllib.request.urlopen(f"{here.url}/hub/api", timeout=5):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("found no answer from the hub, expected one; its last words:\n"
                               + here.log.read_text()[-2000:])
        time.sleep(0.1)


def stop(here: Running) -> None:
    """Ask the hub, the servers and the kernels to end; end by force what is still there after a while."""
    for end, patience in (("terminate", PATIENCE), ("terminate", 5), ("kill", 5), ("kill", 5)):
        family = here.family()              # anew: what was just being started was not there before
        for process in family:
            with suppress(psutil.NoSuchProcess):
                getattr(process, end)()
        psutil.wait_procs(family, timeout=patience)


def adopt_orphans() -> None:
    """Become the parent of processes whose parent has died, so that none of them is lost sight of (Linux only)."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)
