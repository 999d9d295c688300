"""The hub's rules in plain Python: limits, names, where it may listen, what a user gets: account, home, environment."""

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

MEMORY = "2G"               # the most that one process of a user may allocate
THREADS = 2                 # threads that one kernel computes with
FIRST_UID = 53000           # users get this number and those after it; no account of the system should have them
# Threads share what one of them has freed. Asking glibc to give back every large array (MALLOC_MMAP_THRESHOLD_) would
# save a little more, but a training step then took 1.4 times as long.
SHARE_FREED = {"MALLOC_ARENA_MAX": "2"}
LONGEST_SOCKET = 107        # bytes in the path of a Unix socket
SOCKET = "65535/kernel-01234567-89ab-cdef-0123-456789abcdef-ipc-1"
NAMES = r"^[a-z0-9][a-z0-9._@+-]*\Z"


def on_loopback(address: str) -> bool:
    """Tell whether only this machine can reach an address such as ``http://127.0.0.1:8000``."""
    host = urlsplit(address).hostname
    if host in (None, "localhost"):
        return host is not None             # without a host, every network card is meant
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_home(homes: Path, name: str, first_uid: int | None) -> tuple[Path, int | None]:
    """Give a user a home that nobody else can read, and the account that owns it.

    Args:
        homes: the folder of all homes. Who owns a home is the only record of which account is whose.
        name: the user's name on the hub.
        first_uid: the first account to give away; None leaves everything with the account that runs this.

    Returns:
        The home and its owner's number, None where no account was asked for.

    Raises:
        ValueError: the name cannot name a folder.
        PermissionError: the home belongs to an account that is not one of the hub's users.
    """
    if not re.match(NAMES, name):
        raise ValueError(f"found user name {name!r}, expected letters, digits and . _ @ + - after a letter or digit")
    homes.mkdir(mode=0o711, parents=True, exist_ok=True)
    home = homes / name
    if not home.exists():
        taken = [other.stat().st_uid for other in homes.iterdir()]
        home.mkdir(mode=0o700)
        if first_uid is not None:
            uid = max([first_uid - 1, *taken]) + 1
            os.chown(home, uid, uid)
    if first_uid is None:
        return home, None
    owner = home.stat().st_uid
    if owner < first_uid:
        raise PermissionError(f"found {home} owned by account {owner}, expected {first_uid} or higher; give it an "
                              f"account that no other home has: chown -R NUMBER:NUMBER {home}")
    return home, owner


def own_sockets(folder: Path, uid: int | None) -> Path:
    """Give an account a place for the sockets between its server and its kernels; nobody else can connect to these.

    Args:
        folder: the folder of all such places.
        uid: the account; None for the one that runs this.

    Returns:
        The place. A user's home will not do: paths of sockets must be short.
    """
    place = folder / str(os.geteuid() if uid is None else uid)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    if not place.exists():
        place.mkdir(mode=0o700)
        if uid is not None:
            os.chown(place, uid, uid)
    return place


def room_for_sockets(folder: Path) -> Path:
    """Return the folder of all sockets if its path is short enough for them, else raise a ValueError."""
    longest = LONGEST_SOCKET - len(f"/{SOCKET}")
    if len(str(folder).encode()) > longest:
        raise ValueError(f"found {folder} for the kernels' sockets, expected a path of at most {longest} bytes, "
                         "all that the system allows; set COURSE_HUB_STATE to a shorter folder, such as /srv/hub")
    return folder


def environment(course: Path, hub: Mapping[str, str]) -> dict[str, str]:
    """Name what is set for each user.

    Args:
        course: the folder of the repository.
        hub: the environment of the hub.

    Returns:
        Values by name. ``COURSE_DATA`` and ``COURSE_PROGRESS`` are as the hub's; the latter is off unless that sets it.
    """
    data = Path(hub.get("COURSE_DATA", course / "_build" / "cache")).resolve()
    found = {
        "PATH": f"{course / '.venv' / 'bin'}:{hub['PATH']}",            # `python` in a terminal is the course's
        "OMP_NUM_THREADS": str(THREADS),
        "COURSE_DATA": str(data),                                       # read by all, written by none
        "GIT_CONFIG_SYSTEM": str(course / "hub" / "gitconfig"),
        **SHARE_FREED,
    }
    if hub.get("COURSE_PROGRESS"):
        found["COURSE_PROGRESS"] = hub["COURSE_PROGRESS"]
    return found


def course_kernel(hub: Path, course: Path) -> None:
    """Let "Python 3" in the servers of an environment be the Python of another.

    Args:
        hub: the environment that the servers run in.
        course: the environment that the kernels run in.
    """
    file = hub / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    text = json.dumps({
        "argv": [str(course / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (course)", "language": "python", "metadata": {"debugger": True}}, indent=1)
    if not file.exists() or file.read_text() != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
