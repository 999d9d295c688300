"""A submission: one file with a mask for every patch, written whole, read with suspicion.

The file is an .npz as `numpy.savez_compressed` writes it. It comes from somebody else's machine, so nothing in it is
believed: not its size, not its shapes, and above all no pickled objects, which can run code when they are read
(`data/npz.py`).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils.challenge.rounds import IDS, PATCHES, ChallengeError
from course_utils.data.errors import LayoutError
from course_utils.data.npz import read_npz
from course_utils.data.samples import PATCH_SIZE
from course_utils.files import aside

__all__ = ["Submission", "read_submission", "write_submission"]

SHAPE = (PATCHES, PATCH_SIZE, PATCH_SIZE)
LONGEST = {"round_id": 16, "name": 60, "model": 120}
MEMBERS = ("round_id", "name", "model", "parameters", "cpu_seconds", "ids", "pred")
LARGEST = 8 * PATCHES * PATCH_SIZE**2          # bytes of a member once unpacked: more than any number type needs


@dataclass(frozen=True, eq=False)
class Submission:
    """What is handed in: masks, and what they cost.

    Attributes:
        round_id: of the images that were masked.
        name: of the entry, up to 60 characters; it stands on the leaderboard for everybody to read.
        model: what it is, up to 120 characters.
        parameters: how many numbers it learned.
        cpu_seconds: what `Budget` counted for everything that made it: training, choosing, predicting.
        ids: (N,) int64, of each mask the patch it belongs to; every patch once, in any order.
        pred: (N, 64, 64) bool, true = cloud.

    Raises:
        ChallengeError: a part has another type, shape or length than this; a patch is missing or comes twice.
    """

    round_id: str
    name: str
    model: str
    parameters: int
    cpu_seconds: float
    ids: np.ndarray
    pred: np.ndarray

    def __post_init__(self):
        for field, longest in LONGEST.items():
            text = getattr(self, field)
            if not (isinstance(text, str) and text.strip() and text.isprintable() and len(text) <= longest):
                raise ChallengeError(f"found {field} {str(text)[:80]!r}, expected one line of 1 to {longest} "
                                     "characters")
        if not isinstance(self.parameters, int) or isinstance(self.parameters, bool) or self.parameters < 0:
            raise ChallengeError(f"found parameters {self.parameters!r}, expected a whole number from 0: of a network "
                                 "sum(p.numel() for p in model.parameters())")
        number = isinstance(self.cpu_seconds, int | float) and not isinstance(self.cpu_seconds, bool)
        if not number or not 0 <= self.cpu_seconds < np.inf:
            raise ChallengeError(f"found cpu_seconds {self.cpu_seconds!r}, expected a finite number from 0: "
                                 "budget.spent")
        _check_pred(self.pred)
        _check_ids(self.ids)

    @property
    def ordered(self) -> np.ndarray:
        """The masks in the order of the ids, (N, 64, 64) bool."""
        return self.pred[np.argsort(self.ids)]

    @property
    def digest(self) -> str:
        """SHA-256 of round and masks: two entries with the same masks are the same entry."""
        bits = np.packbits(self.ordered, axis=None).tobytes()
        return hashlib.sha256(self.round_id.encode() + bits).hexdigest()


def _check_pred(pred: np.ndarray) -> None:
    """Refuse what is no stack of masks, and say what to do with probabilities."""
    found = f"found pred {getattr(pred, 'shape', type(pred).__name__)} {getattr(pred, 'dtype', '')}".rstrip()
    if not isinstance(pred, np.ndarray) or pred.shape != SHAPE:
        raise ChallengeError(f"{found}, expected {SHAPE} bool: one mask for each of the {PATCHES} patches")
    if pred.dtype != np.bool_:
        missing = pred.dtype.kind == "f" and np.isnan(pred).any()
        raise ChallengeError(f"{found}{' with NaN in it' if missing else ''}, expected bool, true = cloud; make masks "
                             "of probabilities with the cut that validation chose")


def _check_ids(ids: np.ndarray) -> None:
    """Refuse anything but every patch once."""
    found = f"found ids {getattr(ids, 'shape', type(ids).__name__)} {getattr(ids, 'dtype', '')}".rstrip()
    if not isinstance(ids, np.ndarray) or ids.shape != (PATCHES,) or ids.dtype != np.int64:
        raise ChallengeError(f"{found}, expected ({PATCHES},) int64: the `id` of each batch of images, joined")
    unknown = np.setdiff1d(ids, IDS)
    if unknown.size:
        raise ChallengeError(f"found the id {unknown[0]}, expected 100 · scene + place, such as {IDS[0]} to {IDS[-1]}")
    values, times = np.unique(ids, return_counts=True)
    if values.size < PATCHES:
        raise ChallengeError(f"found patch {values[times > 1][0]} more than once and {PATCHES - values.size} patches "
                             "not at all, expected every patch once")


def write_submission(path: str | Path, submission: Submission) -> None:
    """Write a submission, and read it again before it takes its place.

    Args:
        path: the file, ending in .npz.
        submission: what to write.

    Raises:
        ChallengeError: the name has another ending.
        WriteError: the disk is full, or nothing may be written there.
    """
    if Path(path).suffix != ".npz":
        raise ChallengeError(f"found the name {Path(path).name}, expected one that ends in .npz")
    with aside(path) as new:
        np.savez_compressed(new, **{name: getattr(submission, name) for name in MEMBERS})
        if read_submission(new).digest != submission.digest:
            raise ChallengeError(f"found other masks in {Path(path).name} than were written; is the disk full?")


def read_submission(path: str | Path) -> Submission:
    """Read a submission; whatever the file holds, no more memory is taken than a submission needs.

    Args:
        path: the file.

    Returns:
        The submission.

    Raises:
        ChallengeError: it cannot be read, or is no submission.
    """
    path = Path(path)
    if path.is_file() and path.stat().st_size > LARGEST:
        raise ChallengeError(f"found {path.name} of {path.stat().st_size:,} bytes, expected at most {LARGEST:,}")
    try:
        parts = read_npz(path, MEMBERS, LARGEST, alone=True)
    except LayoutError as error:
        raise ChallengeError(f"{error}; hand in a file that write_submission wrote") from error
    return Submission(**{name: value if value.ndim else value.item() for name, value in parts.items()})
