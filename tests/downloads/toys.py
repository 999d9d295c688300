"""A dataset of one small file, and what became of it."""

import hashlib

from course_utils.data import download
from course_utils.data.download import fetch
from course_utils.data.errors import DownloadError, HashMismatchError
from course_utils.data.registry import RemoteFile

BODY = bytes(range(256)) * 2000             # 512,000 bytes: several pieces
NAME = "toy/one.bin"


def remote(path=NAME, body=BODY, **changes):
    return RemoteFile(**{"path": path, "url": f"https://example.org/{path}", "bytes": len(body),
                         "sha256": hashlib.sha256(body).hexdigest()} | changes)


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
