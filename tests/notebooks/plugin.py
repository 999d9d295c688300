"""The course's side of nbval: it runs the cells, this looks at what they produced.

nbval compares text exactly and only in cells that carry an execution count, which notebooks made from MyST do
not. So nbval runs in its lax mode, and after each cell the rules of ``compare.py`` are applied:

    python -m pytest -p tests.notebooks.plugin --nbval-lax --nbval-current-env _build/notebooks
    ... --edition learner _build/learner        verdicts must be ✗: the stubs are untouched
    ... --write-references                      store what was printed and show what changed

The first cell of a notebook also answers for the notebook as a whole (missing, unused and doubled names).
"""

from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, NbCellError

from tests.notebooks import compare
from tools.notebooks import tags

_TEXTS = pytest.StashKey[dict]()       # {notebook stem: {cell name: printed text}}
_STOPPED = pytest.StashKey[bool]()     # on a notebook: a cell raised, so the cells below it prove nothing
_FAILED = pytest.StashKey[set]()       # notebooks whose references are left alone


def pytest_addoption(parser):
    """Add the options of the course."""
    group = parser.getgroup("course")
    group.addoption("--edition", choices=("book", "learner"), default="book", help="which verdicts checks must give")
    group.addoption("--references", type=Path, default=compare.FOLDER, help="the folder with the references")
    group.addoption("--write-references", action="store_true", help="store what is printed instead of comparing")


def pytest_configure(config):
    """Prepare the collection of texts, which one process must see whole."""
    if config.getoption("write_references") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("found -n with --write-references, expected one process: leave out -n")
    config.stash[_TEXTS], config.stash[_FAILED] = {}, set()


def pytest_runtest_setup(item):
    """Leave out the cells below one that raised: they would fail for that reason alone."""
    if isinstance(item, IPyNbCell) and item.parent.stash.get(_STOPPED, False):
        pytest.skip("a cell above raised")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run a cell, then judge what it produced."""
    try:
        result = yield
    except NbCellError:
        item.parent.stash[_STOPPED] = True
        raise
    if isinstance(item, IPyNbCell):
        problems = _problems(item)
        if problems:
            item.raise_cell_error("\n".join(problems))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember the notebooks in which something failed."""
    report = yield
    if isinstance(item, IPyNbCell) and report.failed:
        item.config.stash[_FAILED].add(item.path.stem)
    return report


def _problems(item) -> list[str]:
    config, stem, notebook = item.config, item.path.stem, item.parent.nb
    learner = config.getoption("edition") == "learner"
    known = compare.load(stem, config.getoption("references"))
    if config.getoption("write_references"):
        text = compare.printed(item.test_outputs)
        known = {name: {**compare.DEFAULT, "text": text} for name in compare.names(notebook)}
        texts = config.stash[_TEXTS].setdefault(stem, {})
        if "compare" in tags(item.cell):
            texts[item.cell.metadata.get("name")] = text
    stub = _stub_before(item) if learner else None
    problems = compare.cell_problems(item.cell, item.test_outputs, known, stub)
    if item.cell_num == 0:
        problems += compare.notebook_problems(notebook, known, whole=not learner)
    return problems


def _stub_before(item) -> str:
    """Find the code of the last stub above a cell."""
    code = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"][:item.cell_num]
    return next((cell.source for cell in reversed(code) if "stub" in tags(cell)), "")


def pytest_terminal_summary(terminalreporter, config):
    """Store the references, if asked, and show each change."""
    if not config.getoption("write_references"):
        return
    for stem, texts in config.stash[_TEXTS].items():
        if stem in config.stash[_FAILED]:
            terminalreporter.write_line(f"{stem}: a cell failed, its references stay as they were")
            continue
        folder = config.getoption("references")
        old = compare.load(stem, folder)
        new = {name: {"text": "", **compare.DEFAULT, **old.get(name, {})} for name in texts}
        for name, text in texts.items():
            new[name]["text"] = text
        for line in compare.changes(old, new) or ["no change"]:
            terminalreporter.write_line(f"{stem}: {line}")
        compare.save(stem, new, folder)
