"""Start the hub on this machine: ``python -m hub.start`` (``make hub``)."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ipykernel.kernelspec import write_kernel_spec

from hub.links import chapter_links
from hub.publish import publish
from hub.reach import within_reach

ROOT = Path(__file__).resolve().parents[1]
CONFIG = Path(__file__).with_name("jupyterhub_config.py")
STATE = Path(os.environ.get("COURSE_HUB_STATE", ROOT / ".hub"))
DATA = Path(os.environ.get("COURSE_DATA", ROOT / "_build" / "cache"))


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
    return within_reach(command, [ROOT, DATA, state, Path(sys.base_prefix), Path(node).resolve().parent])


def prepare(notebooks: Path) -> None:
    """Make what users share: the kernel, the simulated scenes, the repository that their notebooks come from."""
    kernel = ROOT / ".venv-hub" / "share" / "jupyter" / "kernels" / "python3"
    shutil.rmtree(kernel, ignore_errors=True)
    write_kernel_spec(kernel, {"display_name": "Python 3 (course)"})
    subprocess.run([sys.executable, "-m", "course_utils", "simulate"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL, env=os.environ | {"COURSE_CACHE": str(DATA)})
    publish(str(notebooks))


def main() -> None:
    """Prepare, say where everything is, and become the hub."""
    parser = argparse.ArgumentParser(description="Start a JupyterHub that this machine alone can reach.")
    parser.add_argument("--port", type=int, default=8000)
    address = f"http://127.0.0.1:{parser.parse_args().port}"
    notebooks = STATE / "learning-to-see-clouds"
    try:
        STATE.mkdir(mode=0o711, parents=True, exist_ok=True)
        DATA.mkdir(parents=True, exist_ok=True)
        command = hub_command(CONFIG, STATE, f"--JupyterHub.bind_url={address}")
        prepare(notebooks)
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
