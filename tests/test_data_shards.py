"""Shards: every patch once, in whichever order and by however many readers; damage is noticed; how a buffer mixes."""

import tarfile

import numpy as np
import pytest
import torch
from comparing import same
from torch.utils.data import DataLoader

from course_utils.data.errors import LayoutError
from course_utils.data.shards import Shards, shards_of_worker, shuffled, write_shards
from course_utils.runtime import generator


@pytest.fixture(scope="module")
def folder(packed, tmp_path_factory):
    """48 patches in shards of 10, the last one of 8."""
    folder = tmp_path_factory.mktemp("shards") / "shards"
    write_shards(folder, packed.patches, per_shard=10)
    return folder


def prints(samples):
    """A number for each sample that tells it from the others, sorted."""
    return sorted(float(sample["image"].double().sum()) for sample in samples)


def batched_prints(folder, workers, **options):
    loader = DataLoader(Shards(folder, **options), batch_size=None, num_workers=workers)
    return [float(sample["image"].double().sum()) for sample in loader]


def test_in_order_the_samples_are_the_patches(packed, folder):
    got = list(Shards(folder, seed=None))
    assert len(got) == len(Shards(folder)) == 48
    for row, sample in enumerate(got):
        assert same(sample, packed[row])


def test_bytes_are_given_as_they_are_kept(packed, folder):
    for row, sample in enumerate(Shards(folder, seed=None, as_bytes=True)):
        assert same(sample, packed.patches.stored(row))


def test_a_shard_is_an_ordinary_tar_file(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["header.json"] + [f"shard-0000{n}.tar" for n in range(5)]
    with tarfile.open(folder / "shard-00004.tar") as tar:
        names = tar.getnames()
    assert len(names) == 8 * 3 and names[:3] == ["0000040.image.npy", "0000040.codes.npy", "0000040.valid.npy"]


@pytest.mark.parametrize(("buffer", "workers"), [(1, 0), (7, 0), (100, 0), (1, 1), (1, 2), (100, 2)])
def test_every_patch_comes_once(packed, folder, buffer, workers):
    assert sorted(batched_prints(folder, workers, buffer=buffer)) == prints(packed)


def test_an_epoch_has_an_order_that_can_be_repeated_and_the_next_another(folder):
    def order(epoch, seed=0):
        shards = Shards(folder, buffer=20, seed=seed)
        shards.set_epoch(epoch)
        return [float(sample["image"].sum()) for sample in shards]

    assert order(0) == order(0) and order(1) == order(1)
    assert order(0) != order(1) and order(0) != order(0, seed=1)


def test_no_two_epochs_or_seeds_share_an_order(folder):
    def order(seed, epoch):
        shards = Shards(folder, buffer=48, seed=seed)
        shards.set_epoch(epoch)
        return tuple(sample["image"].sum().item() for sample in shards)

    assert len({order(seed, epoch) for seed in range(3) for epoch in range(3)}) == 9


def test_more_workers_than_shards_is_no_error(packed, tmp_path):
    write_shards(tmp_path / "one", packed.patches)
    assert sorted(batched_prints(tmp_path / "one", workers=2)) == prints(packed)


@pytest.mark.parametrize("workers", [1, 2, 5, 9])
def test_every_shard_has_one_reader(workers):
    names = [f"shard-{n}" for n in range(7)]
    parts = [shards_of_worker(names, worker, workers) for worker in range(workers)]
    assert sorted(name for part in parts for name in part) == names
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_folder_that_is_there_is_left_alone(folder, packed):
    with pytest.raises(LayoutError, match="already there"):
        write_shards(folder, packed.patches)


def test_a_write_that_fails_leaves_nothing(packed, tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("course_utils.data.shards._write_shard", fail)
    with pytest.raises(OSError, match="disk full"):
        write_shards(tmp_path / "shards", packed.patches)
    assert list(tmp_path.iterdir()) == []


def test_shards_without_patches_are_refused(packed, tmp_path):
    with pytest.raises(LayoutError, match="shards of 0, expected at least one"):
        write_shards(tmp_path / "shards", packed.patches, per_shard=0)


def test_no_shards_and_no_buffer_are_refused(folder, tmp_path):
    with pytest.raises(LayoutError, match=r"expected header\.json and tar files"):
        Shards(tmp_path)
    with pytest.raises(LayoutError, match="found buffer=0"):
        Shards(folder, buffer=0)
    with pytest.raises(LayoutError, match="seed=-1, expected at least 1 patch and a seed from 0"):
        Shards(folder, seed=-1)


@pytest.mark.parametrize("cut", [100, 3 * 512, 60_000, 512 * 120])
def test_a_shard_that_is_cut_off_is_noticed(packed, tmp_path, cut):
    write_shards(tmp_path / "shards", packed.patches, per_shard=48)
    path = tmp_path / "shards" / "shard-00000.tar"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(LayoutError, match="write the shards again"):
        list(Shards(tmp_path / "shards", seed=None))


def test_a_shard_that_lacks_patches_or_holds_others_is_noticed(packed, tmp_path):
    write_shards(tmp_path / "s", packed.patches, per_shard=10)
    shard, other = (tmp_path / "s" / f"shard-0000{number}.tar" for number in (0, 1))
    whole = shard.read_bytes()
    for content, found in ((bytes(10240), "its end in place of 0000000.image.npy"),
                           (other.read_bytes(), "0000010.image.npy in place of 0000000.image.npy")):
        shard.write_bytes(content)
        with pytest.raises(LayoutError, match=rf"{found}.*expected a tar file of 10 whole patches"):
            list(Shards(tmp_path / "s"))
    shard.write_bytes(whole)
    assert len(list(Shards(tmp_path / "s"))) == 48


def test_a_buffer_of_one_keeps_the_order_and_a_large_one_is_a_shuffle():
    assert list(shuffled(range(9), 1, generator(0))) == list(range(9))
    firsts = [next(iter(shuffled(range(5), 5, generator(seed)))) for seed in range(500)]
    assert np.bincount(firsts).min() > 60               # 100 expected of each, 9 is a standard deviation


@pytest.mark.parametrize("buffer", [4, 32])
def test_a_buffer_moves_an_item_by_its_own_size(buffer):
    """Place after minus place before is a geometric number of steps minus (buffer − 1): mean 0, spread √(B(B−1))."""
    order = np.array(list(shuffled(range(20_000), buffer, generator(0))))
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    moved = (places - np.arange(len(order)))[: -20 * buffer]
    assert moved.min() == -(buffer - 1)
    assert abs(moved.mean()) < 0.06 * buffer
    assert np.isclose(moved.std(), np.sqrt(buffer * (buffer - 1)), rtol=0.06)


def test_the_draws_are_the_generators():
    own = generator(3)
    state = own.get_state()
    list(shuffled(range(10), 4, own))
    assert not torch.equal(own.get_state(), state)
