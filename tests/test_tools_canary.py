"""The canary's reasoning: which packages have moved, which of them a failing test is due to, what the report says."""

import re
import subprocess

import pytest

from tools import canary
from tools.canary import Moved, blame, moved, table

TORCH, NUMPY = Moved("torch", "2.13.0", "2.14.0", "2.14.0"), Moved("numpy", "2.4.6", "2.5.0", "2.5.0")
BOOK = Moved("jupyter-book", "1.0.4", "2.1.0", "1.0.4")
THEME = Moved("theme", "1.1", "1.3", "1.1")


def test_pins_are_read_with_comments_and_odd_names(tmp_path):
    (tmp_path / "r.txt").write_text("torch==2.13.0\nsphinx_design==0.8.0  # grids\nJupyter.Book==1.0.post1\n")
    assert canary.pins(tmp_path / "r.txt") == {"torch": "2.13.0", "sphinx-design": "0.8.0", "jupyter-book": "1.0.post1"}


def test_what_has_moved():
    pinned = {"torch": "2.13.0", "numpy": "2.4.6", "jupyter-book": "1.0.4", "tqdm": "4.70.1", "gone": "1.0"}
    installed = {"torch": "2.14.0", "numpy": "2.5.0", "jupyter-book": "1.0.4", "tqdm": "4.70.1", "unpinned": "3"}
    assert moved(pinned, installed, {"jupyter-book": "2.1.0"}) == [
        Moved("gone", "1.0", "", "not installed"), BOOK, NUMPY, TORCH]


def test_the_package_whose_pin_cures_is_to_blame():
    """`a` and `b` need the old numpy, `c` the old torch, `d` is broken by something else."""
    installed, ran = {"torch": "2.14.0", "numpy": "2.5.0"}, []

    def run(tests):
        ran.append(set(tests))
        broken = {"d"} | ({"a", "b"} if installed["numpy"] == "2.5.0" else set())
        return tests & (broken | ({"c"} if installed["torch"] == "2.14.0" else set()))

    guilty = blame({"a", "b", "c", "d"}, [NUMPY, TORCH], run, installed.__setitem__)
    assert guilty == {"numpy": {"a", "b"}, "torch": {"c"}, "": {"d"}}
    assert installed == {"torch": "2.14.0", "numpy": "2.5.0"}           # each put back alone, then as it was
    assert ran == [{"a", "b", "c", "d"}, {"c", "d"}]
    assert blame({"c"}, [TORCH, NUMPY], run, installed.__setitem__) == {"torch": {"c"}} and len(ran) == 3


def test_the_report():
    failed = {"t.py::b", "t.py::a"}
    assert table([BOOK, NUMPY, THEME, TORCH], {"numpy": failed}, failed).splitlines() == [
        "package       pinned  newest  tried   result",
        "jupyter-book  1.0.4   2.1.0   1.0.4   held: Jupyter Book 2 reads neither _config.yml nor _toc.yml",
        "numpy         2.4.6   2.5.0   2.5.0   breaks 2: t.py::a, t.py::b",
        "theme         1.1     1.3     1.1     held by another package",
        "torch         2.13.0  2.14.0  2.14.0  works",
        "",
        "failed: 2",
        "  t.py::a",
        "  t.py::b",
    ]
    odd = table([TORCH], {"": {"t.py::d"}}, {"t.py::d"})
    assert "not the only cause" in odd and odd.endswith("no single pin cures (do they pass with all?)\n  t.py::d")
    steady = table([TORCH], {}, set(), {"t.py::e"})
    assert steady.endswith("failed: 0\nfailed, then passed with the same versions\n  t.py::e")
    assert "works" in table([TORCH], {}, set())


@pytest.mark.parametrize(("printed", "code", "failing"), [
    ("FAILED tests/t.py::a[x y] - AssertionError\nERROR tests/u.py - Oops\n", 1, {"tests/t.py::a", "tests/u.py"}),
    ("3 passed\n", 0, set()),
    ("INTERNALERROR\n", 3, {"tests"}),                                  # nothing ran, so nothing is known to work
])
def test_failing_tests_are_read_from_pytest(monkeypatch, printed, code, failing):
    monkeypatch.setattr(canary, "python", lambda *args, **kwargs: subprocess.CompletedProcess(args, code, printed))
    assert canary.run({"tests"}, "2") == failing


def test_a_notebook_fails_as_a_whole(monkeypatch):
    def python(*arguments, **options):
        assert "--nbval-lax" in arguments and "a/01.ipynb" in arguments and "a/02.ipynb" not in arguments
        return subprocess.CompletedProcess(arguments, 1, "FAILED a/01.ipynb::Cell 3\nFAILED a/01.ipynb::Cell 9\n")

    monkeypatch.setattr(canary, "python", python)
    assert canary.run({"a/01.ipynb::Cell 3"}, "2") == {"a/01.ipynb"}


def test_what_is_held_back_is_required():
    assert set(canary.HELD) <= set(canary.pins(canary.ROOT / "requirements.txt"))


def test_unit_tests_are_those_of_make_unit():
    unit = re.search(r"^unit:.*\n\t(.*)$", (canary.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert re.findall(r"--ignore=tests/(\w+)", unit) == list(canary.NOT_UNIT)


def test_programs_that_tests_start_are_the_canarys(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("#!/bin/sh\necho $PATH $LAMP $1\n")
    (tmp_path / "bin" / "python").chmod(0o755)
    monkeypatch.setattr(canary, "FOLDER", tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert canary.python("-V", LAMP="on").stdout == f"{tmp_path}/bin:/usr/bin:/bin on -V\n"
