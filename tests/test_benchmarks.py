"""Benchmarks are run by hand; here only that `make bench` can run each, and that results are added to earlier ones."""

import importlib
import json
import pkgutil
from types import SimpleNamespace
from typing import Any

import pytest

import benchmarks
from benchmarks import __main__ as program
from benchmarks import _results

NAMES = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_called(name):
    module = importlib.import_module(f"benchmarks.{name}")
    assert callable(module.main) and module.main.__annotations__["return"] in (dict[str, float], dict[str, Any])
    assert module.__doc__


def test_results_are_printed_and_added_to_earlier_ones(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_results, "OUT", tmp_path / "new" / "bench.json")
    for name, value in (("dense", 1.5), ("tiled", 2.5)):
        module = SimpleNamespace(__doc__=f"Says {name}.", main=lambda name=name, value=value: {f"{name}_x": value})
        monkeypatch.setattr(program.importlib, "import_module", lambda path, module=module: module)
        program.main([name])
    stored = json.loads(_results.OUT.read_text())
    assert (stored["dense_x"], stored["tiled_x"]) == (1.5, 2.5) and "torch" in stored["machine"]
    assert "Says tiled." in capsys.readouterr().out


def test_an_unknown_benchmark_lists_the_known_ones():
    with pytest.raises(SystemExit, match="found benchmark moon, expected some of: accelerator, book, dense"):
        program.main(["moon"])


def test_the_loader_benchmark_compares_equal_deliveries(monkeypatch):
    """On one scene: both layouts, both kinds of image, and the packed layout ahead of the PNG files."""
    from benchmarks import loader

    for name, small in (("SCENES", 1), ("BATCH", 8), ("ROUNDS", 1), ("SECONDS", 0.05)):
        monkeypatch.setattr(loader, name, small)
    measured = loader.main()
    assert set(measured) == {"packed_per_second", "png_per_second", "loader_ratio", "packed_float_per_second",
                             "png_float_per_second", "loader_float_ratio"}
    assert measured["loader_ratio"] == measured["packed_per_second"] / measured["png_per_second"] > 1
