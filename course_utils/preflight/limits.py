"""How much memory and how many cores a process may use: of the machine, of its container, of the hub's settings."""

import os
from collections.abc import Iterator
from pathlib import Path

from course_utils.runtime import describe_machine

__all__ = ["SERVER_MB", "cores", "free_memory_mb"]

SERVER_MB = 140                         # a learner's JupyterLab server, which a hub counts as well
GROUPS = Path("/sys/fs/cgroup")         # where Linux says what a container, or a service of systemd, may use
OWN_GROUP = Path("/proc/self/cgroup")
FILES = ("active_file", "inactive_file")        # what was read of files, kept as long as nobody asks for the room


def free_memory_mb() -> float | None:
    """Say how much memory a new kernel could have.

    Returns:
        10⁶ bytes: what is free on the machine and in each group of processes that this one belongs to; where JupyterHub
        sets a limit (``MEM_LIMIT``), no more than that without the server. None where nothing tells.
    """
    found = [_machine_mb(), *map(_group_mb, _groups())]
    if limit := _number(os.environ.get("MEM_LIMIT")):
        found.append(limit / 1e6 - SERVER_MB)
    return min((mb for mb in found if mb is not None), default=None)


def cores() -> float:
    """Say how many cores' worth of time a process may have.

    Returns:
        The cores it may run on, or fewer where its group of processes or JupyterHub (``CPU_LIMIT``) has a limit.
    """
    found = [float(describe_machine()["cores"])]
    for group in _groups():
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if _number(quota) and _number(period):
            found.append(float(quota) / float(period))
    return min([*found, *filter(None, [_number(os.environ.get("CPU_LIMIT"))])])


def _machine_mb() -> float | None:
    """What is free on the machine."""
    try:
        import psutil  # comes with ipykernel
    except ImportError:
        return None
    return psutil.virtual_memory().available / 1e6


def _groups() -> Iterator[Path]:
    """The group of processes that this one belongs to, and those around it, if the system has groups of version 2."""
    own = next((line[3:] for line in _read(OWN_GROUP).splitlines() if line.startswith("0::")), None)
    if own is not None:
        group = GROUPS / own.lstrip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(GROUPS))


def _group_mb(group: Path) -> float | None:
    """What a group of processes may still take; pages of files that it can do without do not count as taken."""
    limit, taken = _number(_read(group / "memory.max")), _number(_read(group / "memory.current"))
    if limit is None or taken is None:
        return None
    kept = (line.split() for line in _read(group / "memory.stat").splitlines())
    return (limit - taken + sum(float(size) for name, size in kept if name in FILES)) / 1e6


def _read(path: Path) -> str:
    """The text of a file of the system; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _number(text: str | None) -> float | None:
    """A positive number; None for `max` and whatever else is none."""
    try:
        return float(text) if float(text) > 0 else None
    except (TypeError, ValueError):
        return None
