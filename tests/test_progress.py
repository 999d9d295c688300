"""Progress of a class: off by default, silent when it cannot be written, whole lines, no names."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.__main__ import main
from course_utils.checks.core import exercise
from course_utils.progress import record
from course_utils.progress.classroom import ProgressError, read_class
from course_utils.progress.record import FILE, VARIABLE, note, parse


@exercise(hints=("Twice two.", "Not five."))
def four(answer):
    """The answer is four."""
    if answer != 4:
        from course_utils.checks.core import RejectedError
        raise RejectedError("another number", "four")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home; no setting of the instructor's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    record._tried.clear()
    return tmp_path


def line(exercise, minute=0, passed=False, hint=0, attempt=1):
    return json.dumps({"time": f"2026-05-04T09:{minute:02}:00+00:00", "exercise": exercise, "passed": passed,
                       "hint": hint, "attempt": attempt})


@pytest.fixture
def homes(tmp_path):
    """Three learners: Zoe began first, Ada passed everything, Bob has a file with bad lines; a fourth has none."""
    files = {
        "zoe": [line("tensors.a", 1, False), line("tensors.a", 2, False, hint=1), line("tensors.b", 3)],
        "ada": [line("tensors.a", 4, True), line("tensors.b", 5, False), line("tensors.b", 6, True),
                line("tensors.b", 7, True)],
        "bob": [line("tensors.b", 8), "", "{", line("tensors.a", 9, False), line("tensors.a", 9, False),
                line("tensors.a", 9, True)],
    }
    for name, lines in files.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text("\n".join(lines) + "\n")
    (tmp_path / "idle").mkdir()
    (tmp_path / "notes.txt").write_text("no home")
    return tmp_path


# --- the learner's side -----------------------------------------------------------------------------

@pytest.mark.parametrize("setting", [None, ""])
def test_nothing_is_written_by_default(home, monkeypatch, setting, capsys):
    if setting is not None:
        monkeypatch.setenv(VARIABLE, setting)
    four(4)
    four(5)
    assert list(home.iterdir()) == [] and capsys.readouterr().out.startswith("✓")


def test_a_line_for_each_check(home, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, FILE)
    four(5)
    four("a secret of the learner", hint=9)
    four(4, hint=True)                                      # who writes this means one
    written = (home / FILE).read_text()
    times, rest = zip(*re.findall(r'^{"time": "([^"]*)", (.*)}$', written, re.MULTILINE), strict=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", time) for time in times)
    assert rest == (                                        # nothing else: no answer, no name, nothing of the machine
        '"exercise": "test_progress.four", "passed": false, "hint": 0, "attempt": 1',
        '"exercise": "test_progress.four", "passed": false, "hint": 2, "attempt": 2',
        '"exercise": "test_progress.four", "passed": true, "hint": 1, "attempt": 3')
    assert (home / FILE).stat().st_mode & 0o777 == 0o600
    assert parse(written.splitlines()[1]).attempt == 2


def test_an_untouched_stub_is_no_try(home, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, FILE)
    four(...)
    four(None)
    assert not (home / FILE).exists() and "not filled in yet" in capsys.readouterr().out


def test_the_file_may_be_anywhere_the_instructor_says(home, monkeypatch):
    for named, path in (("~/a.jsonl", home / "a.jsonl"), ("deep/er.jsonl", home / "deep/er.jsonl"),
                        (str(home / "b"), home / "b")):
        monkeypatch.setenv(VARIABLE, named)
        note("tensors.a", True, 0)
        assert len(path.read_text().splitlines()) == 1


@pytest.mark.parametrize("named", ["/dev/full", "/proc/nothing/here", "file/below.jsonl", "null\0byte", "~nobody/x"])
def test_the_learner_notices_nothing_when_it_can_not_be_written(home, monkeypatch, capfd, named):
    (home / "file").touch()
    monkeypatch.setattr(os, "environ", {**os.environ, VARIABLE: named})         # a null is refused by the real one
    four(4)
    assert capfd.readouterr() == ("✓ test_progress.four\n  The answer is four.\n", "")


def test_a_home_that_is_not_known(home, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, FILE)

    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    four(4)
    assert capsys.readouterr().out.startswith("✓")


def test_kernels_that_write_at_once_keep_their_lines_apart(home):
    code = ("from course_utils.progress.record import note\nimport sys\nsys.stdin.readline()\n"
            "for _ in range(300): note('tensors.' + sys.argv[1] * 40, True, 0)")
    kernels = [subprocess.Popen([sys.executable, "-c", code, letter], stdin=subprocess.PIPE, text=True,
                                env={**os.environ, VARIABLE: FILE}) for letter in "abcd"]
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.close()
    assert [kernel.wait(60) for kernel in kernels] == [0] * 4
    lines = [parse(text) for text in (home / FILE).read_text().splitlines()]
    assert len(lines) == 1200
    for letter in "abcd":
        own = [one.attempt for one in lines if one.exercise == "tensors." + letter * 40]
        assert own == list(range(1, 301))


def test_every_exercise_of_the_course_has_a_name_that_can_be_read_back():
    from course_utils import checks
    from course_utils.checks.core import exercises

    names = [checker.name for topic in checks.chapters() for checker in exercises(getattr(checks, topic)).values()]
    assert len(names) > 50 and all(record.EXERCISE.fullmatch(name) for name in names)


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", "null", "{}", line("tensors.a")[:-4], line("no-topic"), line("tensors.a\\u001b[2J"),
    line("tensors.a", hint=-1), line("tensors.a", attempt=True), line("tensors.a", passed=1),
    line("tensors.a").replace("2026-05-04T09:00:00+00:00", "yesterday"), line("tensors.a").replace("+00:00", ""),
    line("tensors.a").replace('"2026-05-04T09:00:00+00:00"', "1e999"), line("tensors.a")[:-1] + ', "name": "Ada"}',
    line("tensors.a").replace('"hint": 0', f'"hint": {"9" * 200}'), "[" * 100_000, "\0\0\0",
])
def test_other_lines_are_refused(text):
    with pytest.raises(ValueError):
        parse(text)


# --- the instructor's side --------------------------------------------------------------------------

def test_what_a_class_has_done(homes):
    found = read_class(homes)
    assert found.exercises() == [
        {"exercise": "tensors.a", "tried": 3, "passed": 2, "attempts": 2, "hints": 1},
        {"exercise": "tensors.b", "tried": 3, "passed": 1, "attempts": 1, "hints": 0},
    ]
    assert [(one["exercise"], one["passed"]) for one in found.stuck()] == [("tensors.b", 1), ("tensors.a", 2)]
    assert found.rows() == [
        {"learner": "learner 1", "tried": 2, "passed": 0, "last": "tensors.b", "done": False},
        {"learner": "learner 2", "tried": 2, "passed": 2, "last": "tensors.b", "done": True},
        {"learner": "learner 3", "tried": 2, "passed": 1, "last": "tensors.a", "done": True},
    ]
    assert (found.spoiled, found.refused) == (1, 0)


def test_the_command_prints_no_names_unless_asked(homes, capsys):
    assert main(["progress", str(homes)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines() == [
        "learners: 3, checks: 11",
        "lines left out because they have another form: 1",
        "",
        "exercise   tried  passed  attempts  hints",
        "tensors.a      3       2         2      1",
        "tensors.b      3       1         1      0",
        "",
        "where the class is stuck",
        "  tensors.b: 2 of 3 have not passed it, median 1 checks",
        "  tensors.a: 1 of 3 have not passed it, median 2 checks",
        "",
        "learner    tried  passed  last",
        "learner 1      2       0  tensors.b (not passed)",
        "learner 2      2       2  tensors.b",
        "learner 3      2       1  tensors.a",
    ]
    assert main(["progress", str(homes), "--folders"]) == 0
    named = capsys.readouterr().out
    assert not any(name in printed for name in ("ada", "bob", "zoe"))
    assert [row.split()[0] for row in named.splitlines()[-3:]] == ["zoe", "ada", "bob"]


def test_the_command_as_json(homes, capsys):
    assert main(["progress", str(homes), "--json"]) == 0
    printed = capsys.readouterr().out
    report = json.loads(printed)
    assert set(report) == {"exercises", "stuck", "learners", "spoiled", "refused"}
    assert report["learners"][0]["learner"] == "learner 1" and "zoe" not in printed


def test_a_number_stays_a_learners_when_others_join(homes):
    before = [one.folder for one in read_class(homes).learners]
    (homes / "aaa").mkdir()
    (homes / "aaa" / FILE).write_text(line("tensors.a", 30) + "\n")
    assert [one.folder for one in read_class(homes).learners] == [*before, "aaa"]


def test_what_a_learner_put_in_the_files_place_is_not_followed(homes, tmp_path_factory):
    secret = tmp_path_factory.mktemp("root") / "secret"
    secret.write_text(line("tensors.secret") + "\n")
    for name, make in (("link", lambda path: path.symlink_to(secret)), ("pipe", os.mkfifo), ("folder", Path.mkdir)):
        (homes / name).mkdir()
        make(homes / name / FILE)
    found = read_class(homes)
    assert found.refused == 3 and len(found.learners) == 3
    assert "files that could not be opened: 3" in str(found)


def test_a_file_of_rubbish_is_counted(homes):
    (homes / "ada" / FILE).write_bytes(os.urandom(1000) + b"\n\xff\xfe\n" + line("tensors.a", 4, True).encode() + b"\n")
    found = read_class(homes)
    assert found.learners[1].folder == "ada" and len(found.learners[1].lines) == 1 and found.spoiled > 1


def test_the_file_may_have_another_name(homes, capsys):
    (homes / "zoe" / FILE).rename(homes / "zoe" / "other")
    assert main(["progress", str(homes), "--file", "other"]) == 0
    assert "learners: 1, checks: 3" in capsys.readouterr().out


@pytest.mark.parametrize(("folder", "words"), [("none", "found no folder"), ("notes.txt", "found no folder"),
                                               ("idle", f"{VARIABLE}={FILE} in the learners' environment")])
def test_a_folder_without_learners(homes, folder, words, capsys):
    assert main(["progress", str(homes / folder)]) == 1
    assert words in capsys.readouterr().err
    with pytest.raises(ProgressError):
        read_class(homes / folder)


def test_a_class_that_has_passed_everything(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / FILE).write_text(line("tensors.a", passed=True) + "\n")
    assert read_class(tmp_path).stuck() == [] and "stuck" not in str(read_class(tmp_path))
