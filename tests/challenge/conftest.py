"""Fixtures of the challenge's tests: a file that was handed in, and a truth that needs no simulation."""

import numpy as np
import pytest

from course_utils import metrics
from course_utils.challenge import marking, rounds
from course_utils.challenge.submission import SHAPE, write_submission
from tests.challenge.submissions import made


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """A valid file, and what its arrays are."""
    path = tmp_path_factory.mktemp("handed-in") / "blocks.npz"
    write_submission(path, made())
    with np.load(path) as arrays:
        return path, dict(arrays)


@pytest.fixture
def quick(monkeypatch):
    """A truth that needs no simulation: as many patches, drawn."""
    rng = np.random.default_rng(9)
    codes = rng.choice(np.array([0, 1, 2, 255], np.uint8), size=SHAPE, p=[0.5, 0.25, 0.2, 0.05])
    mask, valid = metrics.from_codes(codes)
    small = rng.random(SHAPE) < 0.1
    drawn = marking.Truth(mask, valid, codes == 2, small & mask, (rng.random(SHAPE) < 0.3) & valid)
    monkeypatch.setattr(marking, "truth", lambda _: drawn)
    return drawn


@pytest.fixture
def file(handed_in, tmp_path, cache, monkeypatch):
    monkeypatch.delenv(rounds.KEY_VARIABLE, raising=False)
    path = tmp_path / "blocks.npz"
    path.write_bytes(handed_in[0].read_bytes())
    return path
