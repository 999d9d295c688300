"""The course's side of nbval: it runs the cells, this looks at what they produced.

nbval compares text exactly and only in cells that carry an execution count, which notebooks made from MyST do
not. So nbval runs in its lax mode, and after each cell the rules of ``compare.py`` are applied:

    python -m pytest -p tests.notebooks.plugin --nbval-lax --nbval-current-env _build/notebooks
    ... --edition learner _build/learner        verdicts must be ✗: the stubs are untouched
    ... --write-references                      store what was printed and show what changed
    ... --ran FILE                              keep what each notebook took, and what its compared cells printed
    ... --same-as FILE                          demand the very numbers of such a file, made before on this machine

The first cell of a notebook also answers for the notebook as a whole (missing, unused and doubled names), the last for
what the notebook took of the machine (``ran.py``). The slowest notebooks run first, so that workers end together.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, NbCellError

from course_utils import budgets
from tests.notebooks import compare, ran
from tools.execution import Meter
from tools.notebooks import tags

_TEXTS = pytest.StashKey[dict]()       # {notebook stem: {cell name: printed text}}
_STOPPED = pytest.StashKey[bool]()     # on a notebook: a cell raised, so the cells below it prove nothing
_FAILED = pytest.StashKey[set]()       # notebooks whose references are left alone
_METER = pytest.StashKey[Meter]()      # on a notebook: watches its kernel
_BEFORE = pytest.StashKey[dict]()      # {notebook stem: {cell name: text printed in an earlier run}}


def pytest_addoption(parser):
    """Add the options of the course."""
    group = parser.getgroup("course")
    group.addoption("--edition", choices=("book", "learner"), default="book", help="which verdicts checks must give")
    group.addoption("--references", type=Path, default=compare.FOLDER, help="the folder with the references")
    group.addoption("--write-references", action="store_true", help="store what is printed instead of comparing")
    group.addoption("--ran", type=Path, help="a file for what the notebooks took and printed")
    group.addoption("--same-as", type=Path, help="such a file, of an earlier run on this machine")


def pytest_configure(config):
    """Prepare the collection of texts, which one process must see whole."""
    if config.getoption("write_references") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("found -n with --write-references, expected one process: leave out -n")
    config.stash[_TEXTS], config.stash[_FAILED] = {}, set()
    before = config.getoption("same_as")
    config.stash[_BEFORE] = json.loads(before.read_text(encoding="utf-8"))["printed"] if before else {}
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ran.Ran(config.getoption("ran")))
        scratch, patch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True), pytest.MonkeyPatch()
        patch.setenv("TMPDIR", scratch.name)        # nbval kills kernels, which then leave their files behind
        config.add_cleanup(scratch.cleanup)
        config.add_cleanup(patch.undo)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put the notebooks first that took longest when they were last recorded; what is not recorded is average."""
    took = {Path(path).stem: one["cpu_seconds"] for path, one in budgets.measured().notebooks.items()}
    usual = statistics.mean(took.values())
    items.sort(key=lambda item: -took.get(item.path.stem, usual))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Leave out the cells below one that raised, which would fail for that reason alone; watch each new kernel."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    if item.parent.stash.get(_STOPPED, False):
        pytest.skip("a cell above raised")
    started = time.perf_counter()
    result = yield
    if _METER not in item.parent.stash:
        item.parent.stash[_METER] = Meter(item.parent.kernel.km.provisioner.pid, started)
    return result


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
    text = compare.printed(item.test_outputs)
    if config.getoption("write_references"):
        known = {name: {**compare.DEFAULT, "text": text} for name in compare.names(notebook)}
        texts = config.stash[_TEXTS].setdefault(stem, {})
        if "compare" in tags(item.cell):
            texts[item.cell.metadata.get("name")] = text
    stub = _stub_before(item) if learner else None
    problems = compare.cell_problems(item.cell, item.test_outputs, known, stub)
    if item.cell_num == 0:
        problems += compare.notebook_problems(notebook, known, whole=not learner)
    if "compare" in tags(item.cell):
        name = item.cell.metadata.get("name", "")
        item.user_properties.append((ran.PRINTED, {stem: {name: text}}))
        problems += ran.repeats(name, text, config.stash[_BEFORE].get(stem, {}))
    if item.cell is _code_cells(item)[-1]:
        usage = item.parent.stash[_METER].stop()
        item.user_properties.append((ran.USED, {stem: usage.as_dict()}))
        problems += ran.over_budget(stem, usage)
    return problems


def _code_cells(item) -> list:
    """The code cells of a cell's notebook."""
    return [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]


def _stub_before(item) -> str:
    """Find the code of the last stub above a cell."""
    return next((cell.source for cell in reversed(_code_cells(item)[:item.cell_num]) if "stub" in tags(cell)), "")


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
