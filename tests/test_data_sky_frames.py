"""The all-sky camera's frames: simulated once, kept, never of another version, no sky in two parts."""

import numpy as np
import pytest

from course_utils.data import sky_frames
from course_utils.data.errors import SplitError
from course_utils.data.sky_frames import FRAME_PARTS, SITE, load_frames, load_series
from course_utils.simulate.sky import sky_frame

ALL = [0, 1, 0, 1, 2, 2]        # skies of the parts of `quick`, by day and by night, as they are simulated


@pytest.fixture
def quick(cache, monkeypatch):
    """Small frames of a few skies, counted as they are simulated; a new process each time, as far as memory goes."""
    made = []

    def frame(number, **options):
        made.append(number)
        return sky_frame(number, **options)

    monkeypatch.setattr(sky_frames, "worker_processes", lambda: 1)      # what another process makes is not counted
    monkeypatch.setattr(sky_frames, "sky_frame", frame)
    monkeypatch.setattr(sky_frames, "FRAME_SIZE", 48)
    monkeypatch.setattr(sky_frames, "FRAME_PARTS", {"train": range(2), "test": range(2, 3)})
    monkeypatch.setattr(sky_frames, "_opened", {})
    return made


def same(one, other):
    return np.array_equal(one.picture, other.picture) and np.array_equal(one.codes, other.codes)


def test_the_first_call_simulates_and_later_ones_read(quick, cache):
    first = load_frames("train", "night", progress=False)
    assert quick == ALL and all(map(same, first, (sky_frame(n, time="night", size=48, site=SITE) for n in (0, 1))))
    sky_frames._opened.clear()
    again = load_frames("train", "night", progress=False)
    assert all(map(same, first, again)) and [one.name for one in again] == ["night-0-0", "night-1-0"]
    assert [path.suffix for path in (cache / "simulated").iterdir()] == [".npz"] * 4
    one, = load_frames("test", "day", progress=False)
    assert quick == ALL and same(one, sky_frame(2, time="day", size=48, site=SITE)) and one.name == "day-2-0"


def test_only_absent_parts_are_simulated_and_in_one_go(quick, cache, monkeypatch):
    load_frames(progress=False)
    sky_frames._opened.clear()
    for file in (cache / "simulated").glob("*-day-*"):
        file.unlink()
    asked = []

    def simulated(make, skies, *options):
        asked.append(skies)
        yield from map(make, skies)
        asked.append("read to its end")     # else the bar would lack the last frame

    monkeypatch.setattr(sky_frames, "simulate_each", simulated)
    for part in ("train", "test"):
        load_frames(part, "day", progress=False)
        load_frames(part, "night", progress=False)
    assert asked == [[(0, "day", 0.0), (1, "day", 0.0), (2, "day", 0.0)], "read to its end"]


def test_a_part_that_another_process_writes_meanwhile_is_given_all_the_same(quick, monkeypatch):
    first, find, looks = load_frames(progress=False), sky_frames._find, []
    sky_frames._opened.clear()
    monkeypatch.setattr(sky_frames, "_find", lambda *what: find(*what) if looks or looks.append(what) else [])
    assert all(map(same, first, load_frames(progress=False)))


def test_what_is_whole_is_kept_when_the_rest_is_interrupted(quick, cache, monkeypatch):
    def interrupted(make, skies, *options):
        yield from map(make, skies[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(sky_frames, "simulate_each", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_frames(progress=False)
    assert [path.name.split("-")[3:5] for path in (cache / "simulated").iterdir()] == [["train", "day"]]


def test_a_series_is_the_simulators(quick):
    series = load_series(5, frames=3, every=20, size=48, progress=False)
    assert all(map(same, series, (sky_frame(5, time="night", size=48, minutes=t, site=SITE) for t in (0, 20, 40))))
    assert not same(series[0], load_series(5, "day", frames=1, size=48, progress=False)[0])


@pytest.mark.parametrize("damage", [
    lambda file: file.write_bytes(file.read_bytes()[:900]),
    lambda file: file.write_text(""),
])
def test_a_damaged_file_is_made_anew(quick, cache, damage):
    first = load_frames("train", progress=False)
    damage(next((cache / "simulated").glob("*-train-day-*")))
    sky_frames._opened.clear()
    assert all(map(same, first, load_frames("train", progress=False))) and quick == [*ALL, 0, 1]


def test_another_version_of_the_simulator_has_another_file(quick, monkeypatch):
    load_frames("test", progress=False)
    monkeypatch.setattr(sky_frames, "SKY_VERSION", "next")
    load_frames("test", progress=False)
    assert quick == ALL * 2


def test_frames_that_can_not_be_kept_are_given_all_the_same(quick, cache):
    cache.mkdir()
    (cache / "simulated").write_text("in the way")
    with pytest.warns(UserWarning, match="could not keep the simulated frames in .*COURSE_CACHE") as said:
        assert len(load_frames("train", progress=False)) == 2
    assert len(said) == 1 and len(load_frames("test", progress=False)) == 1 and quick == ALL


def test_no_sky_is_in_two_parts():
    numbers = [number for part in FRAME_PARTS.values() for number in part]
    assert len(numbers) == len(set(numbers))
    for part, time in (("val", "day"), ("train", "noon")):
        with pytest.raises(SplitError, match=f"found part '{part}', time '{time}'; expected one of train, validation"):
            load_frames(part, time)
    with pytest.raises(SplitError, match="found time 'noon', expected day or night"):
        load_series(1, "noon")



def test_whether_all_frames_are_kept_is_said_without_simulating(quick, cache, monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(sky_frames, "_series", lambda *args: ("series", [(7, "night", 0.0)]))
    for make in [lambda: None, lambda: load_series(7, size=48, progress=False), *(
            lambda part=part, time=time: load_frames(part, time, progress=False)
            for part in sky_frames.FRAME_PARTS for time in sky_frames.TIMES)]:
        make()
        made.append(sky_frames.frames_are_kept(7))
    assert made == [False] * 2 + [True] * 4 and len(quick) == 1 + len(ALL)
    (cache / "simulated").rename(tmp_path / "simulated")
    assert not sky_frames.frames_are_kept(7)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert sky_frames.frames_are_kept(7)
