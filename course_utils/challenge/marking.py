"""Marks: labels that are simulated when they are needed, and a submission compared with them."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import leaderboard, simulate
from course_utils.challenge.board import check_board
from course_utils.challenge.bootstrap import resample, resampled_iou
from course_utils.challenge.budget import SECONDS
from course_utils.challenge.rounds import PER_SCENE, SCENES, ChallengeError, Round
from course_utils.challenge.submission import Submission
from course_utils.data.samples import PATCH_SIZE, cut
from course_utils.metrics import (
    SMALL_CLOUD_PIXELS,
    THIN,
    Counts,
    count,
    false_alarm_rate,
    from_codes,
    iou,
    recall_on,
    small_clouds,
)

__all__ = ["Marks", "Truth", "enter", "mark", "truth"]

DRAWS = 2000
SNOW = [simulate.SURFACES.index(name) for name in ("snow", "ice")]


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of every patch of a round, in the order of the ids: (N, 64, 64) bool each.

    Attributes:
        mask: cloud.
        valid: a measurement exists.
        thin: thin cloud.
        small: small clouds, as on the scoreboard.
        snow: valid ground covered by snow or ice.
    """

    mask: np.ndarray
    valid: np.ndarray
    thin: np.ndarray
    small: np.ndarray
    snow: np.ndarray


@functools.lru_cache(maxsize=1)
def truth(round_: Round) -> Truth:
    """Simulate the labels of a round, in some seconds; a process does it once and keeps nothing on disk.

    Args:
        round_: the round, with the right key.

    Returns:
        The labels.
    """
    shape = (SCENES * PER_SCENE, PATCH_SIZE, PATCH_SIZE)
    codes, snow = np.empty(shape, np.uint8), np.empty(shape, bool)
    for place, scene in enumerate(simulate.scenes(range(SCENES), round_.seed)):
        rows = slice(place * PER_SCENE, (place + 1) * PER_SCENE)
        codes[rows], snow[rows] = cut(scene.codes), cut(np.isin(scene.surface, SNOW) & scene.valid)
    mask, valid = from_codes(codes)
    return Truth(mask, valid, codes == THIN, small_clouds(mask, valid, SMALL_CLOUD_PIXELS), snow)


@dataclass(frozen=True, eq=False)
class Marks:
    """How good a submission is.

    Attributes:
        iou: intersection over union of cloud, all valid pixels pooled; the board is sorted by it.
        error: standard error of the IoU: how much it moves when other scenes are drawn (bootstrap over scenes).
        thin_recall: share of the thin cloud that was found.
        small_recall: share of the pixels of small clouds that was found.
        snow_alarms: share of clear snow and ice that was called cloud.
        scenes: counts of each scene, fields are (60,) int64.
    """

    iou: float
    error: float
    thin_recall: float
    small_recall: float
    snow_alarms: float
    scenes: Counts


def mark(submission: Submission, round_: Round) -> Marks:
    """Compare a submission with the truth.

    Args:
        submission: what was handed in.
        round_: the round, with the right key.

    Returns:
        The marks.

    Raises:
        ChallengeError: the submission belongs to another round, or took more than the budget.
    """
    if submission.round_id != round_.id:
        raise ChallengeError(f"found masks of round {submission.round_id}, expected {round_.id}: the key is another "
                             "one, or the images were made with another version of the course")
    if submission.cpu_seconds > SECONDS:
        raise ChallengeError(f"found {submission.cpu_seconds:.1f} processor seconds, expected at most {SECONDS:.0f}; "
                             "train for fewer steps, or a smaller model")
    true, pred = truth(round_), submission.ordered
    each = [count(pred[rows], true.mask[rows], true.valid[rows])
            for rows in (slice(start, start + PER_SCENE) for start in range(0, len(pred), PER_SCENE))]
    scenes = Counts(*(np.array([getattr(one, name) for one in each]) for name in ("tp", "fp", "fn", "tn")))
    times = resample(SCENES, DRAWS, np.random.default_rng(0))
    return Marks(
        iou=iou(sum(each)),
        error=float(resampled_iou(scenes, times).std()),
        thin_recall=recall_on(pred, true.thin, true.valid),
        small_recall=recall_on(pred, true.small, true.valid),
        snow_alarms=false_alarm_rate(count(pred, true.mask, true.snow)),
        scenes=scenes,
    )


def enter(submission: Submission, round_: Round, board: str | Path) -> tuple[dict, list[dict]]:
    """Mark a submission and put it on a leaderboard.

    Args:
        submission: what was handed in.
        round_: the round, with the right key.
        board: the file of the leaderboard; made if it does not exist.

    Returns:
        The new entry; and the board with it, the best first.

    Raises:
        ChallengeError: as `mark`.
        LeaderboardError: as `leaderboard.add`: the board is that of another round, or of something else; the same masks
            are there already; or the file is damaged.
    """
    check_board(leaderboard.read(board))
    marks = mark(submission, round_)
    entry = {"name": submission.name, "model": submission.model, "parameters": submission.parameters,
             "cpu_seconds": round(submission.cpu_seconds, 1), "score": round(marks.iou, 4),
             "error": round(marks.error, 4), "thin_recall": round(marks.thin_recall, 4),
             "small_recall": round(marks.small_recall, 4), "snow_alarms": round(marks.snow_alarms, 4),
             "round": round_.id, "digest": submission.digest}
    return entry, leaderboard.add(board, entry, same="round")
