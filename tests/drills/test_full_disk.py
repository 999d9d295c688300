"""A full disk, and folders that can only be read: one clear error, nothing half-written, the old file as it was."""

import os
import warnings

import pytest

from course_utils.data import download
from course_utils.data.errors import DownloadError
from course_utils.data.registry import RemoteFile
from tests.drills.apart import apart
from tests.drills.writers import WRITERS


def content(folder):
    """Everything in a folder: links, files with their bytes, folders."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in folder.rglob("*") if path.name != "filler" and path.suffix != ".lock"}


def fill(folder, pages):
    """Leave so much room on the disk and no more."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    state = os.statvfs(folder)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, (state.f_bavail - pages) * state.f_bsize)


def refused(name, folder, number, reason):
    """Write where that is impossible: the documented answer comes, and the folder is as it was. Says what came."""
    writer, before = WRITERS[name], content(folder)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            writer.write(folder, number)
        except writer.refuses as error:
            said = str(error)
            assert "found " in said and "expected " in said and (reason in said or "is the disk full?" in said), said
            after = content(folder)
            assert after == before or (writer.several and not any("/." in f"/{path}" for path in after)), (
                sorted(set(after) ^ set(before)))
            return said
    if writer.warns and content(folder) == before:
        assert any(reason in str(one.message) or "is the disk full?" in str(one.message) for one in warned)
        return "in memory"
    return None


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk(name, tmp_path, needs_namespaces):
    disk = tmp_path / "disk"
    disk.mkdir()

    def drill():
        WRITERS[name].write(disk, 0)
        with_room = [refused(name, disk, 1, "No space left")]
        assert with_room == [None], "it should fit"
        said = []
        for number, pages in enumerate((0, 2, 5), 2):
            fill(disk, pages)
            said.append(refused(name, disk, number, "No space left"))
        assert said[0] is not None, "nothing was written, and nobody noticed"

    apart(drill, disks={disk: "8m"})


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_can_only_be_read(name, tmp_path, needs_namespaces):
    disk = tmp_path / "disk"
    disk.mkdir()
    WRITERS[name].write(disk, 0)
    assert apart(lambda: refused(name, disk, 1, "Read-only file system"), read_only=[disk]), "it was written"


def test_a_download_to_a_full_disk_goes_on_when_there_is_room(tmp_path, server, monkeypatch, needs_namespaces):
    body = bytes(200_000)
    file = RemoteFile("toy/one.bin", "https://example.org/one.bin", len(body))
    server.files[file.path] = body
    monkeypatch.setattr(download, "resolve", lambda _: [file])
    disk = tmp_path / "disk"
    disk.mkdir()

    def drill():
        monkeypatch.setenv("COURSE_CACHE", str(disk))
        fill(disk, 5)
        (error,) = download.fetch(["toy"], progress=False).failed.values()
        assert isinstance(error, DownloadError) and "No space left" in str(error) and "COURSE_CACHE" in str(error)
        assert not (disk / file.path).exists()
        fill(disk, 100)
        assert download.fetch(["toy"], progress=False).ready == {file.path: disk / file.path}
        assert (disk / file.path).read_bytes() == body
        assert sorted(content(disk)) == ["toy", "toy/one.bin"]

    apart(drill, disks={disk: "1m"})
