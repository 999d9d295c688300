"""Leaderboards: sorted, whole, nothing lost when several add at once, nothing spoilt by what is refused."""

import json
import subprocess
import sys

import numpy as np
import pytest

from course_utils import leaderboard
from course_utils.leaderboard import DuplicateError, LeaderboardError, add, read

ADD = """
import sys
from course_utils.leaderboard import add
for number in range(5):
    add(sys.argv[1], {"name": f"{sys.argv[2]}-{number}", "score": number / 5})
"""
KILLED = """
import os, pathlib, sys
from course_utils.leaderboard import add
write = pathlib.Path.write_text
def half(path, text, **options):
    write(path, text[: len(text) // 2], **options)
    os.kill(os.getpid(), 9)
pathlib.Path.write_text = half
add(sys.argv[1], {"name": "late", "score": 1.0})
"""


def names(board):
    return [entry["name"] for entry in board]


def run(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.PIPE)


def test_the_best_stands_first_and_of_equals_the_earlier(tmp_path):
    path = tmp_path / "deep" / "board.json"
    for name, score in (("b", 0.5), ("a", 0.5), ("best", 1), ("worst", -0.25)):
        board = add(path, {"name": name, "score": score})
    assert names(board) == ["best", "b", "a", "worst"]
    assert read(path) == board == json.loads(path.read_text())
    assert names(add(path, {"name": "c", "score": 0.5})) == ["best", "b", "a", "c", "worst"]


def test_another_key_may_sort(tmp_path):
    path = tmp_path / "board.json"
    add(path, {"name": "slow", "speed": 1}, key="speed")
    assert names(add(path, {"name": "fast", "speed": 2, "ok": True}, key="speed")) == ["fast", "slow"]
    with pytest.raises(LeaderboardError, match="found score None of 'fast', expected the number"):
        add(path, {"name": "other", "score": 3})


@pytest.mark.parametrize(("entry", "words"), [
    ({"score": 1.0}, "found name None, expected a few words"),
    ({"name": "  ", "score": 1.0}, "expected a few words"),
    ({"name": "a"}, "found score None of 'a', expected the number"),
    ({"name": "a", "score": True}, "expected the number"),
    ({"name": "a", "score": "1.0"}, "expected the number"),
    ({"name": "a", "score": float("nan")}, "expected a finite number"),
    ({"name": "a", "score": np.float32(1)}, r"float\(\.\.\.\)"),
    ({"name": "a", "score": 1.0, "extra": [1]}, "found extra .* of type list"),
    ({"name": "a\nb", "score": 1.0}, "one line"),
    ({"name": "a" * 201, "score": 1.0}, "at most 200 characters"),
    ({1: 2}, "expected an entry"),
    (["a"], "expected an entry"),
])
def test_what_is_no_entry_is_refused_and_nothing_is_written(tmp_path, entry, words):
    with pytest.raises(LeaderboardError, match=words):
        add(tmp_path / "board.json", entry)
    assert not (tmp_path / "board.json").exists()


def test_the_same_digest_is_taken_once(tmp_path):
    path = tmp_path / "board.json"
    add(path, {"name": "first", "score": 0.5, "digest": "abc"})
    before = path.read_bytes()
    with pytest.raises(DuplicateError, match=r"found what 'first' .* handed in, score 0\.5; expected something new"):
        add(path, {"name": "second", "score": 0.6, "digest": "abc"})
    assert path.read_bytes() == before
    add(path, {"name": "second", "score": 0.6, "digest": "abd"})
    assert names(add(path, {"name": "third", "score": 0.7})) == ["third", "second", "first"]


@pytest.mark.parametrize("text", ["", "{", "{}", '[{"name": "a", "score": NaN}]', '[{"score": 1}]', "[1]",
                                  "[" * 100_000, '[{"name": "a", "score": {}}]', "\udcff"])
def test_a_file_that_is_no_board_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "board.json"
    path.write_text(text, errors="surrogateescape")
    before = path.read_bytes()
    for use in (read, lambda path: add(path, {"name": "a", "score": 1.0})):
        with pytest.raises(LeaderboardError, match=r"board\.json that is no leaderboard .*; mend board\.json by"):
            use(path)
    assert path.read_bytes() == before


def test_eight_processes_at_once_lose_nothing(tmp_path):
    path = tmp_path / "board.json"
    workers = [run(ADD, path, place) for place in range(8)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 8
    board = read(path)
    assert sorted(names(board)) == sorted(f"{place}-{number}" for place in range(8) for number in range(5))
    scores = [entry["score"] for entry in board]
    assert scores == sorted(scores, reverse=True)


def test_killed_while_writing_the_old_board_stays_and_the_next_can_add(tmp_path):
    path = tmp_path / "board.json"
    add(path, {"name": "early", "score": 0.5})
    before = path.read_bytes()
    assert run(KILLED, path).wait(timeout=60) == -9
    assert path.read_bytes() == before
    assert names(add(path, {"name": "next", "score": 0.1})) == ["early", "next"]


def test_a_lock_that_is_never_given_back_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(leaderboard, "PATIENCE", 0.05)
    path = tmp_path / "board.json"
    with leaderboard.FileLock(tmp_path / ".board.json.lock"), pytest.raises(LeaderboardError, match="locked for"):
        add(path, {"name": "a", "score": 1.0})
    assert names(add(path, {"name": "a", "score": 1.0})) == ["a"]


def test_entries_of_a_board_agree_in_what_they_are_scored_on(tmp_path):
    path = tmp_path / "board.json"
    for name in ("a", "b"):
        add(path, {"name": name, "score": 1, "round": "one"}, same="round")
    before = path.read_bytes()
    with pytest.raises(LeaderboardError, match="found round 'one' on the board, expected 'two': such scores"):
        add(path, {"name": "c", "score": 1, "round": "two"}, same="round")
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="links ask for a privilege on Windows")
def test_a_link_leads_to_one_board_and_one_lock(tmp_path):
    path, link = tmp_path / "shared" / "board.json", tmp_path / "mine.json"
    add(path, {"name": "first", "score": 1})
    link.symlink_to(path)
    assert names(add(link, {"name": "second", "score": 2})) == ["second", "first"] == names(read(path))
    assert link.is_symlink() and {file.name for file in tmp_path.iterdir()} == {"shared", "mine.json"}


def test_a_folder_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LeaderboardError, match=r"found board\.json that cannot be written \(.*; name another board"):
        add(tmp_path / "file" / "board.json", {"name": "a", "score": 1})


def test_text_in_any_script_is_kept(tmp_path):
    path = tmp_path / "board.json"
    add(path, {"name": "nuage ☁ 雲", "score": 1})
    assert names(read(path)) == ["nuage ☁ 雲"] and "雲" in path.read_text(encoding="utf-8")
