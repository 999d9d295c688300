"""Fixtures of the downloads' tests."""

import pytest

from course_utils.data.registry import DATASETS, Dataset
from tests.downloads.toys import BODY, NAME, remote


@pytest.fixture
def toy(monkeypatch, server):
    """A dataset of one file that the server has."""
    def register(*files):
        monkeypatch.setitem(DATASETS, "toy", Dataset("toy", "A toy", files, "none", "none", "none", ""))
    register(remote())
    server.files[NAME] = BODY
    return register
