"""Digits: what scikit-learn carries, IDX files made here, damaged ones, and MNIST's own where they are at hand."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from course_utils.data import digits
from course_utils.data.errors import HashMismatchError, LayoutError, MissingDataError

SHARED = Path(os.environ.get("COURSE_TEST_SHARED", Path(__file__).parents[2] / "shared")) / "realdata"


def idx(array, kind=8):
    """The bytes of an IDX file, by the description of the format."""
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="file.gz", packed=True):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if packed else content)
        return path
    return to_file


def test_scikit_learns_digits_in_the_courses_form():
    found = digits.load_digits()
    assert found.images.shape == (1797, 1, 8, 8) and found.images.dtype == np.float32
    assert found.images.min() == 0 and found.images.max() == 1
    assert found.labels.dtype == np.int64 and np.bincount(found.labels).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180]                       # as scikit-learn documents


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 3), (1, 1, 1, 2)])
def test_an_idx_file_is_read_as_it_was_written(write, shape):
    array = np.random.default_rng(0).integers(256, size=shape).astype(np.uint8)
    found = digits.read_idx(write(idx(array)))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(("content", "words"), [
    (idx(IMAGES)[:-1], "found 39 bytes"),
    (idx(IMAGES) + b"x", "found 41 bytes"),
    (idx(IMAGES)[:10], "found 10 bytes"),
    (idx(IMAGES, kind=13), "found 00 00 0d 03"),
    (b"PNG picture", "expected 00 00 08"),
    (b"", "found nothing"),
])
def test_a_file_of_another_kind_or_length_is_refused(write, content, words):
    with pytest.raises(LayoutError, match=words):
        digits.read_idx(write(content))


def test_damaged_gzip_and_missing_files_are_named(write, tmp_path):
    whole = gzip.compress(idx(IMAGES))
    broken = [whole[:-9], b"not gzip", whole[:20] + bytes([whole[20] ^ 255]) + whole[21:]]
    for content in broken:
        with pytest.raises(LayoutError, match="damaged file"):
            digits.read_idx(write(content, packed=False))
    with pytest.raises(MissingDataError, match="fetch mnist"):
        digits.read_idx(tmp_path / "none.gz")


def test_images_and_labels_must_belong_together():
    made = digits.as_digits(IMAGES, np.array([9, 0], np.uint8))
    assert made.images.shape == (2, 1, 3, 4) and made.images[0, 0, 2, 3] == np.float32(11) / 255
    assert made.labels.tolist() == [9, 0] and len(made) == 2
    for labels in ([1, 2, 3], [10, 0]):
        with pytest.raises(LayoutError, match="fetch both files"):
            digits.as_digits(IMAGES, np.array(labels, np.uint8))


def test_without_files_mnist_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert not digits.mnist_available()
    with pytest.raises(MissingDataError, match="python -m course_utils fetch mnist"):
        digits.load_mnist("test")
    with pytest.raises(ValueError, match="expected one of train, test"):
        digits.load_mnist("validation")


def test_a_file_that_is_not_the_published_one_is_not_used(monkeypatch, tmp_path, write):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    for kind in ("images-idx3", "labels-idx1"):
        write(idx(IMAGES), f"mnist/t10k-{kind}-ubyte.gz")
    with pytest.raises(HashMismatchError, match="expected 9fb629c4189"):
        digits.load_mnist("test")


@pytest.mark.skipif(not (SHARED / "mnist" / "t10k-images-idx3-ubyte.gz").exists(), reason="no MNIST files at hand")
def test_the_published_test_part(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("COURSE_DATA", str(SHARED))
    found = digits.load_mnist("test")
    assert found.images.shape == (10000, 1, 28, 28) and found.images.min() == 0 and found.images.max() == 1
    assert np.bincount(found.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert found.labels[:5].tolist() == [7, 2, 1, 0, 4]
