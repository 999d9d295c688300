"""Reading chapters: directives, notebooks, stubs."""

import nbformat
import pytest

from tests.exercises.miniature import CHAPTER, write_book
from tools import notebooks


def test_directives_give_name_argument_options_body_and_lines():
    text = "a\n```{note} Title\n:class: one two\n:name: x\n\nBody\n```\nb\n"
    (block,) = notebooks.directives(text)
    assert (block.name, block.argument, block.body) == ("note", "Title", "\nBody")
    assert block.options == {"class": "one two", "name": "x"} and block.classes == {"one", "two"}
    assert (block.start, block.stop) == (1, 7)


def test_options_in_a_block_of_yaml():
    (block,) = notebooks.directives("```{code-cell}\n---\ntags: [a, b]\nmystnb: {figure: {name: f}}\n---\n1\n```\n")
    assert block.options == {"tags": ["a", "b"], "mystnb": {"figure": {"name": "f"}}} and block.body == "1"


@pytest.mark.parametrize("text", [
    "````\n```{exercise} shown, not meant\n```\n````\n",                     # inside a longer fence
    "````{note}\n```{exercise} nested\n```\n````\n",
    "~~~\n```{exercise} other fence\n```\n~~~\n",
    "    ```{exercise} indented code\n    ```\n",
])
def test_only_the_top_level_counts(text):
    assert "exercise" not in [block.name for block in notebooks.directives(text)]


def test_colon_fences_are_directives_too():
    assert [block.name for block in notebooks.directives(":::{tip}\n```python\n1\n```\n:::\n")] == ["tip"]


def test_an_open_fence_is_an_error_with_its_line():
    with pytest.raises(ValueError, match=r"line 3: found '```\{note\}', expected a closing ```"):
        list(notebooks.directives("a\n\n```{note}\nb\n"))


def test_a_chapter_becomes_a_valid_clean_notebook():
    notebook = notebooks.to_notebook(CHAPTER)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    compared, _ = [cell for cell in notebook.cells if "compare" in notebooks.tags(cell)]
    assert compared.metadata["name"] == "ch01-share"
    (figure,) = [cell for cell in notebook.cells if "mystnb" in cell.metadata]
    assert figure.metadata["mystnb"]["figure"]["name"] == "fig-mini"
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


def test_cell_ids_depend_on_content_only():
    first, again = notebooks.to_notebook(CHAPTER), notebooks.to_notebook(CHAPTER)
    assert nbformat.writes(first) == nbformat.writes(again)
    ids = [cell.id for cell in first.cells]
    assert len(set(ids)) == len(ids)
    longer = notebooks.to_notebook(CHAPTER.replace("(mini)=", "```{code-cell} ipython3\n0\n```\n\n(mini)="))
    assert set(ids) <= {cell.id for cell in longer.cells}


@pytest.mark.parametrize(("source", "expected"), [
    ("answer = ...", True), ("def f(x):\n    ...", True), ("x[..., 0] = (...,)", True),
    ("print('...')", False), ("y = x[..., 0]", False), ("1", False),
])
def test_has_ellipsis(source, expected):
    assert notebooks.has_ellipsis(source) is expected


def test_check_calls_are_found_in_code_only():
    notebook = notebooks.to_notebook(CHAPTER)
    calls = [call for cell in notebook.cells for call in notebooks.checks_called(cell)]
    assert calls == [("mini_topic", "shape"), ("mini_topic", "double"), ("mini_topic", "try_it")]


def test_build_writes_every_chapter_with_its_quiz_and_nothing_old(tmp_path):
    book, output = write_book(tmp_path), tmp_path / "out"
    (output / "old").mkdir(parents=True)
    written = notebooks.build(output, book)
    assert [path.name for path in written] == ["01_mini_topic.ipynb", "02_next.ipynb"]
    assert (output / "part" / "01_mini_topic.quiz.json").exists() and not (output / "old").exists()


def test_records_lie_where_the_chapter_looks_for_them(tmp_path):
    book, output = write_book(tmp_path), tmp_path / "out"
    records = book / "_static" / "records"
    records.mkdir(parents=True)
    (records / "speed-cpu-2026-01-01.json").write_text("{}", encoding="utf-8")
    (chapter, *_) = notebooks.build(output, book)
    found = list((chapter.parent / "../_static/records").glob("*"))
    assert [path.name for path in found] == ["speed-cpu-2026-01-01.json"] and found[0].read_text() == "{}"


def test_chapters_and_topics(tmp_path):
    book = write_book(tmp_path)
    (book / "part" / "notes.md").write_text("no chapter", encoding="utf-8")
    assert [notebooks.topic(path) for path in notebooks.chapters(book)] == ["mini_topic", "next"]
