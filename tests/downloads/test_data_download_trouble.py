"""A server that misbehaves in every way that servers do, and folders that cannot be written."""

from course_utils.data import download
from course_utils.data.download import fetch
from tests.downloads.toys import BODY, NAME, failure, left_behind, remote


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
    monkeypatch.delenv("COURSE_MIRROR")              # now the true address, which tests cannot reach
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
