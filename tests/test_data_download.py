"""Downloads from a real server on loopback, which misbehaves in every way that servers do."""

import hashlib
import multiprocessing
import sys
import time

import pytest

from course_utils.data import download, local
from course_utils.data.download import fetch
from course_utils.data.errors import DownloadError, HashMismatchError, MissingDataError, UnknownDatasetError
from course_utils.data.local import find, locate
from course_utils.data.registry import DATASETS, Dataset, RemoteFile, resolve

BODY = bytes(range(256)) * 2000             # 512,000 bytes: several pieces
NAME = "toy/one.bin"


def remote(path=NAME, body=BODY, **changes):
    return RemoteFile(**{"path": path, "url": f"https://example.org/{path}", "bytes": len(body),
                         "sha256": hashlib.sha256(body).hexdigest()} | changes)


@pytest.fixture
def toy(monkeypatch, server):
    """A dataset of one file that the server has."""
    def register(*files):
        monkeypatch.setitem(DATASETS, "toy", Dataset("toy", "A toy", files, "none", "none", "none", ""))
    register(remote())
    server.files[NAME] = BODY
    return register


def failure(names=("toy",), **options) -> str:
    """The one message of a fetch that fails."""
    outcome = fetch(names, progress=False, **options)
    assert not outcome.ready
    (error,) = outcome.failed.values()
    assert "\n" not in str(error)
    assert isinstance(error, DownloadError | HashMismatchError)
    return str(error)


def left_behind(cache):
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.name != download.LOCK)


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


def test_404_is_one_clear_line_and_no_second_try(toy, server, cache):
    server.files.clear()
    message = failure()
    assert message == (f"found 404 Not Found at {server.url}/toy/one.bin, expected the file toy/one.bin; try later, "
                       f"or put the file at {cache / NAME} by hand, or name a folder that has toy/one.bin in "
                       "COURSE_DATA")
    assert len(server.requests) == 1
    assert left_behind(cache) == []


def test_a_server_that_fails(toy, server, cache):
    server.status[NAME] = 503
    assert failure().startswith("found 503 Service Unavailable at")


def test_a_server_that_does_not_answer(toy, server, cache):
    server.hang.add(NAME)
    message = failure(timeout=(0.3, 0.3))
    assert message.startswith(f"found no answer within 0.3 s from {server.url}/toy/one.bin; try later")
    assert "COURSE_DATA" in message
    assert len(server.requests) == 1


def test_a_server_that_falls_silent_is_asked_for_the_rest(toy, server, cache):
    server.stall_after[NAME] = 300_000
    assert not fetch(["toy"], progress=False, timeout=(0.3, 0.3)).failed
    assert len(server.requests) == 2 and server.requests[1][1].startswith("bytes=")
    assert (cache / NAME).read_bytes() == BODY


def test_a_server_that_keeps_falling_silent_is_given_up(toy, server, cache):
    server.stall_after[NAME] = 70_000
    message = failure(timeout=(0.3, 0.1))
    assert message.startswith(f"found no connection to {server.url}/toy/one.bin (") and "timed out" in message
    assert "(what came is kept)" in message and "COURSE_DATA" in message
    assert left_behind(cache) == ["one.bin.part"]


def test_a_server_that_refuses(toy, server, cache, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", "http://127.0.0.1:9")        # the discard port: nobody listens
    message = failure()
    assert message.startswith("found no connection to http://127.0.0.1:9/toy/one.bin (")
    assert "refused" in message
    assert "COURSE_DATA" in message


def test_no_network(toy, cache, monkeypatch):
    monkeypatch.delenv("COURSE_MIRROR")              # now the true address, which tests can not reach
    message = failure()
    assert message.startswith("found no connection to https://example.org/toy/one.bin (")
    assert "check the network" in message


def test_a_server_that_can_not_be_reached_is_asked_once(toy, cache, monkeypatch):
    toy(remote(), remote("toy/two.bin"), remote("toy/here.bin"))
    monkeypatch.setenv("COURSE_MIRROR", "http://127.0.0.1:9")
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "here.bin").write_bytes(BODY)
    outcome = fetch(["toy"], progress=False)
    assert list(outcome.ready) == ["toy/here.bin"]
    assert [type(error).__name__ for error in outcome.failed.values()] == ["NoConnectionError", "NotTriedError"]
    assert str(outcome.failed["toy/two.bin"]) == "not tried, for there was no connection to 127.0.0.1:9"


def test_a_folder_that_can_not_be_written(toy, server, cache, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    message = failure()
    assert message.startswith("could not write")
    assert "COURSE_CACHE" in message


def test_a_full_disk(toy, server, cache, monkeypatch):
    def full(self, chunk):
        raise OSError(28, "No space left on device")

    class Full:
        __enter__ = lambda self: self                       # noqa: E731
        __exit__ = lambda self, *args: None                 # noqa: E731
        write = full

    original = download.Path.open
    monkeypatch.setattr(download.Path, "open", lambda self, mode="r", *args, **kwargs: Full() if mode in (
        "wb", "ab") else original(self, mode, *args, **kwargs))
    assert "No space left on device" in failure()


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
