"""The examples in the docstrings of the data room do what they say."""

import doctest
import importlib

import pytest

MODULES = ["cached", "download", "folders", "packed", "pixels", "png_layout", "real", "registry", "samples", "splits"]


@pytest.mark.parametrize("name", [*(f"course_utils.data.{module}" for module in MODULES), "course_utils.runtime"])
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
