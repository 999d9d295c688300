"""Turn what only the website can resolve into words: citations, cross-references, links to other pages.

JupyterLab with jupyterlab_myst shows a notebook's directives, maths and equation numbers, but knows neither the
other pages nor the bibliography.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

from tools.notebooks import chapters, directives

_ROLE = re.compile(r"\{(?P<role>[a-z][\w:-]*)\}`(?P<text>[^`]+)`")
_TITLED = re.compile(r"^(?P<title>.*?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)
_LINK = re.compile(r"(?<![!\\\w])\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<title>.+?)\s*$")
_TARGET = re.compile(r"^\((?P<label>[\w.:-]+)\)=\s*$")
_CITE = re.compile(r"\{cite(?::\w+)?\}`(?P<keys>[^`]+)`")
_KEPT = {"math", "eq", "abbr", "sub", "sup", "kbd"}       # roles that JupyterLab shows by itself


@dataclass(frozen=True)
class Label:
    """Something that can be referred to: its kind ("figure", "exercise", ...), title, page and number on the site."""

    kind: str
    title: str
    page: Path
    number: str = ""


def labels_of(page: Path) -> Iterator[tuple[str, Label]]:
    """List what a page defines: targets above headings, exercises, figures, tables, equations.

    A chapter's figures are numbered as on the site, those in solutions included: "1.2" is the second in chapter 01.
    """
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if target := _TARGET.match(line):
            following = next((x for x in lines[i + 1:] if x.strip() and not _TARGET.match(x)), "")
            heading = _HEADING.match(following)
            yield target["label"], Label("section", heading["title"] if heading else "", page)
    figures = 0
    for block in directives(text):
        options = block.options
        figure = (options.get("mystnb") or {}).get("figure") or {}
        if name := figure.get("name") or options.get("label") or options.get("name"):
            kinds = {"code-cell": "figure", "math": "equation", "exercise-start": "exercise", "list-table": "table"}
            kind = kinds.get(block.name, block.name)
            drawn = bool(figure) or block.name == "figure"
            figures += drawn
            number = f"{int(page.stem[:2])}.{figures}" if drawn and page.stem[:2].isdigit() else ""
            yield str(name), Label(kind, block.argument, page, number)


class Words:
    """What is needed to say a book's references in words.

    Args:
        book: the folder of the book, with ``references.bib`` in it.
    """

    def __init__(self, book: Path):
        self.book = book
        self.chapters = set(chapters(book))
        pages = sorted(book.rglob("*.md"))
        self.titles = {page: next((m["title"] for line in page.read_text(encoding="utf-8").splitlines()
                                   if (m := _HEADING.match(line))), page.stem) for page in pages}
        self.labels = {name: label for page in pages for name, label in labels_of(page)}
        bibliography = book / "references.bib"
        self.entries = dict(parse_file(str(bibliography)).entries) if bibliography.exists() else {}

    def plain(self, text: str, page: Path, above: Callable[[str], bool]) -> str:
        """Replace roles and links in the text of one Markdown cell.

        Args:
            text: Markdown outside code cells.
            page: the page that it stands on.
            above: tells whether a label of the same page stands above this text.

        Returns:
            Markdown without a reference that only the website can resolve.

        Raises:
            ValueError: a role, label, page or citation key is unknown; the message names it and the page.
        """
        try:
            text = _LINK.sub(lambda m: self._link(m["text"], m["target"], page, above), text)
            return _ROLE.sub(lambda m: self._role(m, page, above), text)
        except LookupError as error:
            raise ValueError(f"{page.name}: found {error.args[0]}, which cannot be said in words; "
                             "correct it, or teach tools/learner_text.py the role") from error

    def works_cited(self, text: str) -> str:
        """List what a text cites, in order of first mention, as Markdown; empty if nothing is cited."""
        keys = dict.fromkeys(key.strip() for match in _CITE.finditer(text) for key in match["keys"].split(","))
        return "\n".join(f"- {_whole(self.entries[key])}" for key in keys if key in self.entries)

    def _role(self, match: re.Match, page: Path, above: Callable[[str], bool]) -> str:
        """A role in words."""
        role, text = match["role"], match["text"]
        titled = _TITLED.match(text)
        title, target = (titled["title"], titled["target"]) if titled else ("", text)
        if role in _KEPT:
            return match[0]
        if role == "cite" or role.startswith("cite:"):
            return self._citation([key.strip() for key in text.split(",")], textual=role == "cite:t")
        if role in ("ref", "numref", "prf:ref"):
            numbered = role == "numref" and "%s" in title
            return title if title and not numbered else self._label(target, page, above)
        if role == "doc":
            return self._link(title, f"{target}.md", page, above)
        if role in ("term", "download"):
            return title or target
        raise LookupError(f"the role {match[0]}")

    def _label(self, name: str, page: Path, above: Callable[[str], bool]) -> str:
        """What a label stands for, and where it is to be found."""
        if name not in self.labels:
            raise LookupError(f"the label {name!r}")
        label = self.labels[name]
        words = f"“{label.title}”" if label.kind == "section" else f"the {label.kind}"
        if label.kind == "exercise":
            words = f"the exercise “{label.title}”"
        if label.number:
            words = f"Figure {label.number}"
        if label.page != page:
            return f"{words} in “{self.titles[label.page]}”"
        if label.number:
            return words
        return words if label.title and label.kind in ("section", "exercise") else (
            f"{words} {'above' if above(name) else 'below'}")

    def _citation(self, keys: list[str], textual: bool) -> str:
        """Authors and years, each a link."""
        missing = [key for key in keys if key not in self.entries]
        if missing:
            raise LookupError(f"the citation {missing[0]!r}")
        parts = [_linked(_author_year(self.entries[key], textual), self.entries[key]) for key in keys]
        return ", ".join(parts) if textual else f"({'; '.join(parts)})"

    def _link(self, text: str, target: str, page: Path, above: Callable[[str], bool]) -> str:
        """A link that leads somewhere from a notebook, too, or else its words."""
        if re.match(r"[a-z]+:", target):
            return f"[{text}]({target})"
        path, _, anchor = target.partition("#")
        if (anchor and not path) or path in self.labels:
            name = anchor or path
            return text or self._label(name, page, above)
        file = self.book / path.lstrip("/") if path.startswith("/") else (page.parent / path).resolve()
        if file in self.chapters:
            up = "" if file.parent == page.parent else f"../{file.parent.name}/"
            return f"[{text or self.titles[file]}]({up}{file.stem}.ipynb)"
        if file in self.titles:
            return text or f"“{self.titles[file]}”"
        if not file.exists():
            raise LookupError(f"the link target {target!r}")
        return f"[{text}]({target})"


def _names(entry: Entry, most: int) -> str:
    """Join the authors' family names; beyond ``most`` only the first is given. Without any, the organisation."""
    people = entry.persons.get("author") or entry.persons.get("editor")
    if not people:
        return entry.fields.get("organization", entry.fields["title"])
    names = [" ".join(map(str, person.rich_prelast_names + person.rich_last_names)) for person in people]
    if len(names) > most or names[-1] == "others":
        return f"{names[0]} et al."
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _author_year(entry: Entry, textual: bool) -> str:
    """A citation as it stands in the text: Name (year), or Name, year."""
    name = _names(entry, 2)
    year = entry.fields.get("year", "n.d.")
    return f"{name} ({year})" if textual else f"{name}, {year}"


def _whole(entry: Entry) -> str:
    """An entry of a list of works."""
    title = _linked(str(Text.from_latex(entry.fields["title"])), entry)
    source = next((entry.fields[kind] for kind in ("journal", "booktitle", "publisher", "institution", "howpublished")
                   if kind in entry.fields), "")
    numbers = ", ".join(entry.fields[kind] for kind in ("volume", "pages") if kind in entry.fields).replace("--", "–")
    parts = [f"{_names(entry, 6)} ({entry.fields.get('year', 'n.d.')}). {title}"]
    parts += [f"*{Text.from_latex(source)}*{f' {numbers}' if numbers else ''}"] if source else []
    return ". ".join(parts) + "."


def _linked(words: str, entry: Entry) -> str:
    """Words that lead to a work, if it has an address."""
    doi, url = entry.fields.get("doi"), entry.fields.get("url")
    address = f"https://doi.org/{doi}" if doi else url
    return f"[{words}]({address})" if address else words
