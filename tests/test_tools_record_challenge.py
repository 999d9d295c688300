"""The course's own entries: what the tool writes, and that what is stored was made by the rules."""

import numpy as np
import pytest
import torch

from course_utils import challenge, leaderboard, recorded
from course_utils.challenge import marking, submission
from course_utils.challenge.budget import SECONDS
from course_utils.challenge.rounds import IDS
from course_utils.metrics import Counts, iou
from tools import record_challenge


def score_of(cells):
    return iou(sum((Counts(*counts) for counts in zip(*cells.values(), strict=True)), Counts()))


def test_board_and_counts_are_written_and_agree(tmp_path, monkeypatch):
    cloud, every = np.zeros(submission.SHAPE, bool), np.ones(submission.SHAPE, bool)
    cloud[:, :20] = True
    monkeypatch.setattr(marking, "truth", lambda _: marking.Truth(cloud, every, cloud, cloud, every))

    class Images:
        round_id, ids = challenge.Round().id, IDS

    monkeypatch.setattr(challenge, "test_images", Images)
    some = dict(list(record_challenge.ENTRIES.items())[:2])
    rows = iter((10, 16))
    monkeypatch.setattr(record_challenge, "ENTRIES", some)
    monkeypatch.setattr(record_challenge, "thresholds", lambda _: (np.roll(cloud, 12, axis=1), 2))
    monkeypatch.setattr(record_challenge, "network", lambda *_: (np.roll(cloud, next(rows) // 4, axis=1), 7))
    (tmp_path / "leaderboard.json").write_text("an old board")
    record_challenge.record(tmp_path, tmp_path, 1.0)
    board = leaderboard.read(tmp_path / "leaderboard.json")
    found, about = recorded.results("challenge", tmp_path)
    assert {entry["name"] for entry in board} == {"two thresholds", *some} == set(found["scenes"])
    assert board[-1]["name"] == "two thresholds" and board[0]["parameters"] == 7
    for entry in board:
        assert score_of(found["scenes"][entry["name"]]) == pytest.approx(entry["score"], abs=5e-5)
    assert about["command"] == record_challenge.COMMAND
    assert {path.name for path in tmp_path.iterdir()} == {"leaderboard.json", "challenge.json"}


def test_the_stored_entries_keep_the_rules():
    board, (found, _) = challenge.baselines(), recorded.results("challenge")
    assert {entry["name"] for entry in board} == {"two thresholds", *record_challenge.ENTRIES}
    assert {entry["round"] for entry in board} == {found["round"]} == {challenge.Round().id}
    assert all(0 < entry["cpu_seconds"] <= SECONDS for entry in board)
    assert [entry["score"] for entry in board] == sorted((entry["score"] for entry in board), reverse=True)
    for entry in board:
        assert score_of(found["scenes"][entry["name"]]) == pytest.approx(entry["score"], abs=5e-5)


def test_every_entry_builds_a_network_for_the_courses_channels():


    for entry in record_challenge.ENTRIES.values():
        assert entry.build()(torch.zeros(1, 12, 64, 64)).shape == (1, 64, 64)
