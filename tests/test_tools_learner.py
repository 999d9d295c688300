"""Learner's notebooks: nothing of a solution, nothing that only the site can show, nothing of a learner's lost."""

import json

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tests.exercises.miniature import CHAPTER, write_book
from tools import make_learner_notebooks as learner
from tools.learner_text import Words
from tools.notebooks import BOOK, chapters, directives, tags, to_notebook


@pytest.fixture
def book(tmp_path):
    return write_book(tmp_path)


@pytest.fixture
def notebook(book):
    return learner.learner_notebook(book / "part" / "01_mini_topic.md", Words(book))


def sources(notebook, kind):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == kind)


def test_solutions_and_instructor_notes_are_gone_and_stubs_and_checks_stay(notebook):
    text = "\n".join(cell.source for cell in notebook.cells)
    for secret in ("secret reasoning", "(4, 3)", "x * 2 + 0", "x + 1", "Only instructors", "solution", "bibliography"):
        assert secret not in text
    for kept in ("shape = ...", "def double(x):\n    ...", "return x - 1", "check.mini_topic.double(double)"):
        assert kept in text


def test_it_is_valid_without_outputs_and_deterministic(notebook, book):
    nbformat.validate(notebook)
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")
    again = learner.learner_notebook(book / "part" / "01_mini_topic.md", Words(book))
    assert nbformat.writes(again) == nbformat.writes(notebook)


def test_references_are_said_in_words(notebook):
    text = " ".join(sources(notebook, "markdown").split())
    assert "Read [Adams (2020)](https://doi.org/10.1000/one)" in text
    assert "([Adams, 2020](https://doi.org/10.1000/one); [Bröwn et al., 2021](https://example.org/two))" in text
    assert "see Figure 1.1, the exercise “Twice”, “A miniature chapter”," in text
    assert "[The next chapter](02_next.ipynb) and [the next chapter](02_next.ipynb)" in text
    assert "{math}`x^2`, $y$, {eq}`eq-mini`" in text


def test_the_works_cited_stand_at_the_end(notebook):
    assert notebook.cells[-1].source == (
        "## Works cited\n\n- Adams (2020). [One](https://doi.org/10.1000/one). *J*.\n"
        "- Bröwn, Clark and Dee (2021). [Two](https://example.org/two). *J* 7, 1–9.")


def test_a_caption_follows_the_cell_that_draws_its_figure(notebook):
    place = next(i for i, cell in enumerate(notebook.cells) if "mystnb" in cell.metadata)
    caption = "See [Adams (2020)](https://doi.org/10.1000/one): a caption."
    assert notebook.cells[place + 1].source == f"> **Figure 1.1.** {caption}"


def test_names_and_tags_stay_in_the_metadata(notebook):
    marked = [cell.metadata for cell in notebook.cells if "compare" in tags(cell)]
    assert [m["name"] for m in marked] == ["ch01-share", "ch01-count"]


@pytest.mark.parametrize(("old", "new", "words"), [
    ("{numref}`fig-mini`", "{numref}`fig-none`", "the label 'fig-none'"),
    ("{numref}`fig-mini`", "{cite}`nobody1999`", "the citation 'nobody1999'"),
    ("{numref}`fig-mini`", "{fancy}`x`", "the role {fancy}`x`"),
    ("{numref}`fig-mini`", "[x](03_none.md)", "the link target '03_none.md'"),
])
def test_what_can_not_be_said_is_an_error(tmp_path, old, new, words):
    book = write_book(tmp_path, CHAPTER.replace(old, new))
    with pytest.raises(ValueError, match=r"01_mini_topic\.md: found") as error:
        learner.build(tmp_path / "out", book)
    assert words in str(error.value)


@pytest.mark.parametrize(("text", "words"), [
    ("[a](https://example.org/x)", "[a](https://example.org/x)"),
    ("[](02_next.md)", "[The next chapter](02_next.ipynb)"),
    ("[down](#fig-mini) [](#fig-mini)", "down Figure 1.1"),
    ("{ref}`so <mini>` {numref}`Figure %s <fig-mini>` {doc}`so <02_next>`",
     "so Figure 1.1 [so](02_next.ipynb)"),
    ("{term}`pixel <pixels>` ![alt](../_static/mini.svg)", "pixel ![alt](../_static/mini.svg)"),
    ("`image[0](x)` and $f(x)[1]$", "`image[0](x)` and $f(x)[1]$"),
])
def test_roles_and_links(book, text, words):
    assert Words(book).plain(text, book / "part" / "01_mini_topic.md", lambda name: False) == words


def test_a_work_without_authors_goes_by_its_organisation_and_unknown_others_are_et_al(book):
    bibliography = book / "references.bib"
    bibliography.write_text("@misc{a, title = {T}, organization = {O}, year = 2000}\n"
                            "@misc{b, title = {T}, author = {Lee, L. and others}, year = 2001}", encoding="utf-8")
    assert Words(book).plain("{cite}`a,b`", book / "part" / "02_next.md", bool) == "(O, 2000; Lee et al., 2001)"


def test_figures_elsewhere_are_numbered_with_their_page(book):
    assert Words(book).plain("{numref}`fig-mini`", book / "part" / "02_next.md", lambda name: True) == (
        "Figure 1.1 in “A miniature chapter”")


def test_figures_are_numbered_as_on_the_site_those_in_solutions_too(tmp_path):
    drawn = "```{code-cell} ipython3\n---\nmystnb: {figure: {caption: C., name: NAME}}\n---\n1\n```\n"
    text = CHAPTER.replace("The secret reasoning", f"{drawn.replace('NAME', 'fig-hidden')}\nThe secret reasoning")
    book = write_book(tmp_path, text + "\n" + drawn.replace("NAME", "fig-last") + "\nSee {numref}`fig-last`.\n")
    shown = learner.learner_notebook(book / "part" / "01_mini_topic.md", Words(book))
    text = sources(shown, "markdown")
    assert "> **Figure 1.1.**" in text and "> **Figure 1.3.** C." in text and "See Figure 1.3." in text
    assert "Figure 1.2" not in text


# --- leaks ------------------------------------------------------------------------------------------


def test_a_solution_outside_its_gate_is_a_leak_and_refused(tmp_path):
    outside = "```{code-cell} ipython3\n:tags: [solution]\ngiven_away = 12345\n```\n\n"
    book = write_book(tmp_path, CHAPTER.replace("```{bibliography}", f"{outside}```{{bibliography}}"))
    with pytest.raises(ValueError, match="could read 1 lines of solutions, the first 'given_away = 12345'"):
        learner.build(tmp_path / "out", book)


@pytest.mark.parametrize("place", ["markdown", "code", "metadata"])
def test_a_planted_leak_is_found_wherever_it_is(notebook, place):
    line = "    return x * 2 + 0"
    if place == "metadata":
        notebook.cells[0].metadata["source"] = line
    else:
        next(cell for cell in notebook.cells if cell.cell_type == place).source += f"\n{line}"
    assert learner.leaks(CHAPTER, notebook) == [line.strip()]


def test_the_whole_book_leaks_every_solution_line():
    # The detector itself: on the notebook with solutions it must see each of them.
    found = learner.leaks(CHAPTER, to_notebook(CHAPTER))
    assert {"return x * 2 + 0", "shape = (4, 3)", "return x + 1"} < set(found)
    assert "Only instructors should read this line." in found
    assert "def double(x):" not in found          # the stub has this line too


@pytest.mark.parametrize(("text", "words"), [
    ("```{solution-start} a\n```\n", "line 1: found a solution-start, expected a solution-end below"),
    ("```{solution-end}\n```\n", "line 1: found a solution-end, expected a solution-start above"),
    ("```{solution-start} a\n```\n```{solution-start} b\n```\n```{solution-end}\n```\n", "line 3: found a second"),
])
def test_gates_that_do_not_match_are_errors(text, words):
    with pytest.raises(ValueError, match=words):
        learner.without_hidden(text)


# --- writing ----------------------------------------------------------------------------------------


def test_build_writes_notebooks_quizzes_and_pictures(book, tmp_path):
    learner.build(tmp_path / "out", book)
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert files == {"part/01_mini_topic.ipynb", "part/01_mini_topic.quiz.json", "part/02_next.ipynb",
                     "_static/mini.svg"}


def test_pictures_are_found_in_every_notation_and_not_on_the_web():
    text = "![a](x/a.png) ![w](https://example.org/w.png)\n\n```{figure} b.svg\n```\n\n:::{image} c.png\n:::"
    assert learner.pictures(new_notebook(cells=[new_markdown_cell(text)])) == ["x/a.png", "b.svg", "c.png"]


def test_keep_never_touches_a_notebook_that_is_there(book, tmp_path):
    target = tmp_path / "mine" / "part" / "01_mini_topic.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text("my work", encoding="utf-8")
    assert [path.name for path in learner.build(tmp_path / "mine", book, keep=True)] == ["02_next.ipynb"]
    assert target.read_text(encoding="utf-8") == "my work"
    learner.build(tmp_path / "mine", book)
    assert json.loads(target.read_text(encoding="utf-8"))["nbformat"] == 4


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_no_chapter_gives_its_solutions_away(chapter):
    text = chapter.read_text(encoding="utf-8")
    assert any(block.name == "solution-start" for block in directives(text))
    notebook = learner.learner_notebook(chapter, Words(BOOK))
    assert learner.leaks(text, notebook) == []
    assert not any("solution" in tags(cell) for cell in notebook.cells)
    for quiz in chapter.parent.glob(f"{chapter.stem}*.quiz.json"):
        assert json.loads(quiz.read_text(encoding="utf-8"))
