"""Planted notebooks run through nbval with the plugin: each failure is really noticed, and what is right passes."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils import budgets
from tests.exercises.miniature import CHAPTER, CHECKS, write_book
from tests.notebooks import ran
from tools import make_learner_notebooks, notebooks

pytest_plugins = ["pytester"]


@pytest.fixture
def nbval(pytester, monkeypatch):
    """Run nbval with the plugin, in this process (imports cost more than kernels); return status and text."""
    monkeypatch.setenv("TQDM_DISABLE", "1")

    def run(target, references, *options):
        result = pytester.runpytest_inprocess(
            "-p", "tests.notebooks.plugin", "-p", "no:xdist", "-p", "no:cacheprovider", "--nbval-lax",
            "--nbval-current-env", "--color=no", "-rA", f"--references={references}", *options, str(target))
        return result.ret, result.stdout.str() + result.stderr.str()

    return run


def cell(source, name=None, *tags):
    return new_code_cell(source, metadata={"tags": list(tags), **({"name": name} if name else {})})


PLANTED = [      # (cell, words of the failure; "" where it must pass)
    (cell("x = 1", None), ""),
    (cell("print('IoU 0.7504')", "inside", "compare"), ""),
    (cell("print('IoU 0.7516')", "outside", "compare"), "outside: found 0.7516, the reference has 0.75 (rtol 0.001"),
    (cell("print('recall 0.75')", "words", "compare"), "found 'recall #', the reference has 'IoU #'"),
    (cell("print('done')", "numberless", "compare"), "printed no number"),
    (cell("print('✗ topic.name')"), "a check does not pass"),
    (cell("print('as it should'); # check.topic.name(x)"), "which did not print ✓"),
    (cell("import warnings\nwarnings.warn('old')"), "UserWarning: old"),
    (cell("import sys\nprint('hm', file=sys.stderr)"), "stderr (a warning?): hm"),
    (cell("1 / 0", None, "raises-exception"), ""),
    (cell("1", None, "raises-exception"), "raised none"),
    (cell("import traceback\ntry:\n    1 / 0\nexcept Exception:\n    print(traceback.format_exc())"), "a traceback"),
    (cell("1 / 0"), "ZeroDivisionError"),
]


def test_what_a_notebook_put_into_temporary_folders_goes_with_the_run(nbval, tmp_path):
    where = tmp_path / "where.txt"
    keep = f"import tempfile\nkept = tempfile.mkdtemp()\nprint(kept, file=open({str(where)!r}, 'w'))"
    nbformat.write(new_notebook(cells=[cell(keep)]), tmp_path / "01_planted.ipynb")
    assert nbval(tmp_path / "01_planted.ipynb", tmp_path)[0] == 0
    assert not Path(where.read_text().strip()).exists()


def test_each_planted_failure_is_noticed(nbval, tmp_path):
    names = ("inside", "outside", "words", "numberless")
    entry = {"text": "IoU 0.75", "rtol": 1e-3, "atol": 0}
    (tmp_path / "01_planted.json").write_text(json.dumps(dict.fromkeys(names, entry)), encoding="utf-8")
    below = cell("print('never run')")
    nbformat.write(new_notebook(cells=[*(planted for planted, _ in PLANTED), below]), tmp_path / "01_planted.ipynb")
    status, said = nbval(tmp_path / "01_planted.ipynb", tmp_path)
    assert status == 1
    for number, (planted, words) in enumerate(PLANTED):
        outcome = "FAILED" if words else "PASSED"
        assert any(line.startswith(outcome) and line.split(" - ")[0].endswith(f"::Cell {number}")
                   for line in said.splitlines()), f"{planted.source!r} did not end as {outcome}:\n{said}"
        assert words in said
    assert "1 skipped" in said and "a cell above raised" in said


def test_the_first_cell_answers_for_the_whole_notebook(nbval, tmp_path):
    entry = {"text": "1", "rtol": 0, "atol": 0}
    (tmp_path / "01_whole.json").write_text(json.dumps({"a": entry, "gone": entry}), encoding="utf-8")
    marked = [cell("print(1)", name, "compare") for name in ("a", "a", "new", None)]
    nbformat.write(new_notebook(cells=[cell("0"), *marked]), tmp_path / "01_whole.ipynb")
    status, said = nbval(tmp_path / "01_whole.ipynb", tmp_path)
    assert status == 1 and "1 failed, 4 passed" in said
    for words in ("reference 'gone' has no cell", "cell 'new' has no reference", "the name 'a' is used 2 times",
                  "1 cells tagged compare have no name"):
        assert words in said


def test_a_chapter_from_its_text_to_both_editions(nbval, tmp_path):
    """References are written with tolerances kept, then both editions pass against them."""
    book, stored = write_book(tmp_path), tmp_path / "references"
    notebooks.build(tmp_path / "full", book)
    make_learner_notebooks.build(tmp_path / "learner", book)
    for edition in ("full", "learner"):
        (tmp_path / edition / "part" / "mini_checks.py").write_text(CHECKS, encoding="utf-8")
    stored.mkdir()
    before = {"ch01-share": {"text": "share 0.5000 of 100", "rtol": 0.01, "atol": 0.0}}
    (stored / "01_mini_topic.json").write_text(json.dumps(before), encoding="utf-8")

    status, said = nbval(tmp_path / "full", stored, "--write-references")
    assert status == 0, said
    assert "01_mini_topic: ch01-share: 0.5 -> 0.75 (+50.00%)" in said
    assert "01_mini_topic: ch01-count: new (rtol 1e-06, atol 1e-09" in said
    assert json.loads((stored / "01_mini_topic.json").read_text(encoding="utf-8")) == {
        "ch01-share": {"text": "share 0.7500 of 100", "rtol": 0.01, "atol": 0.0},
        "ch01-count": {"text": "12", "rtol": 1e-6, "atol": 1e-9}}

    status, said = nbval(tmp_path / "full", stored)
    assert status == 0, said
    status, said = nbval(tmp_path / "learner", stored, "--edition=learner")
    assert status == 0, said


def test_a_wrong_solution_fails_and_leaves_the_references(nbval, tmp_path):
    book = write_book(tmp_path, CHAPTER.replace("return x * 2 + 0", "return x * 3 + 0"))
    notebooks.build(tmp_path / "full", book)
    (tmp_path / "full" / "part" / "mini_checks.py").write_text(CHECKS, encoding="utf-8")
    status, said = nbval(tmp_path / "full", tmp_path / "references", "--write-references")
    assert status == 1 and "it calls check.mini_topic.double, which did not print ✓" in said
    assert "01_mini_topic: a cell failed, its references stay as they were" in said
    assert not (tmp_path / "references").exists()


def test_references_are_not_written_by_two_processes(nbval, pytester, tmp_path):
    status, said = nbval(tmp_path, tmp_path, "--write-references", "-p", "xdist", "-n", "2")
    assert status == 4 and "leave out -n" in said


def test_what_a_notebook_took_and_printed_is_kept_and_must_repeat(nbval, tmp_path):
    """Two runs of the same notebook agree; one that prints another number is noticed, though within its tolerance."""
    entry = {"text": "IoU 0.75", "rtol": 1, "atol": 0}
    (tmp_path / "01_some.json").write_text(json.dumps({"a": entry}), encoding="utf-8")
    path, kept = tmp_path / "01_some.ipynb", tmp_path / "ran.json"
    for planted, options, words in [
        ("print('IoU 0.74')", ("--ran", str(kept)), ""),
        ("print('IoU', 0.74)", ("--same-as", str(kept)), ""),
        ("print('IoU 0.76')", ("--same-as", str(kept)), "prints 'IoU 0.76', the first printed 'IoU 0.74'"),
    ]:
        nbformat.write(new_notebook(cells=[cell("x = bytearray(150_000_000)"), cell(planted, "a", "compare")]), path)
        status, said = nbval(path, tmp_path, *options)
        assert status == bool(words) and words in said, said
        assert "01_some " in said and " MB" in said
    found = json.loads(kept.read_text(encoding="utf-8"))
    assert found["printed"] == {"01_some": {"a": "IoU 0.74"}}
    took = found["notebooks"]["01_some"]
    assert 150 < took["peak_rss_mb"] < 400 and 0 < took["cpu_seconds"] == found["cpu_seconds"]


def test_a_notebook_and_a_book_far_over_budget_fail_by_name(nbval, tmp_path, monkeypatch):
    monkeypatch.setattr(ran, "MEMORY_MB", 10)
    monkeypatch.setattr(ran, "seconds_allowed", lambda stem: 0.01)
    nbformat.write(new_notebook(cells=[cell("sum(range(10**7))"), cell("2")]), tmp_path / "01_big.ipynb")
    status, said = nbval(tmp_path / "01_big.ipynb", tmp_path)
    assert status == 1 and "1 failed, 1 passed" in said
    assert "01_big: found" in said and "s on two cores, the budget is 0.01 s" in said
    assert "MB, the budget is 10 MB" in said
    monkeypatch.undo()
    monkeypatch.setattr(ran, "BOOK_SECONDS", 0.01)
    status, said = nbval(tmp_path / "01_big.ipynb", tmp_path)
    assert status == 1 and "2 passed" in said and "the book: found" in said


def test_processor_time_is_judged_as_what_a_reader_waits(monkeypatch):
    """10_unet used both cores when it was recorded; 14_jobs waited for others, which is not held against it."""
    took = {"10_unet": {"seconds": 60, "cpu_seconds": 90}, "14_jobs": {"seconds": 80, "cpu_seconds": 40}}
    monkeypatch.setattr(ran, "measured", lambda: SimpleNamespace(of=took.get))
    used = ran.Usage(seconds=999, cpu_seconds=150, peak_rss_mb=1)
    assert [ran.alone(stem, used) for stem in ("10_unet", "14_jobs", "18_new")] == pytest.approx([100, 150, 150])
    assert not list(ran.over_budget("10_unet", used)) and len(list(ran.over_budget("18_new", used))) == 1


def test_the_slowest_notebook_runs_first(nbval, tmp_path, monkeypatch):
    took = {f"book/a/{stem}.md": {"cpu_seconds": seconds} for stem, seconds in (("02_b", 5), ("03_c", 70))}
    monkeypatch.setattr(budgets, "measured", lambda: SimpleNamespace(notebooks=took))
    for stem in ("01_new", "02_b", "03_c"):
        nbformat.write(new_notebook(cells=[cell("1"), cell("2")]), tmp_path / f"{stem}.ipynb")
    _, said = nbval(tmp_path, tmp_path, "--collect-only")
    assert re.findall(r"<IPyNbFile (\w+)\.ipynb>", said) == ["03_c", "01_new", "02_b"], said
