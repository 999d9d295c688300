"""An entry stands on the board once, and the commands that put it there leave the board whole."""

import json
import subprocess
import sys

import numpy as np
import pytest

from course_utils import challenge, leaderboard
from course_utils.__main__ import main
from course_utils.challenge import Round, marking, rounds
from course_utils.challenge.submission import SHAPE, write_submission
from tests.challenge.submissions import OWN, made, rewritten


def test_an_entry_stands_on_the_board_once(quick, tmp_path):
    board = tmp_path / "board.json"
    entry, shown = challenge.enter(made(), OWN, board)
    assert shown == [entry] == leaderboard.read(board) and entry["score"] == round(challenge.mark(made(), OWN).iou, 4)
    before = board.read_bytes()
    with pytest.raises(leaderboard.DuplicateError, match="found what 'blocks' on the board"):
        challenge.enter(made("renamed"), OWN, board)
    assert board.read_bytes() == before


def test_rounds_do_not_share_a_board(quick, tmp_path):
    board, other = tmp_path / "board.json", Round("a class's own, secret key")
    challenge.enter(made(), OWN, board)
    with pytest.raises(leaderboard.LeaderboardError, match=f"found round '{OWN.id}' on the board, .*'{other.id}'"):
        challenge.enter(made(round_id=other.id), other, board)


@pytest.mark.parametrize("other", [{}, {"score": "high"}, {"digest": None}])
def test_a_board_of_something_else_is_refused_before_it_is_touched(quick, tmp_path, other):
    entry, _ = challenge.enter(made(), OWN, tmp_path / "own.json")
    known = {name: value for name, value in (entry | other).items() if value is not None} if other else {"score": 1.0}
    board = tmp_path / "board.json"
    board.write_text(json.dumps([{"name": "else", **known} | {"name": "else"}]))
    before = board.read_bytes()
    with pytest.raises(leaderboard.LeaderboardError, match="of 'else' on the board, expected entries of the"):
        challenge.enter(made(seed=1), OWN, board)
    assert board.read_bytes() == before


def test_the_courses_entries_stand_among_those_of_the_same_round(quick, tmp_path):
    entry, board = challenge.enter(made(), OWN, tmp_path / "board.json")
    shown = challenge.with_baselines(board)
    assert len(shown) == len(challenge.baselines()) + 1
    assert [one["score"] for one in shown] == sorted((one["score"] for one in shown), reverse=True)
    assert challenge.with_baselines([entry | {"round": "another"}]) == [entry | {"round": "another"}]
    standings = challenge.Standings(shown, entry)
    (line,) = [line for line in str(standings).splitlines() if line.startswith("→")]
    assert " blocks " in line and f"{entry['score']:.3f} ±{entry['error']:.3f}" in line


def test_a_name_can_not_bring_markup_into_the_table(quick, tmp_path):
    _, board = challenge.enter(made("<b>bold</b>", model="<script>"), OWN, tmp_path / "board.json")
    html = challenge.Standings(board)._repr_html_()
    assert "&lt;b&gt;bold" in html and "&lt;script&gt;" in html and "<script>" not in html and html.count("<tr>") == 2


def test_score_marks_a_file_and_shows_the_board(quick, file, tmp_path, capsys):
    board = tmp_path / "shared" / "board.json"
    assert main(["score", str(file), "--board", str(board), "--json"]) == 0
    *shown, last = capsys.readouterr().out.splitlines()
    entry = json.loads(last)
    assert leaderboard.read(board) == [entry] and entry["name"] == "blocks"
    assert sum(line.startswith("→") for line in shown) == 1


def test_score_keeps_a_board_of_ones_own(quick, file, cache, capsys):
    assert main(["score", str(file)]) == 0
    assert [entry["name"] for entry in leaderboard.read(challenge.own_board(OWN))] == ["blocks"]
    assert challenge.own_board(OWN).parent == cache / "challenge"


@pytest.mark.parametrize(("changes", "words"), [
    ({"pred": np.zeros((2, 64, 64), bool)}, "found pred (2, 64, 64) bool, expected (960, 64, 64) bool"),
    ({"pred": np.full(SHAPE, np.nan, np.float32)}, "with NaN in it"),
    ({"cpu_seconds": np.array(301.0)}, "found 301.0 processor seconds, expected at most 300"),
    ({"model": np.array(["a"], object)}, "found model of Python objects"),
    ({"pred": None}, "expected round_id, name, model"),
    ({"round_id": np.array("0" * 16)}, "found masks of round 0000000000000000"),
])
def test_score_refuses_in_one_line_and_leaves_the_board(quick, handed_in, file, tmp_path, capsys, changes, words):
    board = tmp_path / "board.json"
    assert main(["score", str(file), "--board", str(board)]) == 0
    before = board.read_bytes()
    capsys.readouterr()
    bad = rewritten(handed_in[1], tmp_path / "bad.npz", **changes)
    assert main(["score", str(bad), "--board", str(board)]) == 1
    printed = capsys.readouterr()
    assert words in printed.err and printed.out == "" and printed.err.count("\n") == 1
    assert main(["score", str(file), "--board", str(board)]) == 1           # a duplicate
    assert "the same thing is taken once" in capsys.readouterr().err
    assert board.read_bytes() == before


def test_score_that_is_stopped_leaves_the_board(quick, file, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(marking, "mark", stop)
    assert main(["score", str(file), "--board", str(tmp_path / "board.json")]) == 1
    assert capsys.readouterr().err == "stopped\n" and not (tmp_path / "board.json").exists()


def test_score_says_that_a_board_can_not_be_written(quick, file, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file, no folder")
    assert main(["score", str(file), "--board", str(tmp_path / "taken" / "board.json")]) == 1
    printed = capsys.readouterr().err
    assert "found board.json that cannot be" in printed and printed.count("\n") == 1 and str(tmp_path) not in printed


def test_score_refuses_a_damaged_board_and_leaves_it(quick, file, tmp_path, capsys):
    (tmp_path / "board.json").write_text("{")
    assert main(["score", str(file), "--board", str(tmp_path / "board.json")]) == 1
    assert "found board.json that is no leaderboard" in capsys.readouterr().err
    assert (tmp_path / "board.json").read_text() == "{"


def test_a_class_with_a_key_of_its_own(quick, file, tmp_path, monkeypatch, capsys):
    """What was made without the key can be marked with the key only."""
    key, own = tmp_path / "key.txt", Round("a class's own, secret key")
    key.write_text("a class's own, secret key")
    write_submission(tmp_path / "theirs.npz", made(round_id=own.id))
    board = ["--board", str(tmp_path / "board.json")]
    assert main(["score", str(tmp_path / "theirs.npz"), *board]) == 1
    assert f"found masks of round {own.id}" in capsys.readouterr().err
    assert main(["score", str(tmp_path / "theirs.npz"), *board, "--key-file", str(key)]) == 0
    monkeypatch.setenv(rounds.KEY_VARIABLE, key.read_text())
    write_submission(tmp_path / "more.npz", made("more", seed=1, round_id=own.id))
    assert main(["score", str(tmp_path / "more.npz"), *board]) == 0
    assert {entry["round"] for entry in leaderboard.read(tmp_path / "board.json")} == {own.id}


def test_challenge_makes_a_folder_once(tmp_path, monkeypatch, capsys):
    from course_utils.challenge import images

    monkeypatch.setattr(images, "SCENES", 1)
    (tmp_path / "key.txt").write_text("a class's own, secret key")
    command = ["challenge", "--make", str(tmp_path / "round"), "--key-file", str(tmp_path / "key.txt")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert f"✓ images of round {Round('a class' + chr(39) + 's own, secret key').id}" in printed
    assert main(command) == 1 and "found round already there" in capsys.readouterr().err
    (tmp_path / "key.txt").write_text("short")
    assert main([*command[:2], str(tmp_path / "other"), *command[3:]]) == 1
    assert "found a key of 5 characters" in capsys.readouterr().err


AT_ONCE = """
import os, sys
import numpy as np
from course_utils.__main__ import main
from course_utils.challenge import marking, submission
every = np.ones(submission.SHAPE, bool)
cloud = every.copy()
cloud[:, 0] = False
marking.truth = lambda _: marking.Truth(cloud, every, cloud, cloud, every)
child = os.fork()
code = main(["score", sys.argv[1 if child else 2], "--board", sys.argv[3]])
sys.exit(code or (os.waitstatus_to_exitcode(os.wait()[1]) if child else 0))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_two_submissions_at_once_lose_nothing(tmp_path, cache, monkeypatch):
    """Two processes, with a truth that needs no simulation: cloud everywhere below the first row."""
    monkeypatch.delenv(rounds.KEY_VARIABLE, raising=False)
    files = [tmp_path / f"{name}.npz" for name in ("one", "two")]
    for seed, path in enumerate(files):
        write_submission(path, made(path.stem, seed))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", AT_ONCE, *files, tmp_path / "board.json"],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("→") == 2
    board = leaderboard.read(tmp_path / "board.json")
    assert sorted(entry["name"] for entry in board) == ["one", "two"]
    assert board[0]["score"] >= board[1]["score"] > 0.3
