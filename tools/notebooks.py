"""Read chapters: MyST text into directives and notebooks. Run it to write the book's notebooks for testing.

``python -m tools.notebooks`` writes ``_build/notebooks/<part>/NN_topic.ipynb``, and what chapters read in its place:
the quizzes beside them, the records of benchmarks in ``_build/notebooks/_static/records``.
"""

import ast
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml

from course_utils.files import aside

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"

_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|:{3,}|~{3,})(?P<info>.*)$")
_NAME = re.compile(r"^\{(?P<name>[\w:-]+)\}\s*(?P<argument>.*)$")
_OPTION = re.compile(r"^:(?P<key>[\w-]+):(?P<value>.*)$")
_CALL = re.compile(r"\bcheck\.(?P<topic>\w+)\.(?P<name>\w+)\(")


@dataclass(frozen=True)
class Directive:
    """A fenced block at the top level of a page: lines ``start`` to ``stop`` (excluded), counted from 0."""

    name: str
    argument: str
    options: dict
    body: str
    start: int
    stop: int

    @property
    def classes(self) -> set[str]:
        """The words of the ``class`` option."""
        return set(str(self.options.get("class", "")).split())


def chapters(book: Path = BOOK) -> list[Path]:
    """List the chapters of a book: ``<part>/NN_topic.md``, in reading order."""
    return sorted(book.glob("*/[0-9][0-9]_*.md"), key=lambda path: path.name)


def topic(chapter: Path) -> str:
    """Name a chapter's topic: its file name without number and suffix (``tensors`` for ``01_tensors.md``)."""
    return chapter.stem.partition("_")[2]


def directives(text: str) -> Iterator[Directive]:
    """Find the directives at the top level of a page; those inside another fence are part of its body.

    Args:
        text: MyST Markdown.

    Yields:
        One ``Directive`` for each ``{name}`` fence. Fences without a name are skipped.

    Raises:
        ValueError: a fence is not closed; the message gives its line.
    """
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        opening = _FENCE.match(lines[i])
        if not opening:
            i += 1
            continue
        fence = opening["fence"]
        closing = re.compile(rf"^ {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}\s*$")
        stop = next((j for j in range(i + 1, len(lines)) if closing.match(lines[j])), None)
        if stop is None:
            raise ValueError(f"line {i + 1}: found {lines[i].strip()!r}, expected a closing {fence} below it")
        if named := _NAME.match(opening["info"].strip()):
            options, body = _options(lines[i + 1:stop])
            yield Directive(named["name"], named["argument"].strip(), options, "\n".join(body), i, stop + 1)
        i = stop + 1


def _options(lines: list[str]) -> tuple[dict, list[str]]:
    """Split the content of a directive into its options (either notation) and its body."""
    if lines and lines[0].strip() == "---":
        end = next((j for j in range(1, len(lines)) if lines[j].strip() == "---"), len(lines))
        return yaml.safe_load("\n".join(lines[1:end])) or {}, lines[end + 1:]
    options = {}
    for i, line in enumerate(lines):
        option = _OPTION.match(line.strip())
        if not option:
            return options, lines[i:]
        options[option["key"]] = yaml.safe_load(option["value"])
    return options, []


def to_notebook(text: str) -> nbformat.NotebookNode:
    """Convert MyST text to a notebook without outputs.

    Args:
        text: a chapter. A code cell's options become its metadata: ``tags``, ``name``, ``mystnb``.

    Returns:
        A valid notebook whose cell ids depend on nothing but the cells' content, and whose metadata names the
        kernel and nothing else.
    """
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata = nbformat.from_dict({"kernelspec": notebook.metadata["kernelspec"],
                                            "language_info": {"name": "python"}})
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = f"{digest}-{seen[digest]}"
    nbformat.validate(notebook)
    return notebook


def tags(cell) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def checks_called(cell) -> list[tuple[str, str]]:
    """List the checkers that a code cell calls, as (topic, exercise) in order."""
    return [(m["topic"], m["name"]) for m in _CALL.finditer(cell.source)] if cell.cell_type == "code" else []


def has_ellipsis(source: str) -> bool:
    """Tell whether code contains ``...`` as a value or a body, not as an index: then it is a stub to be filled in."""
    nodes = list(ast.walk(ast.parse(source)))
    indices = {id(part) for node in nodes if isinstance(node, ast.Subscript) for part in ast.walk(node.slice)}
    return any(isinstance(node, ast.Constant) and node.value is ... and id(node) not in indices for node in nodes)


def write(notebook, target: Path, chapter: Path) -> None:
    """Write a notebook, the quizzes of its chapter beside it, and the book's records where they are in the book."""
    with aside(target) as new:
        nbformat.write(notebook, new)
    for quiz in chapter.parent.glob(f"{chapter.stem}*.quiz.json"):
        shutil.copyfile(quiz, target.parent / quiz.name)
    for record in (chapter.parents[1] / "_static" / "records").glob("*.json"):
        with aside(target.parents[1] / "_static" / "records" / record.name) as new:
            shutil.copyfile(record, new)


def build(output: Path, book: Path = BOOK) -> list[Path]:
    """Convert every chapter of a book, replacing what the folder held.

    Args:
        output: the folder to write to.
        book: the folder with the parts of the book.

    Returns:
        The notebooks written.
    """
    shutil.rmtree(output, ignore_errors=True)
    written = []
    for chapter in chapters(book):
        target = output / chapter.parent.name / f"{chapter.stem}.ipynb"
        write(to_notebook(chapter.read_text(encoding="utf-8")), target, chapter)
        written.append(target)
    return written


if __name__ == "__main__":
    for path in build(ROOT / "_build" / "notebooks"):
        print(path.relative_to(ROOT))
