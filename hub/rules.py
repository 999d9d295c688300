"""The hub's rules in plain Python: limits, names, where it may listen, which account and home a user gets."""

import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

MEMORY = "2G"               # the most that one process of a user may allocate
THREADS = 2                 # threads that one kernel computes with
FIRST_UID = 53000           # users get this number and those after it; no account of the system should have them
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
        ValueError: the name can not name a folder.
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
