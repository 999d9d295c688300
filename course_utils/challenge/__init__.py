"""The cloud-mask challenge: fixed data, withheld labels, a compute budget, marks (chapter 17).

`rounds.py` says which scenes are masked, and what a key does to it; `images.py` holds what everybody gets,
`budget.py` the clock, `submission.py` what is handed in, `marking.py` what it is worth, `bootstrap.py` how surely.
"""

from course_utils.challenge.board import Standings, baselines, own_board, with_baselines
from course_utils.challenge.bootstrap import resample, resampled_iou
from course_utils.challenge.budget import Budget
from course_utils.challenge.images import TestImages, open_images, test_images, write_images
from course_utils.challenge.marking import Marks, enter, mark
from course_utils.challenge.rounds import ChallengeError, Round, read_key
from course_utils.challenge.submission import Submission, read_submission, write_submission

__all__ = [
    "Budget", "ChallengeError", "Marks", "Round", "Standings", "Submission", "TestImages", "baselines", "enter", "mark",
    "open_images", "own_board", "read_key", "read_submission", "resample", "resampled_iou", "test_images",
    "with_baselines", "write_images", "write_submission",
]
