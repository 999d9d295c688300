"""Files that promise, or unpack to, more than anybody has room for; and programs with code where data should be."""

import gzip
import io
import json
import tarfile
import zipfile
import zlib

import numpy as np
import pytest

from course_utils.data.archives import unpack
from course_utils.data.digits import read_idx
from course_utils.data.errors import LayoutError
from course_utils.data.real import read_labelled_npz
from course_utils.data.sky import read_sky_folder
from course_utils.deploy.export import CardError, load_program
from course_utils.files import WriteError
from tests.drills import contents, damage, samples
from tests.drills.test_malformed import bounded_memory

MEGA = 2**20
LITTLE = 200 * MEGA             # what a loader may take for a file that unpacks to more


def test_an_array_that_unpacks_to_more_than_a_notebook_holds(tmp_path):
    piece, packer = bytes(16 * MEGA), zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    start = contents.promise("<f4", "(20, 7, 2048, 1024)")
    size, other = len(start) + 80 * len(piece), zlib.compressobj(9, zlib.DEFLATED, -15)
    content = other.compress(start) + other.flush(zlib.Z_FULL_FLUSH) + 80 * block + packer.flush()
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name in ("mask.npy", "bands.npy"):
            archive.writestr(name, contents.npy(np.zeros(1)))
        archive.writestr("x.npy", content)
        info = archive.getinfo("x.npy")
        info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, size
    assert (tmp_path / "x.npz").stat().st_size < 3 * MEGA
    with bounded_memory(LITTLE), pytest.raises(LayoutError, match=r"found x of 1,342,\d+,\d+ bytes once unpacked"):
        read_labelled_npz(tmp_path / "x.npz")


def test_digits_that_unpack_to_more_than_they_say(tmp_path):
    header = b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (2, 3, 4))
    (tmp_path / "a.gz").write_bytes(gzip.compress(header) + 60 * gzip.compress(bytes(16 * MEGA)))
    with bounded_memory(LITTLE), pytest.raises(LayoutError, match="found 41 bytes or more in"):
        read_idx(tmp_path / "a.gz")
    (tmp_path / "b.gz").write_bytes(gzip.compress(header[:4] + b"\xff" * 12))
    with bounded_memory(LITTLE), pytest.raises(LayoutError, match="expected at most 268,435,456 values"):
        read_idx(tmp_path / "b.gz")


def test_a_picture_that_no_camera_takes(tmp_path):
    picture = contents.png_of(12_000, 12_000, body=bytes(1000))
    damage.lay(tmp_path, {"images/a.png": picture, "masks/a.png": picture})
    with bounded_memory(LITTLE), pytest.raises(LayoutError, match="DecompressionBomb"):
        read_sky_folder(tmp_path)


def test_an_archive_that_does_not_fit_is_refused_before_it_is_unpacked(tmp_path):
    member = tarfile.TarInfo("huge.bin")
    member.size = 2**60
    (tmp_path / "a.tar").write_bytes(member.tobuf() + bytes(1024))
    with pytest.raises((WriteError, LayoutError)):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize("place", ["sample inputs", "weights", "an old file of weights", "constants", "an opaque one"])
def test_a_program_with_a_pickle_is_refused_and_not_read(tmp_path, place):
    """PyTorch itself reads all of these when it opens a program."""
    contents.SPRUNG.clear()
    trap, config = contents.tensors((contents.Trap(),)), "data/constants/model_constants_config.json"
    with zipfile.ZipFile(io.BytesIO(samples.exported_files()["model.pt2"])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(members)).split("/")[0]

    def weight(name, path):
        return {name: {"path_name": path, "is_param": True, "use_pickle": True, "tensor_meta": None}}

    if place == "sample inputs":
        members[f"{root}/data/sample_inputs/model.pt"] = trap
    elif place == "an old file of weights":
        members[f"{root}/data/weights/model.pt"] = trap
    elif place == "weights":
        members[f"{root}/data/weights/weight_0"] = trap
        name = f"{root}/data/weights/model_weights_config.json"
        stored = json.loads(members[name])
        stored["config"] |= weight(next(iter(stored["config"])), "weight_0")
        members[name] = json.dumps(stored).encode()
    else:
        path = "tensor_0" if place == "constants" else "opaque_obj_0"
        members[f"{root}/{config}"] = json.dumps({"config": weight("a", path)}).encode()
        members[f"{root}/data/constants/{path}"] = trap if place == "constants" else contents.PICKLE
    (tmp_path / "m.pt2").write_bytes(contents.zipped(members.items(), zipfile.ZIP_STORED))
    with pytest.raises(CardError, match="found "):
        load_program(tmp_path / "m.pt2")
    assert not contents.SPRUNG
