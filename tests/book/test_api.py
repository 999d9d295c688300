"""The package's reference: nothing public is left out, and each chapter finds what it uses."""

import importlib
import re
from pathlib import Path

import course_api
import pytest
from page_checks import parse
from sphinx.ext.napoleon import Config, GoogleDocstring

from course_utils.history import History
from course_utils.tasks import Task
from course_utils.train import fit

ROOT = Path(__file__).parents[2]


def rooms_described():
    """The rooms that the pages of the reference name."""
    for page in sorted((ROOT / "book" / "appendix").glob("api_*.md")):
        yield from page.read_text(encoding="utf-8").partition(".. api::")[2].partition("```")[0].split()


def test_every_room_is_described_once():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (arrow,) = re.findall(r"^```\n(.* → [^`]*)```$", text, re.MULTILINE)
    assert sorted(rooms_described()) == sorted(set(re.findall(r"\w+", arrow)) - {"__main__"})


def test_a_module_lists_what_it_defines_in_the_order_of_the_file():
    names = course_api.defined_in(importlib.import_module("course_utils.train"))
    assert names == ["FitConfig", "TrainingDivergedError", "fit", "train_epoch", "evaluate", "to_device"]


def test_the_chapters_checks_are_left_out_and_what_they_are_made_of_is_not():
    modules = list(course_api.modules_of("course_utils.checks"))
    assert "course_utils.checks.core" in modules and "course_utils.checks.tensors" not in modules
    assert "course_utils.data.patches" in course_api.modules_of("course_utils.data")


def test_what_a_package_only_passes_on_is_described_where_it_is_defined():
    assert course_api.defined_in(importlib.import_module("course_utils.metrics")) == []
    assert "Counts" in course_api.defined_in(importlib.import_module("course_utils.metrics.counts"))


def test_words_before_a_colon_of_a_result_are_no_type():
    lines = ["Give it.", "", "Returns:", "    (H, W): a mask, or", "    nothing: see below."]
    course_api.keep_result_whole(None, "function", "", None, {}, lines)
    assert GoogleDocstring(lines, Config()).lines()[2:] == [
        ":returns: (H, W): a mask, or", "          nothing: see below.", ""]


def test_words_before_a_colon_of_a_property_are_no_type():
    lines = ["The truth, (H, W) bool: true = cloud."]
    course_api.keep_result_whole(None, "property", "", None, {}, lines)
    parsed = GoogleDocstring(lines, Config(), what="property", name="mask").lines()
    assert parsed == ["The truth, (H, W) bool: true = cloud."]


def test_types_of_attributes_are_short():
    lines = [":ivar rows: a.b.C of each.", ":vartype rows: dict[str, pathlib.Path | a.b.C] | tuple[int, ...]"]
    course_api.shorten_types(None, "class", "", None, {}, lines)
    assert lines == [
        ":ivar rows: a.b.C of each.", ":vartype rows: dict[str, ~pathlib.Path | ~a.b.C] | tuple[int, ...]"]


def test_arguments_that_functions_share_are_a_list():
    lines = ["Draw.", "", ":param rng: source", "            of it.", ":returns: A picture.", "", "    code"]
    course_api.list_shared(None, "module", "", None, {}, lines)
    assert lines == ["Draw.", "", "- **rng** – source of it.", "- **returns** – A picture.", "", "    code"]


def test_autodoc_is_told_of_exceptions_classes_with_their_methods_and_functions():
    lines = course_api.entry(importlib.import_module("course_utils.train"))
    assert ".. autoexception:: course_utils.train.TrainingDivergedError" in lines
    assert ".. autofunction:: course_utils.train.fit" in lines
    lines = course_api.entry(importlib.import_module("course_utils.history"))
    history = lines.index(".. autoclass:: course_utils.history.History")
    assert lines[history + 1] == "   :members: best, plot"


@pytest.mark.parametrize(("code", "names"), [
    ("from course_utils.train import fit\nfit(1)", ["course_utils.train.fit"]),
    ("from course_utils.train import fit", []),
    ("from course_utils import plots as p\np.show_mask(m); p.COLOURS", ["course_utils.plots.show_mask"]),
    ("from course_utils.metrics import iou\niou(a)\niou(b)", ["course_utils.metrics.counts.iou"]),
    ("import numpy as np\nnp.zeros(3)", []),
])  # fmt: skip
def test_names_that_code_takes_from_the_package(code, names):
    assert course_api.names_used(code) == names


@pytest.mark.parametrize(("obj", "signature", "shown"), [
    (History, "(a: list = <factory>, b: list = <factory>)", "(a: list = list(), b: list = list())"),
    (fit, "(a: ~typing.Any = <class 'course_utils.history.History'>)", "(a: ~typing.Any = History)"),
    (fit, "(a: ~pathlib.Path = PosixPath('x'))", "(a: ~pathlib.Path = Path('x'))"),
    (Task, "(*args, **kwargs)", ""),
    (fit, "(a: int = 3)", "(a: int = 3)"),
    (fit, None, None),
])  # fmt: skip
def test_defaults_in_a_signature_are_python(obj, signature, shown):
    assert course_api.readable(None, "class", "x", obj, {}, signature, None) == (shown, None)


def test_magics_are_no_python():
    assert not course_api.is_python("%time fit()")
    assert course_api.is_python("fit()")


def test_a_chapter_links_to_what_it_uses(site):
    page = parse((site / "book" / "foundations" / "06_training.html").read_text(encoding="utf-8"))
    (line,) = page.select(".from-the-package")
    targets = [link["href"] for link in line.select("a")]
    assert "../appendix/api_models.html#course_utils.train.fit" in targets


def test_a_default_is_shown_as_written(site):
    text = parse((site / "book" / "appendix" / "api_models.html").read_text(encoding="utf-8")).get_text()
    assert "folder: Path = FOLDER" in text
    assert str(ROOT) not in text and "~course_utils" not in text
