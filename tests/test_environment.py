"""What the course installs is said in several files for several tools: they agree."""

import ast
import importlib.metadata
import re
import sys
import tomllib

import pytest
import yaml

from course_utils import doctor
from tools.canary import normal, pins
from tools.notebooks import ROOT

REQUIRED, CONSTRAINED = pins(ROOT / "requirements.txt"), pins(ROOT / "constraints.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = {normal(name) for name in PROJECT["dependencies"]}
BROUGHT = {"cycler", "jupyter-client", "psutil"}      # with matplotlib; with ipykernel, where notebooks are run
READ = {"onnxscript", "palmerpenguins"}               # imported by torch.onnx; a table that is opened as a file


def listed(file):
    """The lines of a requirement file that ask for something."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def expanded(lines):
    """Pins of a list of requirements as pip reads it, with those of the files that it names."""
    found = {}
    for line in lines:
        option, _, value = line.partition(" ")
        if option in ("-r", "-c"):
            found |= expanded(listed(value))
        elif option != "-e":
            name, _, version = line.partition("==")
            found[normal(name)] = version
    return found


@pytest.mark.parametrize("file", ["requirements.txt", "constraints.txt"])
def test_every_requirement_is_pinned(file):
    assert [line for line in listed(file) if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_the_constraints_hold_what_is_required():
    assert {name: CONSTRAINED.get(name) for name in REQUIRED} == REQUIRED


def test_the_conda_environment_has_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = [one for one in environment["dependencies"] if isinstance(one, str)]
    (pip,) = [one["pip"] for one in environment["dependencies"] if isinstance(one, dict)]
    assert expanded(pip) == CONSTRAINED and pip.count("-e .") == 1
    assert sorted(one.partition("=")[0] for one in conda) == ["pip", "python"]         # nothing that pip would pin
    (python,) = [one.partition("=")[2] for one in conda if one.startswith("python=")]
    assert tuple(map(int, python.split("."))) >= doctor.PYTHON


def test_a_pin_that_differs_is_noticed():
    assert expanded(["-r requirements.txt", "torch==2.0.0"]) != REQUIRED == expanded(["-r requirements.txt", "-e ."])


def test_the_package_asks_for_what_is_pinned():
    assert set(REQUIRED) >= NEEDED and len(NEEDED) == len(PROJECT["dependencies"])
    assert PROJECT["requires-python"] == f">={'.'.join(map(str, doctor.PYTHON))}"


def test_the_package_asks_for_all_that_it_imports_and_nothing_else():
    imported = set()
    for path in (ROOT / "course_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) else [])
            imported |= {name.partition(".")[0] for name in names}
    homes = importlib.metadata.packages_distributions()
    found = {normal(homes[name][0]) for name in imported - set(sys.stdlib_module_names) - {"course_utils"}}
    assert found - BROUGHT == NEEDED - READ


def test_setting_up_ends_with_the_doctor():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^\.venv/\.ready:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    steps = recipe[1].splitlines()
    assert "-r requirements.txt -c constraints.txt" in steps[-4] and steps[-1] == "\t@touch $@"
    assert steps[-2] == "\t$(BIN)/python -m course_utils doctor"
