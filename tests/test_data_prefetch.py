"""Reading ahead changes when batches are read, and nothing else; the thread ends however the loop ends."""

import threading
import time

import pytest
import torch
from comparing import same
from torch.utils.data import DataLoader

from course_utils.data.patches import batches
from course_utils.data.prefetch import Prefetched
from course_utils.models.mlp import PixelMLP
from course_utils.runtime import generator
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Counting:
    """Counts what was read of it."""

    def __init__(self, size, error_at=None):
        self.size, self.error_at, self.read = size, error_at, 0

    def __len__(self):
        return self.size

    def __iter__(self):
        for number in range(self.size):
            if number == self.error_at:
                raise OSError(f"found batch {number} unreadable")
            self.read += 1
            yield number


@pytest.mark.parametrize("ahead", [1, 2, 7])
@pytest.mark.parametrize("size", [0, 1, 5])
def test_every_batch_comes_once_and_in_order(size, ahead):
    loader = Prefetched(Counting(size), ahead)
    assert list(loader) == list(range(size)) == list(loader)
    assert len(loader) == size


def test_batches_are_the_loaders_own(packed):
    plain = batches(packed, 10, shuffle=True, generator=generator(4))
    ahead = Prefetched(batches(packed, 10, shuffle=True, generator=generator(4)))
    for _ in range(2):
        for one, two in zip(plain, ahead, strict=True):
            assert same(one, two)


def test_an_error_arrives_where_its_batch_would_have():
    got = []
    with pytest.raises(OSError, match="found batch 3 unreadable"):
        for number in Prefetched(Counting(6, error_at=3)):
            got.append(number)
    assert got == [0, 1, 2]


def test_a_loader_that_exits_does_not_leave_the_loop_waiting():
    def leaving():
        yield 0
        raise SystemExit("found no more disk")

    with pytest.raises(SystemExit, match="found no more disk"):
        list(Prefetched(leaving()))


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_than_asked_for_is_read_ahead(ahead):
    loader = Counting(50)
    for number in Prefetched(loader, ahead):
        time.sleep(0.002)
        assert loader.read <= number + 1 + ahead + 1        # handed out, waiting, and one that waits for room
        if number == 20:
            break


@pytest.mark.parametrize("ahead", [1, 2])
def test_leaving_early_ends_the_thread(ahead):
    for _ in range(20):
        for number in Prefetched(Counting(1000), ahead):
            if number == 3:
                break


def test_an_error_of_the_loop_ends_the_thread():
    with pytest.raises(ZeroDivisionError):
        for number in Prefetched(Counting(1000)):
            1 / (number - 2)


def test_reading_and_working_overlap():
    working = threading.Event()

    def slow():
        yield 0
        assert working.wait(timeout=10)         # would wait in vain if batch 1 were read after the work on batch 0
        yield 1

    for number in Prefetched(slow()):
        if number == 0:
            working.set()


def test_a_training_has_the_same_losses(packed):
    def losses(wrap):
        torch.manual_seed(0)
        train = wrap(batches(packed, 16, shuffle=True, generator=torch.Generator()))
        model = PixelMLP(12, hidden=(4,))
        return fit(model, Segmentation(), train, batches(packed, 48), FitConfig(epochs=2)).train_loss

    assert losses(Prefetched) == losses(lambda loader: loader)


def test_it_has_the_generator_of_its_loader():
    own = generator(1)
    assert Prefetched(DataLoader(range(4), generator=own)).generator is own
    assert Prefetched(range(4)).generator is None


def test_room_for_no_batch_is_refused():
    with pytest.raises(ValueError, match="found ahead=0, expected at least 1"):
        Prefetched(range(4), ahead=0)
