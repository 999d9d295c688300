"""Make the notebooks that learners work in: the chapters without solutions, outputs and instructor notes.

``python -m tools.make_learner_notebooks`` writes ``_build/learner/<part>/NN_topic.ipynb``, quizzes and pictures
beside them. With ``--keep FOLDER`` it adds to another folder what is missing there and changes nothing else.
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from nbformat.v4 import new_markdown_cell

from tools.learner_text import Words
from tools.notebooks import BOOK, ROOT, chapters, directives, to_notebook, write

_PICTURE = re.compile(r"!\[[^\]]*\]\((?P<path>[^()\s]+)\)|^(?:`{3,}|:{3,})\{(?:figure|image)\}\s+(?P<arg>\S+)",
                      re.MULTILINE)
_SITE_ONLY = {"bibliography", "tableofcontents", "raw"}


def hidden_ranges(text: str) -> Iterator[tuple[int, int]]:
    """Find the lines of a page that a learner must not see.

    Args:
        text: a chapter in MyST Markdown.

    Yields:
        First line and line after the last, counted from 0: everything from ``{solution-start}`` to
        ``{solution-end}``, ``{solution}``, admonitions of class ``instructor``, and what works on the site only.

    Raises:
        ValueError: a start without an end, an end without a start, or a start inside another.
    """
    opened = None
    for block in directives(text):
        if block.name == "solution-start":
            if opened is not None:
                raise ValueError(f"line {block.start + 1}: found a second solution-start, expected a solution-end "
                                 f"for the one in line {opened + 1}")
            opened = block.start
        elif block.name == "solution-end":
            if opened is None:
                raise ValueError(f"line {block.start + 1}: found a solution-end, expected a solution-start above it")
            yield opened, block.stop
            opened = None
        elif opened is None and (block.name == "solution" or block.name in _SITE_ONLY
                                 or "instructor" in block.classes):
            yield block.start, block.stop
    if opened is not None:
        raise ValueError(f"line {opened + 1}: found a solution-start, expected a solution-end below it")


def without_hidden(text: str) -> str:
    """Remove the lines that a learner must not see; what stands on both sides becomes two paragraphs."""
    lines = text.splitlines()
    for start, stop in reversed(list(hidden_ranges(text))):
        lines[start:stop] = [""]
    return "\n".join(lines) + "\n"


def leaks(text: str, notebook) -> list[str]:
    """List lines of solutions that can be read in a notebook.

    Args:
        text: the chapter, with solutions.
        notebook: the learner's notebook.

    Returns:
        Lines of at least 12 characters that stand in the chapter only between ``solution-start`` and
        ``solution-end``, in instructor notes or in cells tagged ``solution``, and somewhere in the notebook.
    """
    lines = text.splitlines()
    ranges = list(hidden_ranges(text))
    ranges += [(block.start, block.stop) for block in directives(text)
               if "solution" in (block.options.get("tags") or []) and block.name == "code-cell"]
    inside = {i for start, stop in ranges for i in range(start, stop)}
    public = {line.strip() for i, line in enumerate(lines) if i not in inside}
    secret = {lines[i].strip() for i in inside} - public
    shown = json.dumps(notebook, ensure_ascii=False)
    return sorted(line for line in secret if len(line) >= 12 and json.dumps(line, ensure_ascii=False)[1:-1] in shown
                  and not line.startswith((":tags:", ":class:", "```")))


def learner_notebook(chapter: Path, words: Words):
    """Make a learner's notebook of a chapter.

    Args:
        chapter: a MyST notebook.
        words: what its references refer to.

    Returns:
        A valid notebook without outputs, solutions and instructor notes. Captions follow their figures; the works
        cited stand at the end.

    Raises:
        ValueError: a solution would be seen, or a reference cannot be said in words.
    """
    text = chapter.read_text(encoding="utf-8")
    notebook = to_notebook(without_hidden(text))
    notebook.cells = list(_with_captions(notebook.cells, words))
    place = {}
    for i, cell in enumerate(notebook.cells):
        names = re.findall(r"^\(([\w.:-]+)\)=|^:(?:label|name): *(\S+)", cell.source, re.MULTILINE)
        place |= {a or b: i for a, b in names}
        if figure := (cell.metadata.get("mystnb") or {}).get("figure"):
            place[figure.get("name")] = i
    works = words.works_cited("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = words.plain(cell.source, chapter, lambda name, i=i: place.get(name, -1) < i)
    if works:
        notebook.cells.append(new_markdown_cell(f"## Works cited\n\n{works}", id="works-cited"))
    if seen := leaks(text, notebook):
        raise ValueError(f"{chapter.name}: a learner could read {len(seen)} lines of solutions, the first "
                         f"{seen[0]!r}; put them between solution-start and solution-end")
    return notebook


def _with_captions(cells: list, words: Words) -> Iterator:
    """Put a figure's number and caption, which only the site shows by itself, below the cell that draws it."""
    for cell in cells:
        yield cell
        figure = (cell.metadata.get("mystnb") or {}).get("figure") or {}
        if caption := figure.get("caption"):
            number = f"**Figure {words.labels[figure['name']].number}.** " if "name" in figure else ""
            yield new_markdown_cell(f"> {number}{' '.join(caption.split())}", id=f"{cell.id}-caption")


def build(output: Path, book: Path = BOOK, keep: bool = False) -> list[Path]:
    """Write the learner's notebooks of a book.

    Args:
        output: the folder to write to.
        book: the folder with the parts of the book.
        keep: leave every file that is already there as it is, since a learner may have worked in it. Otherwise
            the folder is emptied first.

    Returns:
        The notebooks written.
    """
    if not keep:
        shutil.rmtree(output, ignore_errors=True)
    words = Words(book)
    written = []
    for chapter in chapters(book):
        target = output / chapter.parent.name / f"{chapter.stem}.ipynb"
        if target.exists():
            continue
        notebook = learner_notebook(chapter, words)
        write(notebook, target, chapter)
        for picture in pictures(notebook):
            if (chapter.parent / picture).is_file():
                copy = target.parent / picture
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(chapter.parent / picture, copy)
        written.append(target)
    return written


def pictures(notebook) -> list[str]:
    """List the paths of pictures in a notebook's text, without those on the web."""
    paths = [m["path"] or m["arg"] for cell in notebook.cells if cell.cell_type == "markdown"
             for m in _PICTURE.finditer(cell.source)]
    return [path for path in paths if "://" not in path]


def main() -> None:
    """Write the notebooks and say which."""
    parser = argparse.ArgumentParser(description="Make the notebooks that learners work in.")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="add what is missing to this folder instead")
    keep = parser.parse_args().keep
    try:
        written = build(keep or ROOT / "_build" / "learner", keep=keep is not None)
    except ValueError as error:
        sys.exit(f"no learner notebooks: {error}")
    for path in written:
        print(path)
    if keep and not written:
        print(f"{keep} already has every notebook; delete one to get it afresh.")


if __name__ == "__main__":
    main()
