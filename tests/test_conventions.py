"""What CONTRIBUTING.md asks of all code, the chapters' too: draws that can be repeated, cells that can be read."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tools.notebooks import ROOT, chapters, directives

DRAWS = {f"torch.{name}" for name in ("bernoulli", "multinomial", "normal", "poisson", "rand", "randint", "randn",
                                      "randperm", "rand_like", "randn_like", "randint_like")}
GENERATORS = {"np.random.default_rng", "np.random.Generator", "np.random.SeedSequence"}
SOURCES = [path for folder in ("course_utils", "tools", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
LONGEST_CELL = 25


def unrepeatable(source):
    """The calls that draw from a global generator, or from one without a seed."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        from_global = name in DRAWS and not any(keyword.arg == "generator" for keyword in call.keywords)
        legacy = name.startswith("np.random.") and name.count(".") == 2 and name not in GENERATORS
        unseeded = name.endswith("default_rng") and not call.args and not call.keywords
        if from_global or legacy or unseeded:
            yield f"line {call.lineno}: {ast.unparse(call)}"


def cells(chapter: Path):
    """The code cells of a chapter, each with whether it is a solution."""
    for block in directives(chapter.read_text(encoding="utf-8")):
        if block.name == "code-cell":
            yield block, "solution" in (block.options.get("tags") or [])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_draw_of_the_package_takes_a_generator(path):
    assert list(unrepeatable(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_every_draw_of_a_chapter_takes_a_generator(chapter):
    assert [found for block, _ in cells(chapter) for found in unrepeatable(block.body)] == []


@pytest.mark.parametrize(("source", "count"), [
    ("torch.rand(3)", 1), ("torch.rand(3, generator=g)", 0), ("torch.randperm(4)", 1), ("np.random.rand(3)", 1),
    ("np.random.default_rng()", 1), ("np.random.default_rng(0).random(3)", 0), ("rng.random(3)", 0),
])
def test_a_draw_without_a_generator_is_noticed(source, count):
    assert len(list(unrepeatable(source))) == count


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_no_code_cell_is_longer_than_can_be_read_at_once(chapter):
    lengths = {block.start + 1: len(block.body.strip().splitlines()) for block, solution in cells(chapter)
               if not solution}
    assert {line: length for line, length in lengths.items() if length > LONGEST_CELL} == {}


def test_no_two_figures_exercises_cells_or_equations_share_a_name():
    named = re.compile(r"^ *:?(?:name|label): *([\w-]+)|^\$\$ \(([\w-]+)\)|^\(([\w-]+)\)=", re.MULTILINE)
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "book").rglob("*.md")]
    names = Counter("".join(found) for page in pages for found in named.findall(page))
    ordinary = {"python3"}              # the kernel's name, in each chapter's front matter
    assert [name for name, times in names.items() if times > 1 and name not in ordinary] == []
    assert len(names) > 100
