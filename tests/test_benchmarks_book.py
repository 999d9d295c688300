"""Measuring chapters: what a kernel and its children take, the record, and the table made of it."""

import json
import time
from functools import partial

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks import _results, book
from course_utils import budgets, recorded
from course_utils.preflight.chapters import Kept
from tests.exercises.miniature import write_book
from tools import execution, notebooks

CHILD = "import time; held = bytearray(120_000_000); time.sleep(2)"
PARENT = f"""import os, subprocess, sys, time
held = bytearray(80_000_000)
child = subprocess.run([sys.executable, "-c", {CHILD!r}])
until = time.process_time() + 0.5
while time.process_time() < until:
    pass
print(sum(os.times()[:4]))"""


def write(folder, *sources):
    path = folder / "01_some.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


def test_memory_of_children_counts_and_waiting_is_no_processor_time(tmp_path):
    empty = execution.execute(write(tmp_path, "1"))[1]
    notebook, usage = execution.execute(write(tmp_path, PARENT))
    spent = float(notebook.cells[0].outputs[0].text)                    # as the kernel itself counts, child included
    assert 150 < usage.peak_rss_mb - empty.peak_rss_mb < 280            # 80 and 120 MB at one time, and a Python
    assert 0.5 < spent < usage.cpu_seconds + 0.05 and usage.cpu_seconds < spent + 1
    assert usage.seconds > 2.5
    assert usage.seconds - usage.cpu_seconds > 1                        # the child slept for 2 s


def test_a_cell_that_raises_ends_the_measurement(tmp_path):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execution.execute(write(tmp_path, "1 / 0"))


@pytest.fixture
def small_book(tmp_path, monkeypatch):
    """Two tiny chapters in place of the book's, a second each, and nothing written outside the test's folder."""
    chapters = notebooks.chapters(write_book(tmp_path))
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "chapters", lambda: chapters)
    monkeypatch.setattr(notebooks, "build", lambda folder: chapters)
    monkeypatch.setattr(book, "KEPT", {})
    monkeypatch.setattr(book, "execute", lambda path: (None, execution.Usage(1.04, 2.0, len(path.stem))))
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    monkeypatch.setattr(_results, "OUT", tmp_path / "bench.json")
    return [chapter.relative_to(tmp_path).as_posix() for chapter in chapters]


def test_the_book_takes_what_its_chapters_take_together(small_book, capsys):
    found = book.main()
    assert list(found["notebooks"]) == small_book and found["book_seconds"] == 2.0
    assert found["notebooks"][small_book[0]] == {"seconds": 1.0, "cpu_seconds": 2.0, "peak_rss_mb": 13.0}
    assert "01_mini_topic" in capsys.readouterr().out


def test_what_chapters_simulate_is_there_before_they_are_measured(small_book, monkeypatch):
    done = []
    monkeypatch.setattr(book, "KEPT", {name: Kept(name, 1, bool, partial(done.append, name)) for name in "ab"})
    monkeypatch.setattr(book, "execute", lambda path: done.append("run") or (None, execution.Usage(1, 1, 1)))
    book.run(["next"])
    assert done == ["a", "b", "run"]


def test_some_chapters_say_nothing_of_the_whole_book(small_book):
    assert list(book.run(["next"])["notebooks"]) == small_book[1:] and "book_seconds" not in book.run(["next"])
    with pytest.raises(SystemExit, match=r"found no chapter with moon in its name, .* 01_mini_topic, 02_next"):
        book.run(["moon"])


def test_a_record_is_made_on_a_quiet_machine_only(small_book, monkeypatch, tmp_path):
    monkeypatch.setattr(book.os, "getloadavg", lambda: (3.0, 0.0, 0.0))
    with pytest.raises(SystemExit, match=r"found a load of 3\.0, expected a quiet machine"):
        book.record()
    kept = []
    monkeypatch.setattr(book.os, "getloadavg", lambda: (0.1, 3.0, 3.0))
    monkeypatch.setattr(recorded, "save_results", lambda *about: kept.append(about))
    book.record()
    (name, found, command, _), = kept
    assert name == "chapters" and command == book.COMMAND and found["machine"]["cores"] >= 1
    assert json.loads(_results.OUT.read_text())["book_seconds"] == found["book_seconds"] == 2.0


def test_the_record_holds_every_chapter_within_its_budget():
    """A chapter that was added, renamed or removed asks for a new record."""
    measured = budgets.measured()
    paths = [chapter.relative_to(notebooks.ROOT).as_posix() for chapter in notebooks.chapters()]
    assert list(measured.notebooks) == paths, f"run `{book.COMMAND}` on a quiet machine"
    times = 2 if measured.note else 1           # a note says why the times are too long
    over = [row for row in measured.rows() if row[1] > times * row[2] or row[3] > row[4]]
    assert not over and measured.book_seconds < times * budgets.BOOK_SECONDS, str(measured)


def test_the_table_shows_every_chapter_and_the_machine():
    took = {"book/a/03_descent.md": {"seconds": 12.4, "cpu_seconds": 20.0, "peak_rss_mb": 512.3}}
    machine = {"device": "cpu: Chip <1>", "cores": 2, "memory_gb": 8.0, "torch": "2"}
    table = budgets.Measured(took, 12.4, machine, "2026-01-02", "in the rain")
    assert table.of("03_descent") == took["book/a/03_descent.md"] and table.of("04_mlp") is None
    page = table._repr_html_()
    assert '<th scope="row">03_descent</th><td>12&nbsp;/&nbsp;60</td><td>512&nbsp;/&nbsp;1,000</td>' in page
    assert "Chip &lt;1&gt;, 2&nbsp;cores, 8.0&nbsp;GB, torch 2; in the rain</p>" in page
    assert "03_descent           12.4 s of  60     512 MB of 1000" in str(table)


def test_a_process_that_has_ended_has_no_children_and_no_memory():
    assert execution.descendants(2**22 + 1) == [] and execution.megabytes(2**22 + 1, "status", "VmHWM") == 0
    meter = execution.Meter(execution.os.getpid(), time.perf_counter())
    assert meter.stop().peak_rss_mb > 10
