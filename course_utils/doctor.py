"""Whether this machine is ready for the course, and what to do if it is not.

The checks of packages come first and import nothing else, so that they still speak when an installation is broken.
"""

import importlib.metadata
import re
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["MARKS", "OLDEST", "STATUSES", "Check", "as_json", "command", "examine", "healthy", "packages"]

MARKS = {"ok": "✓", "warning": "!", "error": "✗"}
STATUSES = tuple(MARKS)                 # from good to bad
PYTHON = (3, 11)
OLDEST = {          # the versions that the course is tested with (requirements.txt)
    "torch": "2.13.0", "numpy": "2.4.6", "matplotlib": "3.11.2", "pillow": "13.0.0", "scikit-learn": "1.9.1",
    "scipy": "1.17.1", "tifffile": "2026.3.3", "pooch": "1.9.0", "tqdm": "4.70.1", "jupyterquiz": "2.9.6.4",
    "palmerpenguins": "0.1.6", "safetensors": "0.8.0", "onnx": "1.23.2", "onnxscript": "0.7.2",
    "onnxruntime": "1.31.1", "openvino": "2026.4.1",
}
NOTEBOOKS = {"jupyterlab": "4.6.6", "ipykernel": "7.4.0"}      # what opens the notebooks on this machine
INSTALL = "run pip install -r requirements.txt in the course's environment"
ENVIRONMENT = Path(__file__).resolve().parents[1] / ".venv"          # what `make` sets up
DISK_GB, MEMORY_GB = 0.5, 1.0


@dataclass(frozen=True)
class Check:
    """What was looked at and what it is like.

    Attributes:
        name: what was looked at.
        status: ``"ok"``, ``"warning"`` (the course works, but not all of it or not well) or ``"error"``.
        found: what it is like.
        advice: what to do; empty if nothing needs to be done.
    """

    name: str
    status: str
    found: str
    advice: str = ""


def packages() -> list[Check]:
    """Look at Python and at what the package imports.

    Returns:
        The checks. If one is an error, the rest of the package cannot be imported.
    """
    checks = [_python(), *(_package(name, oldest) for name, oldest in OLDEST.items())]
    other = None if healthy(checks) else _other_environment()
    return [checks[0], other] if other else checks


def examine() -> list[Check]:
    """Look at Python, packages, machine, folders and fetched files.

    Returns:
        The checks, in the order in which they should be mended.
    """
    checks = packages()
    if not healthy(checks):
        return checks
    notebooks = (_notebooks(name, oldest) for name, oldest in NOTEBOOKS.items())
    return [*checks, *notebooks, *_machine(), *_folders(), *_datasets(), _simulated()]


def healthy(checks: list[Check]) -> bool:
    """Say whether no check is an error.

    Args:
        checks: what `examine` found.

    Returns:
        True if the course can be worked through.
    """
    return all(check.status != "error" for check in checks)


def as_json(checks: list[Check]) -> dict:
    """Give the checks as plain data, for a hub's administrator or a bug report.

    Args:
        checks: what `examine` found.

    Returns:
        ``healthy`` (bool) and ``checks`` (a list of objects with the attributes of `Check`).
    """
    return {"healthy": healthy(checks), "checks": [asdict(check) for check in checks]}


def command(words: str) -> str:
    """Write a command of the package as it is typed here, for the Python that is running now.

    Args:
        words: what follows ``python -m course_utils``.

    Returns:
        One line. It begins with ``python`` where the shell means this one by that name, else with the way to it, which
        is short from a folder around it: ``.venv/bin/python``.
    """
    python, here = Path(sys.executable), Path.cwd()
    if shutil.which("python") == sys.executable:
        python = Path("python")
    elif python.is_relative_to(here):
        python = python.relative_to(here)
    quote = '"' if " " in str(python) else ""
    return f"{quote}{python}{quote} -m course_utils {words}"


def _python() -> Check:
    """Python itself."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        return Check("Python", "error", found, f"install Python {PYTHON[0]}.{PYTHON[1]} or newer")
    return Check("Python", "ok", found)


def _package(name: str, oldest: str) -> Check:
    """One package: there, and not older than what the course is tested with."""
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "error", "not installed", INSTALL)
    if _numbers(found) < _numbers(oldest):
        return Check(name, "warning", f"{found}, older than {oldest}", INSTALL)
    return Check(name, "ok", found)


def _notebooks(name: str, oldest: str) -> Check:
    """A package that no chapter imports: without it the course is read, or run on a hub that has it."""
    check = _package(name, oldest)
    if check.status != "error":
        return check
    return Check(name, "warning", check.found, f"on a hub nothing is missing; to open the notebooks here, {INSTALL}")


def _other_environment() -> Check | None:
    """The environment that `make` has set up, if it was another Python's doctor that was called."""
    pythons = [ENVIRONMENT / "bin" / "python", ENVIRONMENT / "Scripts" / "python.exe"]
    python = next((path for path in pythons if path.exists()), None)
    if python is None or ENVIRONMENT.samefile(sys.prefix):
        return None
    return Check("environment", "error", f"this is {sys.executable}, which has not all that the course needs",
                 f"use the one that the course has set up: {python} -m course_utils doctor")


def _numbers(version: str) -> tuple[int, ...]:
    """The release numbers of a version; what follows a plus sign only tells how it was built."""
    return tuple(map(int, re.findall(r"\d+", version.split("+")[0])))


def _machine() -> list[Check]:
    """Device, cores and memory."""
    from course_utils.runtime import describe_machine

    machine = describe_machine()
    checks = [Check("device", "ok", str(machine["device"])), Check("cores", "ok", str(machine["cores"]))]
    memory = machine["memory_gb"]
    if memory is None:
        checks.append(Check("memory", "ok", "unknown"))
    elif memory < MEMORY_GB:
        checks.append(Check("memory", "warning", f"{memory} GB", f"a chapter may need {MEMORY_GB} GB: close other "
                                                                 "notebooks before you run one"))
    else:
        checks.append(Check("memory", "ok", f"{memory} GB"))
    return checks


def _folders() -> list[Check]:
    """Where files are kept: can it be written, is there room, is the shared folder there."""
    from course_utils.data.folders import data_folder, shared_folder

    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            checks = [Check("data folder", "ok", f"{folder}, can be written")]
    except OSError as error:
        checks = [Check("data folder", "error", f"{folder} cannot be written: {error.strerror or error}",
                        "name a folder of your own in COURSE_CACHE; without one nothing can be fetched or kept")]
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(place).free / 1e9
    room = "ok" if free >= DISK_GB else "warning"
    checks.append(Check("disk", room, f"{free:.1f} GB free", "" if room == "ok" else f"free at least {DISK_GB} GB"))
    shared = shared_folder()
    if shared is not None and not shared.is_dir():
        checks.append(Check("shared folder", "error", f"COURSE_DATA names {shared}, which is no folder",
                            "correct COURSE_DATA or unset it"))
    elif shared is not None:
        checks.append(Check("shared folder", "ok", str(shared)))
    return checks


def _datasets() -> list[Check]:
    """What was fetched, and whether its bytes are the published ones."""
    from course_utils.data.registry import DATASETS

    return [_dataset(name) for name in DATASETS]


def _dataset(name: str) -> Check:
    """One dataset; none of them is needed to work through the course."""
    from course_utils.data.errors import HashMismatchError
    from course_utils.data.local import find, locate
    from course_utils.data.registry import DATASETS

    files, fetch = DATASETS[name].files, command(f"fetch {name}")
    here = [file for file in files if find(file)]
    for file in here:
        try:
            locate(file)
        except HashMismatchError as error:
            return Check(name, "error", str(error), f"run {fetch}")
    if not here:
        return Check(name, "ok", "not fetched", f"optional: {fetch}")
    verified = "verified" if all(file.known_hash for file in here) else "no hash published"
    if len(here) < len(files):
        return Check(name, "warning", f"{len(here)} of {len(files)} files, {verified}", f"the others: {fetch}")
    return Check(name, "ok", f"{len(here)} files, {verified}")


def _simulated() -> Check:
    """The course's own patches."""
    from course_utils.data.errors import LayoutError, MissingDataError
    from course_utils.data.patches import cached_folder, open_packed, shared_twin

    folder = cached_folder()
    folder = shared_twin(folder) if shared_twin(folder).is_dir() else folder
    try:
        patches = open_packed(folder, verify=True)
    except MissingDataError:
        return Check("simulated scenes", "ok", "not yet made",
                     f"they are made when first used, in some seconds; or now: {command('simulate')}")
    except LayoutError as error:
        return Check("simulated scenes", "warning", str(error), f"remove {folder}; it is made again when first used")
    return Check("simulated scenes", "ok", f"{len(patches)} patches, verified")
