"""Start the hub on this machine: ``python -m hub.start`` (``make hub``)."""

import argparse
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from hub.links import chapter_links
from hub.publish import publish
from hub.reach import within_reach
from hub.rules import room_for_sockets

ROOT = Path(__file__).resolve().parents[1]
CONFIG = Path(__file__).with_name("jupyterhub_config.py")
STATE = Path(os.environ.get("COURSE_HUB_STATE", ROOT / ".hub")).resolve()
DATA = Path(os.environ.get("COURSE_DATA", ROOT / "_build" / "cache")).resolve()
NOTEBOOKS = "learning-to-see-clouds"        # the repository of learner notebooks, and its folder in each home


def hub_command(config: Path, state: Path, *arguments: str) -> list[str]:
    """The command that runs a hub, whose users can reach the course whatever their account.

    Args:
        config: a configuration of JupyterHub.
        state: the folder of homes and database.
        arguments: more of JupyterHub's arguments.

    Returns:
        The program and its arguments.

    Raises:
        FileNotFoundError: there is no Node.js.
        PermissionError: users could not reach the course, its Python or its data.
    """
    node = shutil.which("node")
    if node is None:
        raise FileNotFoundError("found no Node.js, expected one for the hub's proxy; on Debian: apt-get install npm")
    command = [str(ROOT / ".venv-hub" / "bin" / "jupyterhub"), f"--config={config}", *arguments]
    if os.geteuid():
        return command
    needed = [ROOT, ROOT / ".venv", ROOT / ".venv-hub", Path(sys.base_prefix), Path(node).resolve().parent, DATA, state]
    return within_reach(command, needed)


def prepare(notebooks: Path, *what: str) -> None:
    """Make what users share: the simulated scenes and the repository that their notebooks come from.

    Args:
        notebooks: the folder of that repository.
        what: arguments of ``course_utils simulate``; none for the scenes of most chapters.
    """
    subprocess.run([sys.executable, "-m", "course_utils", "simulate", *what], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL, env=os.environ | {"COURSE_CACHE": str(DATA)})
    publish(str(notebooks))


def three_ports(first: int) -> list[str]:
    """JupyterHub's arguments for a port and the two after it, which the hub and its proxy use between themselves.

    Raises:
        OSError: somebody listens on one of them, or there is no such port.
    """
    for port in range(first, first + 3):
        try:
            with socket.socket() as test:
                test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                test.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise OSError(f"found port {port} taken or not allowed ({error}), expected three free ones from {first} "
                          'on; choose others: make hub OPTIONS="--port 9000"') from error
    return [f"--JupyterHub.bind_url=http://127.0.0.1:{first}", f"--JupyterHub.hub_port={first + 1}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{first + 2}"]


def main() -> None:
    """Prepare, say where everything is, and become the hub."""
    parser = argparse.ArgumentParser(description="Start a JupyterHub that this machine alone can reach.")
    parser.add_argument("--port", type=int, default=8000, help="the first of three (default: 8000)")
    port = parser.parse_args().port
    address = f"http://127.0.0.1:{port}"
    notebooks = STATE / NOTEBOOKS
    try:
        room_for_sockets(STATE / "run")
        STATE.mkdir(mode=0o711, parents=True, exist_ok=True)
        DATA.mkdir(parents=True, exist_ok=True)
        command = hub_command(CONFIG, STATE, *three_ports(port))
        print("Simulating what chapters share; the first time takes minutes", flush=True)
        prepare(notebooks, "--all")
    except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"the hub was not started: {error}")
    print(f"The hub is at {address}, for this machine only: any name, no password. Ctrl-C stops it.")
    if os.geteuid():
        print("You are not root, so ALL USERS SHARE YOUR ACCOUNT and can read each other's files, and yours: for "
              "trying out alone. hub/README.md tells how to serve others.")
    print("A link that brings a chapter's notebook:")
    for link in chapter_links({"hub": address, "repository": f"file://{notebooks}"}).values():
        print(f"  {link}", flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
