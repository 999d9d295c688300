"""CIFAR-10's binary format, on files made here: bytes in their places, honest parts, damage named."""

import numpy as np
import pytest
import torch

from course_utils.data.cifar import RECORD, load_cifar10, read_records, write_records
from course_utils.data.errors import LayoutError, MissingDataError

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def pictures(count, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, count)


@pytest.fixture
def folder(tmp_path):
    for number in range(1, 6):
        write_records(tmp_path / f"data_batch_{number}.bin", *pictures(20, number))
    write_records(tmp_path / "test_batch.bin", *pictures(30, 9))
    (tmp_path / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return tmp_path


def test_a_record_is_a_label_then_red_green_blue_row_by_row(tmp_path):
    record = bytes([7]) + bytes(range(256)) * 4 + bytes([50]) * 1024 + bytes([0] * 31 + [99] + [0] * 992)
    (tmp_path / "x.bin").write_bytes(record)
    images, labels = read_records(tmp_path / "x.bin")
    assert len(record) == RECORD == 3073 and labels.tolist() == [7] and images.shape == (1, 3, 32, 32)
    assert images[0, 0, 1, 0] == 32 and images[0, 0, 0, 31] == 31        # the second row begins at byte 32
    assert (images[0, 1] == 50).all() and images[0, 2, 0, 31] == 99


def test_what_is_written_is_read(tmp_path):
    images, labels = pictures(5, 0)
    write_records(tmp_path / "x.bin", images, labels)
    found = read_records(tmp_path / "x.bin")
    assert np.array_equal(found[0], images) and np.array_equal(found[1], labels) and found[1].dtype == np.int64


def test_train_and_validation_share_the_training_files_and_nothing_else(folder):
    train, validation, test = (load_cifar10(part, folder) for part in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (90, 10, 30) and train.names == tuple(NAMES)
    rows = [{image.tobytes() for image in part.images} for part in (train, validation, test)]
    assert not rows[0] & rows[1] and not (rows[0] | rows[1]) & rows[2] and len(rows[0] | rows[1]) == 100
    again = load_cifar10("validation", folder)
    assert np.array_equal(again.images, validation.images)


def test_samples_and_batches(folder):
    test = load_cifar10("test", folder)
    sample, batch = test[3], test[[3, 5]]
    assert sample["image"].shape == (3, 32, 32) and sample["image"].dtype == torch.float32
    assert torch.equal(batch["image"][0], sample["image"]) and batch["label"].tolist() == test.labels[[3, 5]].tolist()
    assert torch.equal(sample["image"], torch.from_numpy(test.images[3]).float() / 255)


@pytest.mark.parametrize(("content", "words"), [
    (b"", "found 0 bytes in bad.bin, expected a multiple of 3073"),
    (b"\0" * 3072, "found 3072 bytes"),
    (b"\0" * (2 * 3073 - 1), "is the file cut short"),
    (b"\0" * 3073 + b"\x0a" + b"\0" * 3072, "found class 10 in record 1 of bad.bin, expected 0 to 9"),
])
def test_a_damaged_file_is_named(tmp_path, content, words):
    (tmp_path / "bad.bin").write_bytes(content)
    with pytest.raises(LayoutError, match=words):
        read_records(tmp_path / "bad.bin")


def test_missing_files_say_what_to_do(folder, cache):
    with pytest.raises(MissingDataError, match="run python -m course_utils fetch cifar10"):
        load_cifar10("train")
    (folder / "test_batch.bin").unlink()
    with pytest.raises(MissingDataError, match=r"found no file .*test_batch\.bin"):
        load_cifar10("test", folder)
    for file in folder.glob("data_batch_*"):
        file.unlink()
    with pytest.raises(MissingDataError, match=r"found no data_batch_1\.bin"):
        load_cifar10("train", folder)
    (folder / "batches.meta.txt").write_text("cat dog")
    with pytest.raises(LayoutError, match=r"found 2 names in batches\.meta\.txt, expected 10"):
        load_cifar10("test", folder)
    (folder / "batches.meta.txt").unlink()
    with pytest.raises(MissingDataError, match=r"found no batches\.meta\.txt"):
        load_cifar10("test", folder)
    with pytest.raises(ValueError, match="found part 'all', expected one of train, validation, test"):
        load_cifar10("all", folder)


def test_an_archive_that_was_not_unpacked_is_named(tmp_path):
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(b"x")
    with pytest.raises(MissingDataError, match=r"found the packed archive cifar-10-binary\.tar\.gz"):
        load_cifar10("train", archive)


@pytest.mark.parametrize(("images", "labels", "words"), [
    (np.zeros((1, 3, 32, 32)), [0], "float64"),
    (np.zeros((1, 32, 32, 3), np.uint8), [0], r"\(1, 32, 32, 3\)"),
    (np.zeros((2, 3, 32, 32), np.uint8), [0], r"labels \(1,\)"),
    (np.zeros((1, 3, 32, 32), np.uint8), [10], "found classes from 10 to 10"),
    (np.zeros((1, 3, 32, 32), np.uint8), [-1], "found classes from -1 to -1"),
])
def test_what_does_not_fit_the_format_is_not_written(tmp_path, images, labels, words):
    with pytest.raises(LayoutError, match=words):
        write_records(tmp_path / "x.bin", images, labels)
    assert list(tmp_path.iterdir()) == []
