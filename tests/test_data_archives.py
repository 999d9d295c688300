"""Archives: honest ones are unpacked whole, hostile and damaged ones leave nothing behind."""

import io
import stat
import tarfile
import zipfile

import pytest

from course_utils import simulate
from course_utils.data.archives import unpack
from course_utils.data.download import fetch
from course_utils.data.errors import LayoutError, UnsafeArchiveError
from course_utils.data.patches import PngPatches, patches_of, write_png_layout

HOSTILE = ["../outside.txt", "a/../../outside.txt", "/tmp/outside.txt", "..", "..\\outside.txt", "C:\\outside.txt",
           "C:outside.txt", "\\\\server\\share\\outside.txt", "a\\..\\..\\outside.txt"]


def tar_of(path, members, mode="w:gz"):
    """A tar archive of (name or TarInfo, content) pairs."""
    with tarfile.open(path, mode) as archive:
        for member, content in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zip_of(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_an_archive_becomes_a_folder(tmp_path, make):
    archive = make(tmp_path / "a", [("one.txt", b"1"), ("sub/two.txt", b"2")])
    folder = unpack(archive, tmp_path / "out" / "here")
    assert content(folder) == {"one.txt": b"1", "sub/two.txt": b"2"}
    assert [path.name for path in folder.parent.iterdir()] == ["here"]


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_single_top_folder_is_not_doubled(tmp_path, make):
    archive = make(tmp_path / "a", [("data/one.txt", b"1"), ("data/sub/two.txt", b"2")])
    assert content(unpack(archive, tmp_path / "data")) == {"one.txt": b"1", "sub/two.txt": b"2"}


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_member_that_would_leave_is_refused_and_nothing_is_written(tmp_path, make, name):
    archive = make(tmp_path / "a", [("good.txt", b"1"), (name, b"bad"), ("good2.txt", b"2")])
    before = content(tmp_path)
    with pytest.raises(UnsafeArchiveError, match=r"found member '.*' in .*, which would leave its folder, .*plain "
                                            r"files and folders; nothing was unpacked"):
        unpack(archive, tmp_path / "out")
    assert content(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert not any(path.name.startswith(".out") for path in tmp_path.iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    member = tarfile.TarInfo("innocent.txt")
    member.type, member.linkname = kind, "good.txt"
    archive = tar_of(tmp_path / "a", [("good.txt", b"1"), (member, b"")])
    with pytest.raises(UnsafeArchiveError, match=r"'innocent\.txt' .*would make a link or a device"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("innocent.txt")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive = zip_of(tmp_path / "a", [(link, b"/etc/passwd")])
    with pytest.raises(UnsafeArchiveError, match="would make a link or a device"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.98])
def test_a_damaged_archive_leaves_nothing(tmp_path, keep):
    archive = tar_of(tmp_path / "a", [(f"{n}.bin", bytes(range(256)) * 40) for n in range(30)])
    whole = archive.read_bytes()
    archive.write_bytes(whole[:keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(LayoutError, match="fetch it again"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_flipped_bit_is_noticed(tmp_path):
    archive = tar_of(tmp_path / "a", [(f"{n}.bin", bytes(range(256)) * 40) for n in range(30)])
    damaged = bytearray(archive.read_bytes())
    damaged[-6] ^= 1                                       # in gzip's own check sum
    archive.write_bytes(bytes(damaged))
    with pytest.raises(LayoutError, match=r"found a damaged archive .*CRC"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_there_already_is_kept(tmp_path):
    archive = tar_of(tmp_path / "a", [("one.txt", b"1")])
    unpack(archive, tmp_path / "out")
    with pytest.raises(LayoutError, match="already there, expected to make it"):
        unpack(archive, tmp_path / "out")


@pytest.fixture
def pace_archive(tmp_path):
    """An archive in the format of the PACE hackweek: PNG files in one folder, no note of ours."""
    patches = patches_of(simulate.scene(2, size=128))
    write_png_layout(tmp_path / "cldmask_dataset", patches)
    (tmp_path / "cldmask_dataset" / "about.json").unlink()
    with tarfile.open(tmp_path / "cldmask_dataset.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "cldmask_dataset", "cldmask_dataset")
    return tmp_path / "cldmask_dataset.tar.gz", patches


def test_the_pace_archive_is_fetched_unpacked_and_read(server, cache, pace_archive):
    archive, patches = pace_archive
    server.files["pace/cldmask_dataset.tar.gz"] = archive.read_bytes()
    outcome = fetch(["pace"], progress=False)
    folder = cache / "pace" / "cldmask_dataset"
    assert outcome.ready == {"pace/cldmask_dataset.tar.gz": folder}
    dataset = PngPatches(folder)
    assert len(dataset) == 4
    for number in range(4):
        assert (dataset[number]["mask"].numpy() == (patches.decode(number)["mask"].numpy())).all()
        assert (dataset[number]["valid"].numpy() == patches.valid[number]).all()
        read = dataset[number]["image"][:11].numpy()
        assert abs(read * 255 - patches.image[number, :11]).max() < 1e-4
    fetch(["pace"], progress=False)
    assert len(server.requests) == 1


def test_a_hostile_pace_archive_is_reported_and_not_unpacked(server, cache, tmp_path):
    hostile = tar_of(tmp_path / "a", [("../outside.txt", b"bad")])
    server.files["pace/cldmask_dataset.tar.gz"] = hostile.read_bytes()
    outcome = fetch(["pace"], progress=False)
    assert isinstance(outcome.failed["pace/cldmask_dataset.tar.gz"], UnsafeArchiveError)
    assert [path.name for path in (cache / "pace").iterdir()] == ["cldmask_dataset.tar.gz.corrupt"]
