"""The course's dataset: simulated once, kept, never half, never of another version."""

import hashlib
import multiprocessing
import pickle
import sys
import warnings
from functools import partial

import numpy as np
import pytest

from course_utils import simulate
from course_utils.data import cached, packed
from course_utils.data.errors import SplitError
from course_utils.data.patches import cached_folder, channel_names, decode, load_patches, scenes_of, shared_twin
from course_utils.data.splits import PARTS, course_split
from course_utils.sensors import PACE_OCI


@pytest.fixture
def quick(cache, monkeypatch):
    """Small scenes, counted as they are simulated; a new process each time, as far as memory goes."""
    made = []

    def scenes(numbers, **options):
        made.extend(numbers)
        return simulate.scenes(numbers, **{**options, "size": 64, "workers": 1})

    monkeypatch.setattr(packed, "simulate", type("Quick", (), {
        "scenes": staticmethod(scenes), "VERSION": simulate.VERSION, "Scene": simulate.Scene}))
    cached._opened.clear()
    yield made
    cached._opened.clear()


SCENES = 1 + max(min(course_split().part(part)) for part in PARTS)      # enough for a scene in every part
load = partial(load_patches, scenes=SCENES, progress=False)


def test_the_first_call_simulates_and_later_ones_read(quick, cache):
    first = load("train")
    assert quick == list(range(SCENES))
    cached._opened.clear()
    again = load("train")
    assert len(quick) == SCENES
    assert np.array_equal(first[:]["image"], again[:]["image"])
    assert [path.name for path in (cache / "simulated").iterdir()] == [cached_folder(scenes=SCENES).name]


@pytest.mark.parametrize("shared", [False, True])
def test_a_worker_gets_the_folders_name_and_not_the_patches(quick, cache, tmp_path, monkeypatch, shared):
    load("train")
    if shared:
        (cache / "simulated").rename(tmp_path / "simulated")
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        cached._opened.clear()
    part = load("train")
    sent = pickle.dumps(part)
    assert len(sent) < 10_000 < part.patches.image.nbytes
    again = pickle.loads(sent)
    assert np.array_equal(again.scenes, part.scenes)
    assert all(np.array_equal(again[:][name], values) for name, values in part[:].items())


def test_the_parts_are_the_courses_split(quick):
    split = course_split()
    for part in PARTS:
        assert set(load(part).scenes) == {number for number in split.part(part) if number < SCENES}
    assert sorted(load("all").scenes) == list(range(SCENES))
    with pytest.raises(SplitError, match="found part 'val', expected one of train, validation, test, all"):
        load("val")


def test_the_images_may_stay_bytes(quick):
    stored = load("train", as_bytes=True)[:]
    assert np.array_equal(decode(stored["image"], channel_names(PACE_OCI)), load("train")[:]["image"])


def test_more_scenes_are_more_to_train_on():
    split = course_split()
    assert scenes_of("train", 250) == (*split.train, *range(150, 250))
    assert scenes_of("test", 250) == split.test and scenes_of("validation") == split.validation
    with pytest.raises(SplitError, match="found no scene for test among the first 1, expected more scenes"):
        scenes_of("test" if 0 not in split.test else "validation", 1)


def test_another_version_of_the_simulator_has_another_folder(quick, monkeypatch):
    before = cached_folder()
    monkeypatch.setattr(simulate, "VERSION", "next")
    assert cached_folder() != before and cached_folder().name.endswith("-vnext")
    assert len({cached_folder(scenes=n, seed=s) for n in (1, 2) for s in (0, 1)}) == 4


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "image.npy").write_bytes((folder / "image.npy").read_bytes()[:9000]),
    lambda folder: (folder / "header.json").write_text(
        (folder / "header.json").read_text().replace(f'"simulator": "{simulate.VERSION}"', '"simulator": "old"')),
    lambda folder: (folder / "scene.npy").unlink(),
])
def test_a_damaged_or_foreign_cache_is_built_anew(quick, damage):
    expected = load("all")[:]["image"]
    damage(cached_folder(scenes=SCENES))
    cached._opened.clear()
    assert np.array_equal(load("all")[:]["image"], expected)
    assert len(quick) == 2 * SCENES
    cached._opened.clear()
    load("all")
    assert len(quick) == 2 * SCENES


def test_patches_on_a_shared_disk_are_read_there(quick, cache, tmp_path, monkeypatch):
    expected = load("all")[:]["image"]
    shared = cache.rename(tmp_path / "shared")
    monkeypatch.setenv("COURSE_DATA", str(shared))
    cached._opened.clear()
    assert np.array_equal(load("all")[:]["image"], expected)
    assert len(quick) == SCENES and not cache.exists()
    damaged = shared_twin(cached_folder(scenes=SCENES)) / "scene.npy"
    assert damaged.is_relative_to(shared)
    damaged.write_bytes(b"")
    cached._opened.clear()
    assert np.array_equal(load("all")[:]["image"], expected)
    assert len(quick) == 2 * SCENES and cached_folder(scenes=SCENES).is_dir()
    assert damaged.read_bytes() == b""


def no_space(*args, **kwargs):
    raise OSError(28, "No space left on device")


def test_a_full_disk_means_memory_and_one_warning(quick, cache, monkeypatch):
    monkeypatch.setattr(np, "save", no_space)
    with pytest.warns(UserWarning, match=r"could not keep the simulated patches in .*No space left on device.*memory"
                      ) as caught:
        parts = [load(part) for part in PARTS]
    assert len(caught) == 1
    assert sum(map(len, parts)) == SCENES and len(quick) == SCENES
    assert list((cache / "simulated").iterdir()) == []


def test_a_folder_that_can_not_be_written_means_memory(quick, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="could not keep the simulated patches"):
        assert len(load("all")) == SCENES


def test_a_cache_that_works_does_not_warn(quick):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load("all")


def report(pipe):
    """What another process sees when it asks for the patches; any warning is an error there."""
    warnings.simplefilter("error")
    image = load("all").patches.image
    pipe.send((hashlib.sha256(image.tobytes()).hexdigest(), type(image).__name__))


@pytest.mark.skipif(sys.platform != "linux", reason="starts processes as copies of this one")
def test_two_processes_at_once_both_get_whole_patches(quick, cache):
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in range(3)]
    processes = [context.Process(target=report, args=(send,)) for _, send in pipes]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    said = {receive.recv() for receive, _ in pipes}
    assert len(said) == 1 and said.pop()[1] == "MappedArray"
    assert [path.name for path in (cache / "simulated").iterdir()] == [cached_folder(scenes=SCENES).name]


def test_the_faster_of_two_writers_is_believed(quick, cache):
    """The fine-grained form of the race: the other process finishes while this one still simulates."""
    folder, simulate_patches = cached_folder(scenes=SCENES), cached.simulate_patches

    def slow(*args):
        patches = simulate_patches(*args)
        packed.write_packed(folder, patches, packed.origin(range(SCENES), 0, PACE_OCI))
        inode.append((folder / "image.npy").stat().st_ino)
        return patches

    inode = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cached, "simulate_patches", slow)
        assert isinstance(load("all").patches.image, np.memmap)
    assert [(folder / "image.npy").stat().st_ino] == inode
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
