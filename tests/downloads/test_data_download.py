"""Downloads from a real server on loopback: once, resumed, verified, several at a time."""

import hashlib
import multiprocessing
import sys
import time

import pytest

from course_utils.data import local
from course_utils.data.download import fetch
from course_utils.data.errors import DownloadError, HashMismatchError, MissingDataError, UnknownDatasetError
from course_utils.data.local import find, locate
from course_utils.data.registry import DATASETS, resolve
from tests.downloads.toys import BODY, NAME, failure, left_behind, remote


def test_a_file_is_downloaded_once_and_verified(toy, server, cache):
    assert fetch(["toy"], progress=False).ready == {NAME: cache / NAME}
    assert (cache / NAME).read_bytes() == BODY
    assert left_behind(cache) == ["one.bin"]
    fetch(["toy"], progress=False)
    assert len(server.requests) == 1
    assert locate(remote()) == cache / NAME


def test_an_interrupted_download_continues_within_one_fetch(toy, server, cache):
    server.drop_after[NAME] = [200_000]
    assert not fetch(["toy"], progress=False).failed
    assert (cache / NAME).read_bytes() == BODY
    assert server.requests[0][1] is None
    start = int(server.requests[1][1].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= 200_000
    assert len(server.requests) == 2


def test_an_interrupted_download_continues_in_the_next_fetch(toy, server, cache):
    server.drop_after[NAME] = [300_000, 0]          # cut twice, the second time before anything came
    message = failure()
    assert "check the network and try again (what came is kept)" in message
    assert left_behind(cache) == ["one.bin.part"]    # nothing under the final name
    assert find(remote()) is None
    assert not fetch(["toy"], progress=False).failed
    assert server.requests[-1][1].startswith("bytes=")
    assert (cache / NAME).read_bytes() == BODY
    assert left_behind(cache) == ["one.bin"]


def test_a_server_without_ranges_sends_everything_again(toy, server, cache):
    server.ranges = False
    server.drop_after[NAME] = [300_000]
    assert not fetch(["toy"], progress=False).failed
    assert (cache / NAME).read_bytes() == BODY


def test_a_part_of_another_file_is_thrown_away(toy, server, cache):
    (cache / "toy").mkdir(parents=True)
    (cache / f"{NAME}.part").write_bytes(b"something else")
    assert not fetch(["toy"], progress=False).failed
    assert (cache / NAME).read_bytes() == BODY
    assert left_behind(cache) == ["one.bin"]


def test_a_complete_part_needs_no_request(toy, server, cache):
    (cache / "toy").mkdir(parents=True)
    (cache / f"{NAME}.part").write_bytes(BODY)
    assert not fetch(["toy"], progress=False).failed
    assert server.requests == []


def test_a_part_that_is_too_long_is_fetched_anew(toy, server, cache):
    (cache / "toy").mkdir(parents=True)
    (cache / f"{NAME}.part").write_bytes(BODY + b"more")
    assert not fetch(["toy"], progress=False).failed
    assert (cache / NAME).read_bytes() == BODY


def test_wrong_bytes_are_kept_aside_and_never_used(toy, server, cache):
    server.files[NAME] = BODY[::-1]
    message = failure()
    assert message.startswith("found sha256 ")
    assert "for toy/one.bin (512000 bytes" in message
    assert f"expected {remote().sha256[:12]}…" in message
    assert f"kept as {cache / NAME}.corrupt and never used" in message
    assert left_behind(cache) == ["one.bin.corrupt"]
    with pytest.raises(MissingDataError, match=r"found no toy/one\.bin"):
        locate(remote())


def test_an_md5_is_checked_where_that_is_all_there_is(toy, server, cache):
    toy(remote(sha256=None, md5=hashlib.md5(BODY).hexdigest()))
    assert not fetch(["toy"], progress=False).failed
    (cache / NAME).unlink()
    server.files[NAME] = BODY[::-1]
    assert failure().startswith("found md5 ")


def test_a_file_that_rots_in_the_cache_is_noticed_and_replaced(toy, server, cache):
    fetch(["toy"], progress=False)
    (cache / NAME).write_bytes(BODY[:-1] + b"x")
    with pytest.raises(HashMismatchError, match=r"never used; run python -m course_utils fetch toy/one\.bin"):
        locate(remote())
    assert left_behind(cache) == ["one.bin.corrupt"]
    (cache / NAME).write_bytes(b"wrong again")
    assert not fetch(["toy"], progress=False).failed
    assert locate(remote()).read_bytes() == BODY


def test_a_file_is_hashed_once_per_state(toy, server, cache, monkeypatch):
    fetch(["toy"], progress=False)
    locate(remote())
    monkeypatch.setattr(local, "digest", lambda *args, **kwargs: pytest.fail("hashed again"))
    locate(remote())


def test_one_bad_file_does_not_stop_the_others(toy, server, cache):
    other = remote("toy/two.bin")
    toy(remote("toy/none.bin"), other)
    server.files["toy/two.bin"] = BODY
    seen = []
    outcome = fetch(["toy"], progress=False, done=lambda file, result: seen.append((file.path, type(result).__name__)))
    assert list(outcome.ready) == ["toy/two.bin"]
    assert list(outcome.failed) == ["toy/none.bin"]
    assert seen == [("toy/none.bin", "DownloadError"), ("toy/two.bin", "PosixPath")]


def test_a_single_file_can_be_fetched(toy, server, cache):
    toy(remote(), remote("toy/two.bin"))
    server.files["toy/two.bin"] = BODY
    assert list(fetch(["toy/two.bin"], progress=False).ready) == ["toy/two.bin"]


def test_the_shared_folder_comes_first_and_is_never_written(toy, server, cache, tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    (shared / "toy").mkdir(parents=True)
    (shared / NAME).write_bytes(BODY)
    monkeypatch.setenv("COURSE_DATA", str(shared))
    assert fetch(["toy"], progress=False).ready == {NAME: shared / NAME}
    assert server.requests == []
    assert not cache.exists()
    (shared / NAME).write_bytes(b"wrong")
    assert "remove it from this shared folder" in failure()
    assert (shared / NAME).read_bytes() == b"wrong"


def test_unknown_names(cache):
    with pytest.raises(UnknownDatasetError, match=r"found no dataset 'ukiss', expected one of ukis, l8biome, mnist, "
                                             r"cifar10, pace, .*did you mean ukis\?"):
        fetch(["l8biome", "ukiss"])
    with pytest.raises(UnknownDatasetError, match=r"did you mean ukis/landsat5\.npz\?"):
        resolve(["ukis/landsat5.npy"])


def test_what_was_not_fetched_says_how_to(cache):
    with pytest.raises(MissingDataError, match=r"found no ukis/landsat5\.npz in .*; run python -m .* fetch ukis"):
        locate(DATASETS["ukis"].files[0])


def test_the_registry_is_complete():
    assert list(DATASETS) == ["ukis", "l8biome", "mnist", "cifar10", "pace"]
    for dataset in DATASETS.values():
        assert dataset.title and dataset.licence and dataset.citation and dataset.homepage.startswith("http")
        for file in dataset.files:
            assert file.path.startswith(f"{dataset.name}/") and file.url.startswith("https://")
            assert (file.known_hash is None) == (dataset.name == "pace")
            assert file.bytes or dataset.name == "pace"
    assert [len(DATASETS[name].files) for name in ("ukis", "l8biome")] == [3, 58]
    assert "No hash is published" in DATASETS["pace"].note
    assert DATASETS["pace"].bytes is None and DATASETS["ukis"].bytes == 8_021_573


def test_the_real_files_come_through(server, cache, shared_realdata):
    server.folder = shared_realdata
    outcome = fetch(["ukis", "l8biome", "mnist"], progress=False)
    assert len(outcome.ready) == 2 + 24 + 2
    here = {path.relative_to(shared_realdata).as_posix() for path in shared_realdata.rglob("*") if path.is_file()}
    assert set(outcome.ready) <= here
    assert not set(outcome.failed) & here
    assert all(isinstance(error, DownloadError) and "404" in str(error) for error in outcome.failed.values())
    for name, path in outcome.ready.items():
        assert path.read_bytes() == (shared_realdata / name).read_bytes()


# --- several processes --------------------------------------------------------------------------------

linux = pytest.mark.skipif(sys.platform != "linux", reason="starts processes as copies of this one")
FORK = multiprocessing.get_context("fork") if sys.platform == "linux" else None


def together(start, pipe):
    """What another process gets when it fetches at the same time as others."""
    start.wait(20)
    outcome = fetch(["toy"], progress=False)
    pipe.send((list(outcome.ready), [str(error) for error in outcome.failed.values()]))


@linux
def test_processes_that_fetch_one_file_at_once_take_turns(toy, server, cache):
    start, pipes = FORK.Barrier(3), [FORK.Pipe(duplex=False) for _ in range(3)]
    processes = [FORK.Process(target=together, args=(start, send)) for _, send in pipes]
    for process in processes:
        process.start()
    assert [receive.recv() for receive, _ in pipes] == [([NAME], [])] * 3
    for process in processes:
        process.join(20)
    assert len(server.requests) == 1
    assert (cache / NAME).read_bytes() == BODY and left_behind(cache) == ["one.bin"]


@linux
def test_a_killed_process_keeps_nobody_waiting_and_its_part_is_continued(toy, server, cache):
    server.stall_after[NAME] = 300_000
    process = FORK.Process(target=fetch, args=(["toy"], False))
    process.start()
    part = cache / f"{NAME}.part"
    while not (part.exists() and part.stat().st_size):
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join(20)
    server.stall_after.clear()
    assert not fetch(["toy"], progress=False).failed
    assert server.requests[-1][1].startswith("bytes=") and (cache / NAME).read_bytes() == BODY
