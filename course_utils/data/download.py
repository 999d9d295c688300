"""Downloads, verified after every download and resumed where they stopped: the only code that uses the network.

A file is looked for in ``COURSE_DATA``, then in the cache, then at its address (or, if ``COURSE_MIRROR`` is set,
at that address followed by the registry's path). It is downloaded into ``<name>.part`` beside its place, checked,
and only then given its name. A file that fails the check becomes ``<name>.corrupt``. Processes that share a cache
take turns, file by file, and the later one finds what the earlier one brought.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from filelock import FileLock
from tqdm import tqdm

from course_utils.data.archives import unpack
from course_utils.data.errors import DataError, DownloadError, HashMismatchError, NoConnectionError, NotTriedError
from course_utils.data.folders import data_folder
from course_utils.data.local import find, matches, verify
from course_utils.data.registry import RemoteFile, resolve
from course_utils.files import WriteError

__all__ = ["Fetched", "fetch"]

TIMEOUT = (10.0, 30.0)      # seconds to connect, seconds between two pieces of an answer
CHUNK = 1 << 16
LOCK = ".fetch.lock"        # in the cache; held by the process that downloads
POOCH = "tmp????????"       # the names of pooch's temporary files
ATTEMPTS = 5                # of which each must have brought some bytes to be followed by another


@dataclass
class Fetched:
    """What became of each file that was asked for.

    Attributes:
        ready: files that are there now and verified, by their path in the registry.
        failed: the reason for each file that is not there.
    """

    ready: dict[str, Path] = field(default_factory=dict)
    failed: dict[str, DataError] = field(default_factory=dict)


def fetch(names: Iterable[str], progress: bool = True, timeout: tuple[float, float] = TIMEOUT,
          done: Callable[[RemoteFile, Path | DataError], None] | None = None) -> Fetched:
    """Make datasets available: download what is not there yet, verify everything, unpack archives.

    One file that fails does not stop the others, but a server that cannot be reached is asked only once.

    Args:
        names: names of datasets or of single files, as `registry.resolve` takes them.
        progress: whether a progress bar is shown for each file.
        timeout: seconds to wait for a connection, and for the next piece of an answer.
        done: called after each file with its entry and where it is now, or why it is not.

    Returns:
        What is ready and what failed.

    Raises:
        UnknownDatasetError: a name is not in the registry; nothing is downloaded then.
    """
    outcome, unreachable = Fetched(), set()
    for file in resolve(names):
        server = urlsplit(_address(file)).netloc
        try:
            if server in unreachable and find(file) is None:
                raise NotTriedError(f"not tried, for there was no connection to {server}")
            result = outcome.ready[file.path] = _fetch_file(file, progress, timeout)
        except DataError as error:
            result = outcome.failed[file.path] = error
            if isinstance(error, NoConnectionError):
                unreachable.add(server)
        if done is not None:
            done(file, result)
    return outcome


def _fetch_file(file: RemoteFile, progress: bool, timeout: tuple[float, float]) -> Path:
    """One file: found and verified, or downloaded and verified; an archive is unpacked."""
    folder = data_folder()
    path = _verified(file, folder)
    if path is not None and not (file.unpack and path.is_file()):
        return path
    with _turn(folder):
        path = _verified(file, folder) or _download(file, folder, progress, timeout)
        return _unpack(path, folder, file.unpack) if file.unpack and path.is_file() else path


def _verified(file: RemoteFile, folder: Path) -> Path | None:
    """Where a good file is; None if it has to be downloaded, a bad one being set aside."""
    path = find(file)
    try:
        if path is not None and path.is_file():
            verify(path, file)
    except HashMismatchError:
        if not path.is_relative_to(folder):
            raise                       # a shared folder is somebody else's to mend
        return None
    return path


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until no other process downloads to this folder; the system ends the turn of one that is killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK).acquire()
    except OSError as error:
        raise DownloadError(_not_writable(folder, error)) from error
    with lock:
        yield


def _not_writable(place: Path, error: OSError) -> str:
    """What to do when a folder or a disk refuses."""
    return (f"could not write {place} ({error.strerror or error}), expected room on the disk and a folder that may be "
            "written to; free some space or name another folder in COURSE_CACHE")


def _unpack(archive: Path, folder: Path, name: str) -> Path:
    """Unpack an archive into the data folder; one that cannot be used is set aside, where it is ours to move."""
    try:
        return unpack(archive, folder / name)
    except WriteError as error:
        raise DownloadError(_not_writable(folder / name, error)) from error
    except DataError:
        if archive.is_relative_to(folder):
            with suppress(OSError):
                archive.replace(archive.with_name(f"{archive.name}.corrupt"))
        raise


def _download(file: RemoteFile, folder: Path, progress: bool, timeout: tuple[float, float]) -> Path:
    """Let pooch fetch a file with a downloader that resumes; every failure is one clear line."""
    url, place = _address(file), folder / file.path
    by_hand = f"or put the file at {place} by hand, or name a folder that has {file.path} in COURSE_DATA"
    for left in place.parent.glob(POOCH):       # by a process that was killed: who downloads is alone here
        left.unlink(missing_ok=True)
    pooch.get_logger().setLevel("WARNING")      # the progress bar says the rest
    fetcher = pooch.create(path=folder, base_url="", registry={file.path: file.known_hash}, urls={file.path: url})
    try:
        return Path(fetcher.fetch(file.path, downloader=_Resuming(file, place, progress, timeout)))
    except requests.HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}"
        raise DownloadError(f"found {answer} at {url}, expected the file {file.path}; try later, {by_hand}") from error
    except requests.ReadTimeout as error:
        raise DownloadError(f"found no answer within {timeout[1]:g} s from {url}; try later (what came is kept), "
                            f"{by_hand}") from error
    except requests.RequestException as error:
        began = place.with_name(f"{place.name}.part").exists()
        raise (DownloadError if began else NoConnectionError)(
            f"found no connection to {url} ({_cause(error)}); check the network and try again (what came is kept), "
            f"{by_hand}") from error
    except OSError as error:
        raise DownloadError(_not_writable(place, error)) from error


def _address(file: RemoteFile) -> str:
    """Where a file is downloaded from: the mirror, if there is one."""
    mirror = os.environ.get("COURSE_MIRROR")
    return f"{mirror.rstrip('/')}/{file.path}" if mirror else file.url


def _cause(error: BaseException) -> str:
    """The innermost reason of an error of requests, in one short line."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


class _Resuming:
    """A downloader for pooch that continues ``<name>.part`` instead of beginning again."""

    def __init__(self, file: RemoteFile, place: Path, progress: bool, timeout: tuple[float, float]):
        self.file, self.progress, self.timeout = file, progress, timeout
        self.part = place.with_name(f"{place.name}.part")

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Download a file, verify it, and put it where pooch wants it."""
        resumed = self.part.exists()
        self._receive_all(url)
        if resumed and not matches(self.part, self.file):
            self.part.unlink()          # its beginning was of something else: once more from the start
            self._receive_all(url)
        verify(self.part, self.file)
        self.part.replace(output_file)

    def _receive_all(self, url: str) -> None:
        """Ask again for the rest as long as each answer brings something."""
        for attempt in range(1, ATTEMPTS + 1):
            before = self._have()
            try:
                return self._receive(url)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                if attempt == ATTEMPTS or self._have() == before:
                    raise
        return None

    def _have(self) -> int:
        """Bytes received so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _receive(self, url: str) -> None:
        """One request for what is missing; a server that sends everything again is taken at its word."""
        have = self._have()
        if have and have == self.file.bytes:
            return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self.part.unlink()
                self._receive(url)
                return
            answer.raise_for_status()
            continues = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if not (answer.status_code == requests.codes.partial_content and continues):
                have = 0
            total = self.file.bytes or have + int(answer.headers.get("Content-Length", 0)) or None
            with (self.part.open("ab" if have else "wb") as out,
                  tqdm(desc=self.file.path, initial=have, total=total, unit="B", unit_scale=True, leave=False,
                       **({} if self.progress else {"disable": True})) as bar):
                for chunk in answer.iter_content(CHUNK):
                    out.write(chunk)
                    bar.update(len(chunk))
