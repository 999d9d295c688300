"""Docstrings tell the truth: their examples run, and they name every argument."""

import ast
import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import course_utils

MODULES = [module.name for module in pkgutil.walk_packages(course_utils.__path__, "course_utils.")
           if not module.name.endswith("__main__")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    plt.close("all")
    assert failed == 0


def public_functions(tree):
    """Functions that others may call, each with the docstrings that may describe its arguments."""
    module = ast.get_docstring(tree) or ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not is_checker(node):
            yield node.name, node, [ast.get_docstring(node), module]
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for part in (part for part in node.body if isinstance(part, ast.FunctionDef)):
                if part.name == "__init__" or not part.name.startswith("_"):
                    yield f"{node.name}.{part.name}", part, [ast.get_docstring(part), ast.get_docstring(node), module]


def is_checker(function):
    """The docstring of a checker speaks to a learner, about an answer."""
    return any(isinstance(part, ast.Call) and ast.unparse(part.func) == "exercise" for part in function.decorator_list)


def undescribed(source):
    """Public functions with the arguments that no docstring describes, a line for each argument."""
    for called, function, texts in public_functions(ast.parse(source)):
        for argument in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]:
            line = re.compile(rf"^ +{argument.arg}: \S", re.MULTILINE)
            if argument.arg not in ("self", "cls") and not any(line.search(text or "") for text in texts):
                yield f"{called}({argument.arg})"


@pytest.mark.parametrize("name", MODULES)
def test_every_argument_of_a_public_function_is_described(name):
    path = Path(importlib.util.find_spec(name).origin)
    assert list(undescribed(path.read_text(encoding="utf-8"))) == []


def test_an_argument_that_is_not_described_is_noticed():
    source = '''
def f(a, b, *, c):
    """Do it.

    Args:
        a: one.
        c: three.
    """

class C:
    """A class.

    Args:
        x: shown.
    """

    def __init__(self, x, y):
        pass
'''
    assert list(undescribed(source)) == ["f(b)", "C.__init__(y)"]
