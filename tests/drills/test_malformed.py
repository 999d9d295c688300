"""A hundred spoilt files through every loader: each ends in one clear error, or in a documented result."""

import contextlib
import pickle
import resource
import sys
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from course_utils.jobs.cifar10 import FinalTakenError
from tests.drills import contents, damage
from tests.drills.apart import apart
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
    """Read a sample; an error of the course is a result, if it says what is needed: its message."""
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
            return said
        finally:
            assert not contents.SPRUNG, "a pickle was read"
    return None


@pytest.fixture(autouse=True)
def no_trap_was_sprung():
    contents.SPRUNG.clear()
    yield
    contents.SPRUNG.clear()


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


@pytest.mark.skipif(sys.platform != "linux", reason="starts processes as copies of this one")
@pytest.mark.parametrize("name", LOADERS)
def test_pipes_and_devices_are_not_read(name):
    """They would never end; a process of its own can be ended."""
    loader = LOADERS[name]
    sample = loader.sample()

    def drill():
        for file in sample:
            for kind in (damage.PIPE, damage.DEVICE):
                said = read(loader, sample | {file: kind}) or ""
                assert "MemoryError" not in said, "read until the memory was full"

    apart(drill)


def test_the_trap_works():
    pickle.loads(contents.PICKLE)
    assert contents.SPRUNG == [True]
