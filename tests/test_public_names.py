"""The package and those who use it agree: what a chapter takes is there and described, what is public is used, once."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

import course_utils
from tools.notebooks import ROOT, chapters, directives

PACKAGE = "course_utils"
MODULES = [PACKAGE, *(module.name for module in pkgutil.walk_packages(course_utils.__path__, f"{PACKAGE}."))]
CHECKERS = re.compile(rf"{PACKAGE}\.checks\.(?!core|answers|expect)")      # called as check.topic.name, by the learner
FOR_TESTS = {f"{PACKAGE}.checks.core.exercises"}            # how tests find the checkers of a chapter
LEAST = 20                                                  # parts of a body below which two may look alike by chance


def source(module):
    """The text of a module."""
    return Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")


def code_of(page):
    """All that the cells of a page run, without IPython's own commands."""
    cells = (block.body for block in directives(page.read_text(encoding="utf-8")) if block.name == "code-cell")
    return "\n".join(re.sub(r"^(\s*)[%!].*", r"\1pass", cell, flags=re.MULTILINE) for cell in cells)


def find(module, name):
    """What ``from module import name`` gives; None if there is no such thing."""
    value = getattr(importlib.import_module(module), name, None)
    submodule = f"{module}.{name}"
    return importlib.import_module(submodule) if value is None and submodule in MODULES else value


def imports(tree):
    """What some code imports from the package: how it calls it, where it asks, for what."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            for alias in node.names:
                yield alias.asname or alias.name, node.module, alias.name


def taken(code, known=()):
    """What some code takes from the package: pairs of how it is written and the value, None where there is none.

    Args:
        code: Python.
        known: values by the names that they have in the code before it begins.
    """
    tree = ast.parse(code)
    known = dict(known) | {called: find(module, name) for called, module, name in imports(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in known:
            yield node.id, known[node.id]
        if isinstance(node, ast.Attribute):
            owner = value_of(node.value, known)
            if isinstance(owner, ModuleType) and owner.__name__.startswith(PACKAGE):
                yield ast.unparse(node), getattr(owner, node.attr, None)


def value_of(node, known):
    """The value of a name, or of a name in a module."""
    if isinstance(node, ast.Attribute):
        owner = value_of(node.value, known)
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
    return known.get(node.id) if isinstance(node, ast.Name) else None


def full_name(value):
    """Where a function or class of the package is written; None for anything else."""
    if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__.startswith(PACKAGE):
        return f"{value.__module__}.{value.__qualname__}"
    return None


def public():
    """Full names of the functions and classes that others may use."""
    for module in MODULES:
        for name, value in vars(importlib.import_module(module)).items():
            written_here = full_name(value) == f"{module}.{name}"
            if written_here and not name.startswith("_") and not CHECKERS.match(module):
                yield f"{module}.{name}"


def used():
    """Full names of what the book, the tools and the package itself use, or tell a reader to use."""
    for page in (ROOT / "book").rglob("*.md"):
        yield from map(full_name, dict(taken(code_of(page))).values())
    for folder in ("tools", "benchmarks", "hpc", "hub", "book/_ext"):
        for path in (ROOT / folder).rglob("*.py"):
            yield from map(full_name, dict(taken(path.read_text(encoding="utf-8"))).values())
    for module in MODULES:
        text, here = source(module), vars(importlib.import_module(module))
        found = dict(taken(text, here))
        yield from map(full_name, found.values())
        advised = {word for told in messages(ast.parse(text)) for word in re.findall(r"\w+", told)}
        yield from (full_name(value) for name, value in here.items() if name in advised)


def messages(tree):
    """The texts with which some code raises errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield from (part.value for part in ast.walk(node.exc)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str))


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_what_a_chapter_takes_from_the_package_is_there_public_and_described(chapter):
    code = code_of(chapter)
    assert [name for _, *name in imports(ast.parse(code)) if re.search(r"\._(?!_)", f".{'.'.join(name)}")] == []
    found = dict(taken(code))
    assert [name for name, value in found.items() if value is None] == []
    assert [name for name, value in found.items() if full_name(value) and not inspect.getdoc(value)] == []
    assert found


def test_whatever_is_public_is_used_by_more_than_its_tests():
    assert sorted(set(public()) - set(used()) - FOR_TESTS) == []


def test_a_name_that_is_missing_and_one_that_is_used_are_noticed():
    code = "from course_utils import metrics\nfrom course_utils.train import fit, nothing\nmetrics.iou\nnothing"
    found = dict(taken(code))
    assert found["nothing"] is None and full_name(found["metrics.iou"]) == "course_utils.metrics.counts.iou"
    assert "fit" not in found, "what is imported is not used yet"
    assert len(set(public())) > 400 and "course_utils.train.fit" in set(public())


def bodies(tree):
    """The functions of some code, each with its arguments and body alone: no name, no docstring, no annotations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[ast.get_docstring(node) is not None:]
            arguments = [argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
            if sum(1 for part in body for _ in ast.walk(part)) >= LEAST:
                yield node.name, (*arguments, *map(ast.dump, body))


def test_no_function_is_written_twice():
    places = defaultdict(list)
    for folder in (PACKAGE, "tools", "benchmarks", "hpc", "hub", "book/_ext"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name, body in bodies(ast.parse(path.read_text(encoding="utf-8"))):
                places[body].append(f"{path.relative_to(ROOT)}: {name}")
    assert [found for found in places.values() if len(found) > 1] == []
    assert len(places) > 500


def test_a_function_that_is_written_twice_is_noticed():
    one = "def f(a: int):\n    '''One.'''\n    b = [c + 1 for c in a if c > 2]\n    return sum(b) / len(b)"
    two = "def g(a):\n    b = [c + 1 for c in a if c > 2]\n    return sum(b) / len(b)"
    (first,), (second,) = (list(bodies(ast.parse(code))) for code in (one, two))
    assert first[1] == second[1]
