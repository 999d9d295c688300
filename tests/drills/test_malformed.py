"""A hundred spoilt files through every loader: each ends in one clear error, or in a documented result."""

import contextlib
import resource
import sys
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from course_utils.jobs.cifar10 import FinalTakenError
from tests.drills import damage
from tests.drills.loaders import LOADERS

ROOM = 2**30                    # bytes that a loader may take beside what the process has


@contextlib.contextmanager
def bounded_memory(room=ROOM):
    """Nothing may ask for more memory than a file of the course could need."""
    if sys.platform != "linux":
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def read(loader, files):
    """Read a sample; an error of the course is a result, if it says what is needed."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        if loader.warns:
            warnings.simplefilter("ignore")
        folder = damage.lay(Path(name), files)
        try:
            with bounded_memory():
                loader.read(folder)
        except loader.refuses as error:
            said = str(error)
            assert "found " in said and "expected " in said and "\n" not in said, said
    assert not damage.TRIPWIRE.exists(), "a pickle was read"


@pytest.fixture(autouse=True)
def no_trap_was_sprung():
    damage.TRIPWIRE.unlink(missing_ok=True)
    yield
    damage.TRIPWIRE.unlink(missing_ok=True)


@pytest.mark.parametrize("name", LOADERS)
def test_spoilt_files_end_in_one_clear_error(name, capfd):
    loader = LOADERS[name]
    sample = loader.sample()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FinalTakenError):
        loader.read(damage.lay(Path(folder), sample))               # unspoilt

    @settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(damage.damaged(sample))
    def drill(files):
        read(loader, files)

    drill()


def test_the_trap_works():
    import pickle
    pickle.loads(damage.PICKLE)
    assert damage.TRIPWIRE.exists()
