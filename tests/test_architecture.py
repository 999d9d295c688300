"""The package's shape, read from its imports: the arrow of CONTRIBUTING.md, and one door to the network."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import course_utils

PACKAGE = Path(course_utils.__file__).parent
CONTRIBUTING = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
MODULES = {".".join(("course_utils", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
           for path in PACKAGE.rglob("*.py")}
NETWORK = {"ftplib", "http", "pooch", "requests", "socket", "urllib", "urllib3"}


def arrow():
    """The rooms of the package by their place on the arrow; those in parentheses share a place."""
    (drawn,) = re.findall(r"^```\n(.* → [^`]*)```$", CONTRIBUTING, re.MULTILINE)
    places = " ".join(drawn.split()).split(" → ")
    return {room: place for place, rooms in enumerate(places) for room in rooms.strip("()").split(", ")}


ARROW = arrow()


def imported(path):
    """The full names of all that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_imported(path):
    """The modules of the package that a file imports."""
    for name in imported(path):
        found = next((known for known in (name, name.rpartition(".")[0]) if known in MODULES), None)
        if found not in (None, "course_utils"):
            yield found


def room(module):
    """The part of the package that a module belongs to."""
    return module.split(".")[1]


def along(importer, other):
    """Whether the arrow leads from the room of a module that is imported to the room of the importer."""
    return ARROW[room(other)] < ARROW[room(importer)]


def test_every_room_is_on_the_arrow():
    assert set(ARROW) == {room(module) for module in MODULES if "." in module}


@pytest.mark.parametrize("module", [module for module in MODULES if "." in module])
def test_imports_point_along_the_arrow(module):
    for other in modules_imported(MODULES[module]):
        if room(other) != room(module):
            assert along(module, other), f"{module} imports {other}, which does not stand before it on the arrow"


def test_the_arrow_is_read_and_an_import_against_it_is_noticed():
    assert ARROW["sensors"] < ARROW["simulate"] < ARROW["data"] < ARROW["tasks"] < ARROW["checks"] < ARROW["__main__"]
    assert along("course_utils.data.samples", "course_utils.simulate.scene")
    assert not along("course_utils.simulate.scene", "course_utils.data.pixels")
    assert not along("course_utils.losses", "course_utils.metrics")         # rooms that share a place


def test_no_module_imports_itself_by_a_detour():
    TopologicalSorter({module: set(modules_imported(path)) for module, path in MODULES.items()}).prepare()


def test_only_download_opens_connections():
    users = {(module, name) for module, path in MODULES.items() for name in imported(path)
             if name.split(".")[0] in NETWORK}
    others = {(module, name) for module, name in users if module != "course_utils.data.download"}
    assert others == {("course_utils.data.folders", "pooch.os_cache")}      # names a folder, opens no connection
    assert ("course_utils.data.download", "requests") in users


def test_what_trains_does_not_wait_for_matplotlib():
    """It takes half a second, in every process of a job; who draws imports it."""
    for module, path in MODULES.items():
        if "." in module and ARROW[room(module)] <= ARROW["train"]:
            first = [node for node in ast.parse(path.read_text(encoding="utf-8")).body
                     if isinstance(node, ast.Import | ast.ImportFrom)]
            assert "matplotlib" not in " ".join(map(ast.unparse, first)), module


def test_every_file_of_the_package_is_installed_with_it():
    setuptools = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    kinds = {Path(pattern).name for pattern in setuptools["package-data"]["course_utils"]}
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert [path.name for path in files if not any(path.match(kind) for kind in kinds)] == []
    assert {path.parent for path in PACKAGE.rglob("*.py")} == {path.parent for path in PACKAGE.rglob("__init__.py")}


def test_importing_the_package_imports_none_of_its_rooms():
    code = ("import sys; before = set(sys.modules); import course_utils; "
            "print(sorted(set(sys.modules) - before - {'course_utils'}))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
