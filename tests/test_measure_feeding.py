"""What a training waits for: predictions from parts, and records that say who did what when. Nothing here is timed."""

import threading

import pytest
from torch.utils.data import DataLoader

from course_utils.data.prefetch import Prefetched
from course_utils.measure import feeding as module
from course_utils.measure.feeding import Event, Feeding, Recorder, feeding, patches_per_second


class Clock:
    """A clock that only work moves."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def loader(self, seconds, batches=4):
        def read():
            for _ in range(batches):
                self.now += seconds
                yield {"image": [0] * 8}

        class Loader:
            def __len__(self):
                return batches

            def __iter__(self):
                return read()

        return Loader()

    def step(self, seconds):
        def work(batch):
            self.now += seconds
        return work


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_loader_model_and_both_are_measured_a_batch(clock):
    measured = feeding(clock.loader(0.5), clock.step(0.125), "cpu")
    assert measured == Feeding(load=0.5, step=0.125, both=0.625)
    assert measured.both == measured.in_turn and measured.overlapped == 0.5


def test_the_best_pass_counts(clock):
    def restless(batch):
        clock.now += 1.0 if clock.now < 6 else 0.125

    measured = feeding(clock.loader(0.5), restless, "cpu", rounds=3)
    assert measured == Feeding(load=0.5, step=0.125, both=0.625)


@pytest.mark.parametrize(("load", "step", "name"), [(2.0, 1.0, "loader"), (1.0, 2.0, "model"), (1.0, 1.0, "model")])
def test_the_bottleneck_is_what_takes_longer(load, step, name):
    assert Feeding(load, step, both=3.0).bottleneck == name


def test_an_empty_loader_is_refused(clock):
    with pytest.raises(ValueError, match="found no batch in the loader"):
        feeding(clock.loader(1.0, batches=0), clock.step(1.0), "cpu")


def test_speed_is_that_of_the_best_pass(clock):
    assert patches_per_second(clock.loader(0.25), seconds=3.0) == 8 / 0.25


def test_an_event_of_each_stage_and_batch_in_turn():
    recorder = Recorder()
    for number, _ in enumerate(recorder.loading(DataLoader(range(6), 2))):
        with recorder.during("step", number):
            pass
    assert [(event.stage, event.batch) for event in recorder.events] == [
        (stage, batch) for batch in range(3) for stage in ("load", "step")]
    moments = [moment for event in recorder.events for moment in (event.start, event.stop)]
    assert moments == sorted(moments)


def test_events_of_a_loader_that_reads_ahead_in_its_thread():
    recorder, read = Recorder(), threading.Event()

    def loader():
        yield 0
        yield 1
        read.set()
        yield 2

    for number, _ in enumerate(Prefetched(recorder.loading(loader()))):
        with recorder.during("step", number):
            assert read.wait(timeout=10)
    spans = {(event.stage, event.batch): event for event in recorder.events}
    assert len(spans) == 6
    assert spans["load", 1].stop < spans["step", 0].stop        # read while the model worked


def test_what_a_loader_gives_is_passed_on():
    assert list(Recorder().loading("cloud")) == list("cloud")
    assert isinstance(Event("load", 0, 0.0, 1.0), Event)
