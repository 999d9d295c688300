"""Whether processes that a test saw are gone."""

import time
from pathlib import Path

__all__ = ["all_gone", "running"]


def running(pid):
    """Whether a process is there and not merely waiting to be counted as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_gone(pids, patience=30.0):
    """Wait a little for processes to go."""
    until = time.monotonic() + patience
    while any(map(running, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(running, pids))
