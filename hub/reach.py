"""Whether other accounts can read what they need to run the course, and a view of the files in which they can.

A Python below ``/root`` cannot be run by anybody else. Instead of opening such a folder, the hub is started in a mount
namespace of its own, in which an empty folder stands in its place and holds nothing but what users need. The machine's
own files stay as they are, and the view ends with the hub.
"""

import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path


def closed(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """Find the folders that other accounts may not enter.

    Args:
        paths: what other accounts need.

    Returns:
        The first such folder on the way to each path, with the paths that lie behind it.
    """
    found: dict[Path, list[Path]] = {}
    for path in sorted({Path(path).resolve() for path in paths}):
        for folder in (*reversed(path.parents), path):
            if not folder.stat().st_mode & 0o001:
                found.setdefault(folder, []).append(path)
                break
    return found


def within_reach(command: list[str], paths: Iterable[Path]) -> list[str]:
    """Put before a command what lets it and all that it starts reach some paths, whatever their account.

    Args:
        command: a program and its arguments.
        paths: what other accounts need.

    Returns:
        The command itself where nothing is in the way.

    Raises:
        PermissionError: something is, and this system does not allow the view.
    """
    folders = closed(paths)
    if not folders:
        return command
    at_fault = [folder for folder, needed in folders.items() if folder in needed]
    if at_fault or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        found = ", ".join(f"{folder} closed to other accounts" for folder in at_fault or folders)
        inside = "; ".join(f"{folder} holds {', '.join(map(str, needed))}" for folder, needed in folders.items())
        todo = "open what users need: " + "; ".join(f"chmod -R o+rX {folder}" for folder in at_fault) if at_fault else (
            f"move what users need to a place such as /srv or /opt ({inside}), or do not start the hub as root")
        raise PermissionError(f"found {found}, expected folders that every user may enter; {todo}")
    lines = ["set -e", "stage=$(mktemp -d -p /run)", "mount -t tmpfs tmpfs $stage"]
    for i, (folder, needed) in enumerate(folders.items()):
        for j, path in enumerate(needed):
            lines += [f"mkdir $stage/{i}-{j}", f"mount --bind {shlex.quote(str(path))} $stage/{i}-{j}"]
        lines += [f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(folder))}"]
        for j, path in enumerate(needed):
            place = shlex.quote(str(path))
            lines += [f"mkdir -p {place}", f"mount --move $stage/{i}-{j} {place}"]
    lines += ["umount $stage", "rmdir $stage", 'exec "$@"']
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines), "sh", *command]
