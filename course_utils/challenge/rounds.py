"""A round of the challenge: which scenes are to be masked, and who can know where their clouds are."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course_utils import simulate
from course_utils.data.samples import PATCH_SIZE
from course_utils.files import plain_file, reading

__all__ = ["IDS", "KEY_VARIABLE", "PATCHES", "PER_SCENE", "SCENES", "SELF_STUDY_KEY", "ChallengeError", "Round",
           "read_key"]

SCENES = 60
PER_SCENE = 16
PATCHES = SCENES * PER_SCENE
SELF_STUDY_KEY = "the self-study round, whose key is no secret"
KEY_VARIABLE = "COURSE_CHALLENGE_KEY"
SHORTEST_KEY = 16

# Patch 7 of scene 12 is 1207, from left to right, then from top to bottom.
IDS = (100 * np.arange(SCENES)[:, None] + np.arange(PER_SCENE)).ravel()
IDS.setflags(write=False)


class ChallengeError(ValueError):
    """Something that the challenge cannot take: a key, a folder of images, a submission."""


@dataclass(frozen=True)
class Round:
    """The scenes that belong to a key, none of them among the course's own.

    The key decides, through SHA-256, both the seed of the simulator and the round's public name. The name tells
    nothing of the seed, so whoever has the images and the name, but not the key, cannot simulate the labels.

    Attributes:
        key: a secret of at least 16 characters; without one, the self-study round's, which everybody can read.

    Raises:
        ChallengeError: the key is too short to be safe from guessing.

    Example:
        >>> Round().id == Round().id != Round("another, long secret").id
        True
    """

    key: str = field(default=SELF_STUDY_KEY, repr=False)

    def __post_init__(self):
        if len(self.key) < SHORTEST_KEY:
            raise ChallengeError(
                f"found a key of {len(self.key)} characters, expected at least {SHORTEST_KEY}, so that nobody guesses "
                "it: python -c 'import secrets; print(secrets.token_hex())' makes one")

    @property
    def id(self) -> str:
        """Public name; another one for another key, number of scenes, patch size or version of the simulator."""
        return self._hash("name")[:16]

    @property
    def seed(self) -> int:
        """Seed of the simulator, 128 bits."""
        return int(self._hash("seed")[:32], 16)

    def _hash(self, purpose: str) -> str:
        """SHA-256 of the key and of all that a round depends on, another one for each purpose."""
        text = f"{purpose} {SCENES} scenes {PATCH_SIZE} pixels simulator {simulate.VERSION} {self.key}"
        return hashlib.sha256(text.encode()).hexdigest()


def read_key(file: str | Path | None = None) -> str:
    """Find the key: in a file, else in the environment variable ``COURSE_CHALLENGE_KEY``, else the self-study round's.

    Args:
        file: a text file with the key in it; spaces and line ends around it do not count.

    Returns:
        The key.

    Raises:
        ChallengeError: the file cannot be read.
    """
    if file is None:
        return os.environ.get(KEY_VARIABLE, "").strip() or SELF_STUDY_KEY
    with reading(f"no key in {Path(file).name}", "a text file with the key in it", ChallengeError):
        return plain_file(file).read_text(encoding="utf-8").strip()
