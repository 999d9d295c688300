"""The file that is handed in: written whole, read with suspicion, refused with clear words."""

import io
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from course_utils.challenge import ChallengeError
from course_utils.challenge.rounds import IDS, PATCHES
from course_utils.challenge.submission import SHAPE, read_submission, write_submission
from tests.challenge.submissions import OWN, made, rewritten


def test_what_is_written_is_read_again(handed_in):
    path, arrays = handed_in
    found, wanted = read_submission(path), made()
    assert found.digest == wanted.digest and np.array_equal(found.pred, wanted.pred)
    assert (found.name, found.parameters, found.cpu_seconds) == ("blocks", 0, 1.5)
    assert set(arrays) == {"round_id", "name", "model", "parameters", "cpu_seconds", "ids", "pred"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_numpy_alone_can_write_one(tmp_path):
    one = made()
    np.savez(tmp_path / "plain.npz", round_id=one.round_id, name="by hand", model="x", parameters=3, cpu_seconds=2.0,
             ids=one.ids, pred=one.pred)
    assert read_submission(tmp_path / "plain.npz").digest == one.digest


def test_order_does_not_matter_and_masks_do():
    order = np.random.default_rng(1).permutation(PATCHES)
    one = made()
    mixed = replace(one, ids=one.ids[order], pred=one.pred[order])
    assert mixed.digest == one.digest and np.array_equal(mixed.ordered, one.pred)
    assert replace(one, pred=one.pred[order]).digest != one.digest          # ids forgotten: other masks
    assert replace(one, name="another", cpu_seconds=7.0).digest == one.digest


@pytest.mark.parametrize(("changes", "words"), [
    ({"name": ""}, "found name '', expected one line of 1 to 60"),
    ({"name": "a\nb"}, "expected one line"),
    ({"name": "n" * 61}, "of 1 to 60 characters"),
    ({"round_id": 7}, "found round_id '7'"),
    ({"parameters": -1}, "found parameters -1, expected a whole number"),
    ({"parameters": 1.5}, r"found parameters 1\.5"),
    ({"cpu_seconds": float("nan")}, "found cpu_seconds nan, expected a finite number"),
    ({"cpu_seconds": -1.0}, "expected a finite number from 0"),
    ({"pred": np.zeros((3, 64, 64), bool)}, r"found pred \(3, 64, 64\) bool, expected \(960, 64, 64\) bool"),
    ({"pred": np.zeros(SHAPE, np.uint8)}, r"uint8, expected bool, true = cloud"),
    ({"pred": np.zeros(SHAPE, np.float32)}, "make masks of probabilities with the cut"),
    ({"pred": np.full(SHAPE, np.nan, np.float32)}, "float32 with NaN in it, expected bool"),
    ({"pred": [1]}, "found pred list"),
    ({"ids": IDS[:-1]}, r"found ids \(959,\) int64, expected \(960,\) int64"),
    ({"ids": IDS.astype(np.int32)}, "int32, expected"),
    ({"ids": np.arange(PATCHES)}, "found the id 16, expected 100 · scene"),
    ({"ids": np.roll(IDS, 1) * 0}, "found patch 0 more than once and 959 patches not at all"),
])
def test_parts_that_are_wrong(changes, words):
    with pytest.raises(ChallengeError, match=words):
        made(**changes)


@pytest.mark.parametrize(("changes", "words"), [
    ({"ids": None}, "found 'round_id, name, model, parameters, cpu_seconds, pred' in bad.npz, expected"),
    ({"extra": np.zeros(3)}, "each once"),
    ({"name": np.array([{"a": 1}], object)}, "found name of Python objects, .* can run code"),
    ({"pred": np.zeros((9_000, 64, 64), bool)}, "found pred of 36,864,128 bytes once unpacked, expected at most"),
    ({"pred": np.full(SHAPE, np.nan)}, "NaN in it"),
    ({"cpu_seconds": np.array(np.nan)}, "found cpu_seconds nan"),
    ({"name": np.array(["a", "b"])}, "found name"),
    ({"parameters": np.array(2.5)}, "found parameters 2.5"),
    ({"cpu_seconds": np.array(True)}, "found cpu_seconds True"),
    ({"cpu_seconds": np.timedelta64(3, "s")}, "found cpu_seconds that is no array of numbers"),
    ({"name": np.array((1, 2), "i4,i4")}, "found name that is no array of numbers"),
])
def test_files_with_wrong_parts(handed_in, tmp_path, changes, words):
    with pytest.raises(ChallengeError, match=words):
        read_submission(rewritten(handed_in[1], tmp_path / "bad.npz", **changes))


def archive_with(handed_in, path, name, content):
    """A copy of a valid file with the bytes of one member replaced."""
    with zipfile.ZipFile(handed_in[0]) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return path


def header_of(dtype, shape):
    """The start of an .npy file that promises an array of any size."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


BOOLS = "{'descr': '|b1', 'fortran_order': False, 'shape': "


def literally(text):
    """The start of an .npy file whose header is any text."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(("content", "words"), [
    (b"", "found pred that is no array"),
    (b"\x93NUMPY\x09\x00" + bytes(50), "found pred that is no array"),
    (header_of("|b1", (10**12,)), r"found pred \(1000000000000,\) bool in 0 bytes"),
    (header_of("|b1", (10**12, 0)), "found pred"),
    (header_of("<U0", (10**12,)), r"found pred \(1000000000000,\) <U0 in 0 bytes"),
    (header_of("|O", (2,)) + b"cos\nsystem\n", "found pred of Python objects"),
    (header_of("|b1", (-1,)) + b"1", "found pred"),
    (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65_535, "found pred that is no array"),
    (literally("{'descr':" + "[" * 900), "found pred that is no array"),
    (literally(BOOLS + "" + "-" * 900 + "1, }\n"), "found pred that is no array"),
    (literally(BOOLS + "(" + "9" * 900), "found pred that is no array"),
    (literally(BOOLS + "(True, 2), }\n") + b"11", "found pred that is no array"),
    (header_of("|b1", (1,) * 40) + b"1", "found pred that is no array"),
    (header_of("<c99", (1,)) + b"1", "found pred that is no array"),
    (header_of("<U1", ()) + b"\xff" * 4, "characters that do not exist"),
])
def test_arrays_that_lie_about_themselves(handed_in, tmp_path, content, words):
    with pytest.raises(ChallengeError, match=words):
        read_submission(archive_with(handed_in, tmp_path / "bad.npz", "pred.npy", content))


def test_a_bomb_is_refused_before_it_is_unpacked(handed_in, tmp_path):
    path = archive_with(handed_in, tmp_path / "bomb.npz", "pred.npy", bytes(80_000_000))
    assert path.stat().st_size < 400_000
    with pytest.raises(ChallengeError, match="found pred of 80,000,000 bytes once unpacked"):
        read_submission(path)


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_beyond_it(handed_in, tmp_path):
    path = archive_with(handed_in, tmp_path / "bomb.npz", "pred.npy", header_of("|b1", SHAPE) + bytes(80_000_000))
    content = bytearray(path.read_bytes())
    place = content.rindex((80_000_128).to_bytes(4, "little"))              # in the directory, at the end
    content[place : place + 4] = (np.prod(SHAPE) + 128).item().to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ChallengeError, match=r"cannot be read \(BadZipFile: Bad CRC-32"):
        read_submission(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(handed_in, tmp_path, method):
    """They unpack as much at once as they like."""
    with zipfile.ZipFile(handed_in[0]) as old, zipfile.ZipFile(tmp_path / "bad.npz", "w", method) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    with pytest.raises(ChallengeError, match=f"packed by method {method}, expected"):
        read_submission(tmp_path / "bad.npz")


def test_names_in_an_archive_can_not_write_to_the_terminal(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as new:
        new.writestr("a\n\x1b[2J.npy", b"")
    with pytest.raises(ChallengeError, match="each once") as caught:
        read_submission(tmp_path / "bad.npz")
    assert str(caught.value).isprintable()


def test_a_true_byte_is_any_but_zero(handed_in, tmp_path):
    pred = made().pred
    content = header_of("|b1", SHAPE) + (pred * np.uint8(2)).tobytes()
    found = read_submission(archive_with(handed_in, tmp_path / "twos.npz", "pred.npy", content))
    assert found.digest == made().digest and np.array_equal(found.pred.view(np.uint8), pred)


def test_masks_in_fortran_order_are_the_same_masks(handed_in, tmp_path):
    found = read_submission(rewritten(handed_in[1], tmp_path / "f.npz", pred=np.asfortranarray(made().pred)))
    assert found.digest == made().digest


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(handed_in, tmp_path):
    path = tmp_path / "twice.npz"
    path.write_bytes(handed_in[0].read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pred.npy", b"again")
    with pytest.raises(ChallengeError, match="each once"):
        read_submission(path)


def test_files_that_are_no_archives(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ChallengeError, match=r"found text\.npz that cannot be read"):
        read_submission(tmp_path / "text.npz")
    for path in (tmp_path / "none.npz", tmp_path / "folder.npz", os.devnull):
        with pytest.raises(ChallengeError, match="found no file "):
            read_submission(path)
    with (tmp_path / "long.npz").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ChallengeError, match=r"found long\.npz of 100,000,000 bytes"):
        read_submission(tmp_path / "long.npz")


def test_damaged_bytes_end_in_a_refusal_or_in_the_same_masks(handed_in, tmp_path):
    whole, rng = handed_in[0].read_bytes(), np.random.default_rng(3)
    for trial in range(60):
        content = bytearray(whole)
        edge = 2_000 if trial % 2 else len(content)             # the directory at the end, or anywhere
        for place in rng.integers(len(content) - edge, len(content), size=3):
            content[place] = rng.integers(256)
        (tmp_path / "bad.npz").write_bytes(content[: rng.integers(1, len(content))] if trial % 5 == 0 else content)
        try:
            found = read_submission(tmp_path / "bad.npz")
        except ChallengeError:
            continue
        assert found.digest == made().digest or found.round_id != OWN.id


def test_only_npz(tmp_path):
    with pytest.raises(ChallengeError, match=r"one that ends in \.npz"):
        write_submission(tmp_path / "masks.npy", made())
