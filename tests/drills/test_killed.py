"""Killed at any moment: the old file or the new one is there, nobody has to wait, what is left is cleared."""

import hashlib
import multiprocessing
import random
import sys
import time

import numpy as np
import pytest
import torch

from course_utils import files, leaderboard
from course_utils.checkpoint import load_checkpoint, save_checkpoint
from course_utils.data import download
from course_utils.data.archives import unpack
from course_utils.data.packed import open_packed, write_packed
from course_utils.data.registry import RemoteFile
from tests.drills import contents, samples
from tests.drills.apart import fork

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts processes as copies of this one")
KILLS = 12


def killed(work, moments):
    """Start some work again and again, and kill it after so many seconds each time."""
    for moment in moments:
        begun = multiprocessing.get_context("fork").Event()
        process = fork(lambda begun=begun: begun.set() or work())
        assert begun.wait(60)
        time.sleep(moment)
        process.kill()
        process.join()
        yield


def moments(seed, longest=0.06):
    draw = random.Random(seed)
    return [draw.uniform(0.005, longest) for _ in range(KILLS)]


def leftovers(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".") and not path.name.endswith(".lock")]


def test_checkpoints(tmp_path, monkeypatch):
    path, model, last = tmp_path / "last.pt", samples.network(2000), 0

    def work():
        torch.set_num_threads(1)
        for note in range(last, last + 10_000):
            save_checkpoint(path, model, note=note)

    save_checkpoint(path, model, note=0)
    for _ in killed(work, moments(1)):
        note = load_checkpoint(path, samples.network(2000))["note"]
        assert note >= last
        last = note
    monkeypatch.setattr(files, "FORGOTTEN", -1)
    save_checkpoint(path, model)
    assert [one.name for one in tmp_path.iterdir()] == ["last.pt"]


def test_a_leaderboard_that_several_add_to(tmp_path):
    path = tmp_path / "board.json"

    def add(who, count):
        for number in range(count):
            leaderboard.add(path, {"name": f"{who}-{number}", "score": number})

    steady = fork(add, "steady", 60)
    for _ in killed(lambda: add("hasty", 10_000), moments(2)):
        scores = [entry["score"] for entry in leaderboard.read(path)]
        assert scores == sorted(scores, reverse=True)
    steady.join(60)
    assert steady.exitcode == 0
    names = [entry["name"] for entry in leaderboard.read(path)]
    assert {f"steady-{number}" for number in range(60)} <= set(names)
    started = time.monotonic()
    leaderboard.add(path, {"name": "after", "score": 1})
    assert time.monotonic() - started < leaderboard.PATIENCE / 2, "a lock was left"


def test_a_cache_that_is_written(tmp_path, monkeypatch):
    patches, folder = samples.few_patches(), tmp_path / "patches"
    made = 0
    for _ in killed(lambda: write_packed(folder, patches), moments(3, 0.03)):
        if folder.exists():
            assert np.array_equal(open_packed(folder, verify=True).image, patches.image)
            made += 1
            folder.rename(tmp_path / f"whole-{made}")
    monkeypatch.setattr(files, "FORGOTTEN", -1)
    write_packed(folder, patches)
    assert leftovers(tmp_path) == []


def test_an_archive_that_is_unpacked(tmp_path, monkeypatch):
    archive, place = tmp_path / "a.tar", tmp_path / "out" / "data"
    archive.write_bytes(contents.tarred([(f"{number}.txt", b"a" * 5000) for number in range(300)]))

    def whole():
        return place.exists() and sorted(path.stat().st_size for path in place.iterdir()) == [5000] * 300

    for _ in killed(lambda: unpack(archive, place), moments(4)):
        if place.exists():
            assert whole()
            place.rename(place.with_name(f"whole-{time.monotonic_ns()}"))
    monkeypatch.setattr(files, "FORGOTTEN", -1)
    unpack(archive, place)
    assert whole() and leftovers(place.parent) == []


def test_a_download(server, cache, monkeypatch):
    body = random.Random(5).randbytes(3_000_000)
    file = RemoteFile("toy/one.bin", "https://example.org/one.bin", len(body), hashlib.sha256(body).hexdigest())
    server.files[file.path] = body
    monkeypatch.setattr(download, "resolve", lambda _: [file])
    for _ in killed(lambda: download.fetch(["toy"], progress=False), moments(5, 0.05)):
        if (cache / file.path).exists():
            assert (cache / file.path).read_bytes() == body
            (cache / file.path).unlink()
    (cache / "toy").mkdir(parents=True, exist_ok=True)
    (cache / "toy" / "tmpabcdefgh").write_bytes(b"what pooch leaves")
    assert download.fetch(["toy"], progress=False).ready == {file.path: cache / file.path}
    assert (cache / file.path).read_bytes() == body
    assert [path.name for path in (cache / "toy").iterdir()] == ["one.bin"]


def test_what_is_younger_than_an_hour_may_be_somebodys(tmp_path):
    (tmp_path / ".0123abcd.a.txt").write_text("being written")
    with files.aside(tmp_path / "a.txt") as new:
        new.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".0123abcd.a.txt", "a.txt"]
