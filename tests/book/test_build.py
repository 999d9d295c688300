"""The build itself: complete, and strict about a failing cell and a broken reference."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from page_checks import parse

ROOT = Path(__file__).resolve().parents[2]
FRONT_MATTER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
FAILING_CELL = "# Page\n\n```{code-cell} ipython3\n1 / 0\n```\n"
WARNINGS = """# Page

See {numref}`no-such-figure`.

```{code-cell} ipython3
import warnings; warnings.warn("look")
```
"""


def pages_of(entry):
    """Every file that a table of contents names."""
    if isinstance(entry, list):
        return [page for part in entry for page in pages_of(part)]
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [page for key in ("parts", "chapters", "sections") for page in pages_of(entry.get(key, []))]


def test_every_page_of_the_contents_is_built(site):
    pages = pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
    assert [page for page in pages if not (site / f"{page}.html").is_file()] == [], "run `make site`"


def test_every_chapter_shows_its_facts(site):
    chapters = [*(site / "book").glob("*/[0-9][0-9]_*.html")]
    assert chapters, "no chapter is built"
    for chapter in chapters:
        page = chapter.read_text("utf-8")
        top = page[page.index("<h1"):page.index("<h2")]
        facts = parse(top).select_one("h1 + .chapter-facts")
        assert facts and "measured" in facts.get_text(), f"{chapter.name}: no measured run time under the title"


def test_index_leads_to_the_first_page(site):
    index = parse((site / "index.html").read_text("utf-8"))
    target = index.find("a")["href"]
    assert index.find("meta", {"http-equiv": "refresh"})["content"].endswith(f"url={target}")
    assert (site / target).is_file()


@pytest.mark.parametrize(("text", "complaints"), [
    (FAILING_CELL, ["ZeroDivisionError"]),
    (WARNINGS, ["no-such-figure", "stderr was found"]),
], ids=["a failing cell", "warnings"])  # fmt: skip
def test_build_refuses(text, complaints, tmp_path):
    """The real configuration, around one page with mistakes."""
    book = tmp_path / "book"
    shutil.copytree(ROOT / "book" / "_static", book / "_static")
    shutil.copytree(ROOT / "book" / "_ext", book / "_ext")
    for needed in ("tools", "hub"):                      # the extension imports from them
        shutil.copytree(ROOT / needed, tmp_path / needed)
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (book / "references.bib").touch()
    (tmp_path / ".pytest_cache").mkdir()
    (tmp_path / ".pytest_cache" / "README.md").write_text("# Not a page of the book\n")
    (book / "page.md").write_text(FRONT_MATTER + text, encoding="utf-8")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/page\n", encoding="utf-8")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ".", "--path-output", ".", "-W", "--keep-going", "-n"]    # as in the Makefile
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode != 0
    assert "pytest_cache" not in result.stdout + result.stderr
    assert [text for text in complaints if text not in result.stdout + result.stderr] == []
