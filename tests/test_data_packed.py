"""The packed layout: batches equal samples, files are read only, damage is noticed."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from comparing import same
from torch.utils.data import DataLoader

from course_utils import losses, simulate
from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.data.patches import (
    PackedPatches,
    PngPatches,
    batches,
    build_packed,
    decode,
    open_packed,
    patches_of,
    simulate_patches,
    write_packed,
    write_png_layout,
)
from course_utils.models.mlp import PixelMLP
from course_utils.runtime import generator


def test_packed_patches_are_the_scenes(packed):
    assert len(packed) == 48
    assert packed.scenes.tolist() == [0] * 16 + [4] * 16 + [2] * 16
    expected = patches_of(simulate.scene(4))
    for number in (0, 7, 15):
        assert same(packed[16 + number], expected.decode(number))


def test_the_same_patches_for_any_number_of_workers(packed):
    two = simulate_patches([0, 4, 2], workers=2)
    assert np.array_equal(two.image, packed.patches.image) and np.array_equal(two.codes, packed.patches.codes)


def test_a_batch_is_its_samples(packed):
    rows = [40, 3, 17]
    batch = packed[rows]
    listed = packed.__getitems__(rows)
    for place, row in enumerate(rows):
        sample = packed[row]
        assert same(sample, {key: value[place] for key, value in batch.items()})
        assert same(sample, listed[place])
    assert same(packed[2:5], packed[[2, 3, 4]])
    assert packed[-1]["scene"] == 2


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_plain_loader_and_ours_give_the_same_batches(packed, shuffle, workers):
    plain = DataLoader(packed, 20, shuffle=shuffle, generator=generator(5), num_workers=workers)
    ours = batches(packed, 20, shuffle=shuffle, generator=generator(5), workers=workers)
    before = torch.random.get_rng_state()
    for expected, batch in zip(plain, ours, strict=True):
        assert same(batch, expected) and {key: value.dtype for key, value in batch.items()} == {
            key: value.dtype for key, value in expected.items()}
    assert torch.equal(torch.random.get_rng_state(), before)        # the global generator is left alone


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_both_layouts_deliver_the_same_through_a_shuffled_loader(packed, tmp_path, as_bytes, workers):
    write_png_layout(tmp_path / "png", packed.patches)
    png = DataLoader(PngPatches(tmp_path / "png", as_bytes=as_bytes), 20, shuffle=True, generator=generator(3),
                     num_workers=workers)
    ours = batches(PackedPatches(packed.patches, as_bytes=as_bytes), 20, shuffle=True, generator=generator(3),
                   workers=workers)
    order = []
    for from_png, batch in zip(png, ours, strict=True):
        batch["codes"][batch["codes"] == 2] = 1             # the PNG layout does not tell thin cloud from thick
        assert same(batch, from_png) and batch["image"].dtype == (torch.uint8 if as_bytes else torch.float32)
        assert {key: value.dtype for key, value in batch.items()} == {key: value.dtype
                                                                      for key, value in from_png.items()}
        order += batch["scene"].tolist()
    assert sorted(order) == sorted(packed.scenes.tolist()) and order != packed.scenes.tolist()


def test_a_model_learns_the_same_from_bytes_decoded_behind_the_loader(packed):
    weights = []
    for as_bytes in (False, True):
        torch.manual_seed(0)
        model = PixelMLP(12, hidden=())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for batch in batches(PackedPatches(packed.patches, as_bytes=as_bytes), 16, shuffle=True,
                             generator=generator(1)):
            image = decode(batch["image"], packed.channels) if as_bytes else batch["image"]
            optimizer.zero_grad()
            losses.bce(model(image), batch["mask"], batch["valid"]).backward()
            optimizer.step()
        weights.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    assert torch.equal(*weights)


def test_a_shuffled_loader_repeats_with_its_seed(packed):
    first, again, other = (next(iter(batches(packed, 8, shuffle=True, generator=generator(seed))))
                           for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)


def test_packed_patches_are_read_only(packed):
    with pytest.raises(ValueError, match="read-only"):
        packed.patches.image[0] = 0
    before = packed[0]["image"].clone()
    packed[0]["image"].zero_()                          # a sample is the caller's own
    assert torch.equal(packed[0]["image"], before)


def test_scenes_are_chosen_and_must_exist(packed):
    part = PackedPatches(packed.patches, scenes=[2, 0])
    assert np.unique(part.scenes).tolist() == [0, 2]
    with pytest.raises(LayoutError, match=r"found no patch of scene 7 \(2 scenes are absent\)"):
        PackedPatches(packed.patches, scenes=[0, 7, 8])


def test_a_worker_gets_the_folders_name_and_not_its_bytes(packed):
    sent = pickle.dumps(packed)
    assert len(sent) < 5_000
    assert same(pickle.loads(sent)[5], packed[5])
    in_memory = PackedPatches(simulate_patches([1]))
    assert same(pickle.loads(pickle.dumps(in_memory))[5], in_memory[5])


def truncate(folder):
    content = (folder / "image.npy").read_bytes()
    (folder / "image.npy").write_bytes(content[:len(content) // 2])


def change_header(**changes):
    def change(folder):
        header = json.loads((folder / "header.json").read_text())
        (folder / "header.json").write_text(json.dumps(header | changes))
    return change


@pytest.mark.parametrize("damage", [
    truncate,
    lambda folder: (folder / "codes.npy").unlink(),
    lambda folder: (folder / "header.json").unlink(),
    lambda folder: (folder / "header.json").write_text("{"),
    lambda folder: (folder / "valid.npy").write_bytes(b""),
    lambda folder: np.save(folder / "codes.npy", np.zeros((1, 64, 64), np.uint8)),
    lambda folder: np.save(folder / "codes.npy", np.full((4, 64, 64), 7, np.uint8)),
    lambda folder: np.save(folder / "valid.npy", np.ones((4, 64, 64), np.uint8)),
    lambda folder: (folder / "header.json").write_text("[]"),
    change_header(encoding="odd"),
    change_header(format=0), change_header(patches=7), change_header(channels=["a"]),
])
def test_damaged_packed_patches_are_noticed(tmp_path, patches, damage):
    write_packed(tmp_path / "p", patches)
    assert len(open_packed(tmp_path / "p")) == 4
    damage(tmp_path / "p")
    with pytest.raises(LayoutError, match=r"found .* expected"):
        open_packed(tmp_path / "p")


def test_a_changed_byte_is_noticed_when_asked_to_verify(tmp_path, patches):
    write_packed(tmp_path / "p", patches)
    open_packed(tmp_path / "p", verify=True)
    content = bytearray((tmp_path / "p/image.npy").read_bytes())
    content[-1] ^= 1
    (tmp_path / "p/image.npy").write_bytes(bytes(content))
    open_packed(tmp_path / "p")
    with pytest.raises(LayoutError, match=r"found SHA-256 .*image\.npy, expected"):
        open_packed(tmp_path / "p", verify=True)


def test_patches_of_another_origin_are_not_taken(tmp_path, patches):
    write_packed(tmp_path / "p", patches, {"simulator": "0", "scenes": [1, 2]})
    with pytest.raises(LayoutError, match=r"of another kind in .*simulator 0, scenes 2 scenes, expected .*simulator 1"):
        open_packed(tmp_path / "p", {"simulator": "1", "scenes": [1, 2]})
    with pytest.raises(MissingDataError, match=r"found no folder .*expected packed patches"):
        open_packed(tmp_path / "none")


def test_patches_are_never_written_over_others(tmp_path, patches):
    write_packed(tmp_path / "p", patches, {"version": 1})
    for write in (lambda: write_packed(tmp_path / "p", patches, {"version": 2}),
                  lambda: build_packed(tmp_path / "p", [0])):
        with pytest.raises(LayoutError, match=r"found .* already there, expected to make it; remove it or choose"):
            write()
    open_packed(tmp_path / "p", {"version": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_write_that_fails_leaves_nothing(tmp_path, patches, monkeypatch):
    monkeypatch.setattr(np, "save", lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_packed(tmp_path / "p", patches)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells what is resident")
def test_reading_every_patch_leaves_no_file_in_memory(tmp_path):
    folder = tmp_path / "packed"
    write_packed(folder, simulate_patches([0, 1]))
    dataset = PackedPatches(folder)
    for start in range(len(dataset)):
        dataset[start : start + 1]
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    resident = [next(line for line in lines if line.startswith("Rss:")) for found in lines
                if found.endswith(str(folder / "image.npy"))]
    assert resident and all(int(line.split()[1]) < 100 for line in resident)        # kB, of 1,536
