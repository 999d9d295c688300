"""Fixtures that several test files share: no network but loopback, a server to download from, real scenes."""

import http.server
import os
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
LOCAL = ("127.0.0.1", "::1", "localhost")


def pytest_configure(config):
    """What holds for every test and for the processes that it starts.

    Caches stay inside the project, so that a test run neither reads nor writes the user's own. The arrays of tests are
    small and `-n` takes all cores: more threads would wait for each other. Hypothesis draws the same examples each
    time, and a busy machine is no failure.
    """
    os.environ.setdefault("COURSE_CACHE", str(ROOT / "_build" / "cache"))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    settings.register_profile("course", deadline=None, derandomize=True)
    settings.load_profile("course")


@pytest.fixture(scope="session", autouse=True)
def only_loopback():
    """No test may reach another machine: any such attempt is an error."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host):
        if isinstance(host, bytes):
            host = host.decode()
        if host is not None and host not in LOCAL:
            raise OSError(f"tests may only connect to this machine, not to {host}")

    def guarded(original):
        def call(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                check(address[0])
            return original(self, address)
        return call

    def lookup(host, *args, **kwargs):
        check(host)
        return getaddrinfo(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    patch.setenv("no_proxy", "*")           # a proxy would be another machine, too
    patch.setenv("NO_PROXY", "*")
    patch.setattr(socket.socket, "connect", guarded(connect))
    patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    patch.setattr(socket, "getaddrinfo", lookup)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def shared_realdata() -> Path:
    """The folder of real files for tests, laid out like the registry; the test is skipped without it."""
    shared = Path(os.environ.get("COURSE_TEST_SHARED", ROOT.parent / "shared")) / "realdata"
    if not shared.is_dir():
        pytest.skip(f"real scenes for tests are not there ({shared})")
    return shared


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of this test's own; no shared folder, no mirror."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    return tmp_path / "cache"


class Server:
    """An HTTP server on loopback whose files and misdeeds a test chooses.

    Attributes:
        files: Content by path; anything else is looked up in `folder`, else it is 404.
        folder: A folder to serve, or None.
        requests: (path, Range header) of every request so far.
        drop_after: Bytes after which the connection is cut, by path; used up one by one.
        stall_after: Bytes after which nothing more is sent though the connection stays, by path.
        ranges: Whether Range requests are honoured.
        hang: Paths that are never answered.
        status: A status to answer with, by path.
    """

    def __init__(self):
        self.files, self.folder, self.requests = {}, None, []
        self.drop_after, self.stall_after, self.ranges, self.hang, self.status = {}, {}, True, set(), {}
        self.stopping = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"

    def content(self, path: str) -> bytes | None:
        if path in self.files:
            return self.files[path]
        if self.folder is not None and (self.folder / path).is_file():
            return (self.folder / path).read_bytes()
        return None

    def answer(self, handler):
        path, wanted = handler.path.lstrip("/"), handler.headers.get("Range")
        self.requests.append((path, wanted))
        if path in self.hang:
            self.stopping.wait(20)
            return
        body = self.content(path)
        status = self.status.get(path, 404 if body is None else 200)
        if status != 200:
            handler.send_error(status)
            return
        start = 0
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(body):
                handler.send_error(416)
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        cuts = self.drop_after.get(path, [])
        body = body[start:][:cuts.pop(0)] if cuts else body[start:]
        with suppress(BrokenPipeError, ConnectionResetError):
            handler.wfile.write(body[:self.stall_after.get(path)])
            if path in self.stall_after:
                self.stopping.wait(20)


@pytest.fixture
def server(monkeypatch, cache):
    """A loopback server that the registry's files are downloaded from, instead of their addresses."""
    server = Server()
    thread = threading.Thread(target=server.httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("COURSE_MIRROR", server.url)
    yield server
    server.stopping.set()
    server.httpd.shutdown()
    server.httpd.server_close()
    thread.join()


@pytest.fixture
def ax():
    """Axes to draw on, without a screen, closed afterwards."""
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")
    yield plt.subplots()[1]
    plt.close("all")


@pytest.fixture(scope="session")
def cloudy_scene():
    """A small scene with clouds, thin and thick, land and sea, and a swath edge."""
    from course_utils import simulate

    view = simulate.scene(3, size=128, surface="coast", cloud="cirrus")
    valid, codes = view.valid.copy(), view.codes.copy()
    valid[:, :9] = False
    codes[:20, 60:90], codes[30:50, 60:90] = 1, 2
    codes[~valid] = 255
    return replace(view, valid=valid, codes=codes, image=view.image * valid, land=view.land & valid)


@pytest.fixture(scope="session")
def patches(cloudy_scene):
    """The four patches of that scene."""
    from course_utils.data.patches import patches_of

    return patches_of(cloudy_scene)


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """All patches of three scenes in the packed layout."""
    from course_utils.data.patches import build_packed

    return build_packed(tmp_path_factory.mktemp("packed") / "p", [0, 4, 2])
