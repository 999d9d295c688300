"""The table of chapters is the book's, and what is simulated and kept is found and made."""

import ast
import re

import pytest

from course_utils.__main__ import main
from course_utils.challenge import images
from course_utils.challenge.images import FOLDER_VARIABLE
from course_utils.data import cached
from course_utils.data.registry import DATASETS
from course_utils.preflight import chapters
from course_utils.preflight.chapters import CHAPTERS, KEPT, Kept
from tools import notebooks


def used(chapter):
    """What the code of a chapter asks for: what is kept, what is fetched, whether it compiles."""
    kept, fetched, compiles = set(), set(), False
    for block in notebooks.directives(chapter.read_text(encoding="utf-8")):
        if block.name != "code-cell":
            continue
        for node in ast.walk(ast.parse(block.body)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name == "load_patches":
                kept.add({None: "patches", str(chapters.MORE_SCENES): "more patches"}[given.get("scenes")])
            elif name in ("load_frames", "load_series"):
                kept.add("sky frames")
                assert name == "load_frames" or ast.unparse(node) == f"load_series({chapters.NIGHT})"
            elif name == "test_images":
                kept.add("challenge images")
            elif name in ("available", "labelled_scenes"):
                fetched |= {ast.literal_eval(node.args[0])}
            elif name == "mnist_available":
                fetched.add("mnist")
            compiles |= name == "missing"
    return kept, fetched, compiles


@pytest.mark.parametrize("chapter", notebooks.chapters(), ids=lambda path: path.stem)
def test_every_chapter_is_in_the_table_with_what_its_code_asks_for(chapter):
    (entry,) = [entry for entry in CHAPTERS if entry.name == chapter.stem]
    title = re.search(r"^# (.*)$", chapter.read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert (entry.title, (set(entry.kept), set(entry.fetched), entry.compiles)) == (title, used(chapter))


def test_the_table_has_no_other_chapters_and_each_was_measured():
    assert [chapter.name for chapter in CHAPTERS] == [path.stem for path in notebooks.chapters()]
    for chapter in CHAPTERS:
        assert 0 < chapter.seconds < 300 and 100 < chapter.peak_mb < 2000


def test_what_is_fetched_or_kept_is_known():
    assert {name for chapter in CHAPTERS for name in chapter.fetched} <= set(DATASETS)
    assert {name for chapter in CHAPTERS for name in chapter.kept} == set(KEPT)


# --- what is simulated and kept ---------------------------------------------------------------------

def test_patches_are_here_when_they_are_whole(cache, tmp_path, monkeypatch):
    cached._opened.clear()
    assert not chapters._patches_are_here(1)
    monkeypatch.setattr(chapters, "WORKERS", 1)
    chapters._make_patches(1)
    assert chapters._patches_are_here(1)
    with (cached.cached_folder(scenes=1) / "image.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x77")
    assert not chapters._patches_are_here(1)
    cached._opened.clear()


def test_images_of_the_challenge_are_here_when_they_can_be_opened(cache, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    is_here = KEPT["challenge images"].is_here
    assert not is_here()
    opened = []
    monkeypatch.setattr(images, "open_images", lambda folder: opened.append(folder) or folder)
    assert is_here() and opened[0].parent == cache / "challenge"
    monkeypatch.setenv(FOLDER_VARIABLE, "a/round")
    assert is_here() and str(opened[1]) == "a/round"


def test_simulate_all_makes_everything(monkeypatch, capsys):
    made = []
    for name, kept in KEPT.items():
        monkeypatch.setitem(KEPT, name, Kept(kept.name, kept.mb, kept.is_here, lambda name=name: made.append(name)))
    assert main(["simulate", "--all"]) == 0
    assert made == list(KEPT) and capsys.readouterr().out.count("✓ ") == len(KEPT)


def test_all_frames_are_made(monkeypatch):
    asked = []
    monkeypatch.setattr(chapters, "load_frames", lambda part, time, progress: asked.append((part, time)))
    monkeypatch.setattr(chapters, "load_series", lambda number, progress: asked.append(number))
    chapters._make_frames()
    assert len(asked) == 7 and asked[-1] == chapters.NIGHT
