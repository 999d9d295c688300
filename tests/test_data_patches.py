"""Patches: cut, stored, read back in both layouts, damaged in every way that files get damaged."""

import json
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from course_utils import simulate
from course_utils.data.errors import InvalidReflectance, LayoutError, MissingData
from course_utils.data.patches import (
    PackedPatches,
    Patches,
    PngPatches,
    as_arrays,
    batches,
    build_packed,
    channel_names,
    cut,
    open_packed,
    patches_of,
    simulate_patches,
    write_packed,
    write_png_layout,
)
from course_utils.runtime import generator
from course_utils.sensors import LANDSAT8, PACE_OCI


@pytest.fixture(scope="module")
def scene():
    """A small scene with clouds, thin and thick, land and sea, and a swath edge."""
    view = simulate.scene(3, size=128, surface="coast", cloud="cirrus")
    valid, codes = view.valid.copy(), view.codes.copy()
    valid[:, :9] = False
    codes[:20, 60:90], codes[30:50, 60:90] = 1, 2
    codes[~valid] = 255
    return type(view)(**{**vars(view), "valid": valid, "codes": codes,
                         "image": np.where(valid, view.image, 0), "land": view.land & valid})


@pytest.fixture(scope="module")
def patches(scene):
    return patches_of(scene)


@pytest.fixture
def folder(tmp_path, patches):
    write_png_layout(tmp_path / "png", patches)
    return tmp_path / "png"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Three real scenes in the packed layout."""
    return build_packed(tmp_path_factory.mktemp("packed") / "p", [0, 4, 2])


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)


# --- cutting --------------------------------------------------------------------------------------

@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.lists(st.integers(1, 3), max_size=2))
@settings(max_examples=60, deadline=None)
def test_the_patches_put_together_are_the_image(rows, columns, size, front):
    image = np.arange(np.prod([*front, rows * size, columns * size])).reshape(*front, rows * size, columns * size)
    tiles = cut(image, size)
    assert tiles.shape == (rows * columns, *front, size, size)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        assert np.array_equal(tile, image[..., row * size:(row + 1) * size, column * size:(column + 1) * size])


@pytest.mark.parametrize(("shape", "size"), [((12, 100, 128), 64), ((128, 100), 64), ((8, 8), 0)])
def test_patches_that_do_not_fill_the_image(shape, size):
    with pytest.raises(LayoutError, match=r"found an image of \d+×\d+ for patches of .*expected multiples"):
        cut(np.zeros(shape), size)


# --- from scene to sample -------------------------------------------------------------------------

def test_a_patch_holds_what_the_scene_holds(scene, patches):
    assert len(patches) == 4
    assert patches.channels == (*PACE_OCI.band_names, "land")
    for number, (row, column) in enumerate([(0, 0), (0, 64), (64, 0), (64, 64)]):
        here = (slice(row, row + 64), slice(column, column + 64))
        sample = patches.decode(number)
        stored = simulate.decode_uint8(simulate.encode_uint8(scene.image[:, *here]))
        np.testing.assert_allclose(sample["image"][:11].numpy(), stored, rtol=3e-7)
        assert np.array_equal(sample["image"][11].numpy(), scene.land[here].astype(np.float32))
        assert np.array_equal(sample["mask"].numpy(), scene.mask[here])
        assert np.array_equal(sample["valid"].numpy(), scene.valid[here])
        assert np.array_equal(sample["codes"].numpy(), scene.codes[here])
        assert sample["scene"] == 3


def test_a_sample_has_the_types_of_the_contract(patches):
    sample = patches.decode(0)
    assert {key: (tuple(value.shape), value.dtype) for key, value in sample.items() if key != "scene"} == {
        "image": ((12, 64, 64), torch.float32), "mask": ((64, 64), torch.bool), "valid": ((64, 64), torch.bool),
        "codes": ((64, 64), torch.uint8)}
    assert type(sample["scene"]) is int
    assert patches.decode([0, 2])["scene"].tolist() == [3, 3]


def test_only_pace_patches_carry_the_land_mask():
    assert channel_names(PACE_OCI)[-1] == "land"
    assert channel_names(LANDSAT8) == LANDSAT8.band_names
    small = patches_of(simulate.scene(1, sensor=LANDSAT8, size=64))
    assert small.image.shape == (1, 7, 64, 64)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_nan_reflectance_is_refused_with_its_place(scene, wrong):
    image = scene.image.copy()
    image[8, 70, 100], image[9, 0, 100] = wrong, wrong
    broken = type(scene)(**{**vars(scene), "image": image})
    with pytest.raises(InvalidReflectance, match=rf"found reflectance {wrong} in scene 3, channel 1378, row 70, "
                                                 r"column 100 \(2 such values\), expected finite numbers"):
        patches_of(broken)


def test_nan_outside_the_swath_is_no_measurement(scene):
    image = scene.image.copy()
    image[:, ~scene.valid] = np.nan
    assert np.array_equal(patches_of(type(scene)(**{**vars(scene), "image": image})).image, patches_of(scene).image)


def test_arrays_that_do_not_fit_together(patches):
    with pytest.raises(LayoutError, match=r"found codes \(3, 64, 64\) uint8, expected \(4, 64, 64\) uint8 for 4"):
        Patches(patches.image, patches.codes[:3], patches.valid, patches.scene, patches.channels)
    with pytest.raises(LayoutError, match=r"found valid .* uint8, expected \(4, 64, 64\) bool"):
        Patches(patches.image, patches.codes, patches.valid.astype(np.uint8), patches.scene, patches.channels)


# --- PNG layout -----------------------------------------------------------------------------------

def test_what_is_written_as_png_is_read_back(folder, patches):
    dataset = PngPatches(folder)
    assert len(dataset) == 4
    for number in range(4):
        read, written = dataset[number], patches.decode(number)
        for key in ("image", "mask", "valid", "scene"):
            assert np.array_equal(read[key], written[key]), key
        assert np.array_equal(read["codes"], np.where(written["codes"] == 2, 1, written["codes"]))
    assert dataset.unreadable == {}


def test_the_files_are_those_of_the_pace_tutorials(folder, scene):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    expected = {f"input/{n:07d}_{end}.png" for n in range(4) for end in (0, 1, 2, 3, "mask")}
    assert names == expected | {f"output/{n:07d}.png" for n in range(4)}
    clear = np.asarray(Image.open(folder / "output/0000001.png"))
    assert clear.dtype == bool                          # the tutorials write ~array
    assert np.array_equal(clear, scene.codes[:64, 64:] == 0)
    assert np.array_equal(np.asarray(Image.open(folder / "input/0000000_mask.png")), scene.valid[:64, :64])
    assert np.asarray(Image.open(folder / "input/0000000_3.png")).shape == (64, 64, 3)
    assert set(np.unique(np.asarray(Image.open(folder / "input/0000000_3.png"))[..., 2])) <= {0, 255}


def test_an_archive_without_our_note_is_read_as_shares_of_255(folder, patches):
    (folder / "about.json").unlink()
    sample = PngPatches(folder)[2]
    np.testing.assert_allclose(sample["image"][:11].numpy(), patches.image[2, :11] / 255, rtol=1e-6)
    assert sample["scene"] == -1


def test_masks_of_eight_bits_are_read_too(folder):
    before = PngPatches(folder)[1]
    for name in ("output/0000001.png", "input/0000001_mask.png"):
        Image.fromarray(np.asarray(Image.open(folder / name)).astype(np.uint8) * 255).save(folder / name)
    assert same(PngPatches(folder)[1], before)


def damage_header(path):
    path.write_bytes(b"this is no picture")


def damage_end(path):
    path.write_bytes(path.read_bytes()[:-60])


def damage_middle(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def damage_all(path):
    path.write_bytes(b"")


def damage_size(path):
    Image.open(path).resize((32, 64)).save(path)


DAMAGES = [damage_header, damage_end, damage_middle, damage_all, damage_size]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_unreadable_file_becomes_zeros_that_count_nowhere(folder, damage, check):
    damage(folder / "input/0000002_1.png")
    with pytest.warns(UserWarning, match=r"found 1 of 4 patches unreadable so far, the first because "
                                         r"input/0000002_1\.png .*zeros with zero validity") as caught:
        dataset = PngPatches(folder, check=check)
        samples = [dataset[i] for i in range(4)] * 2
    assert len(caught) == 1
    bad = samples[2]
    assert not bad["image"].any() and not bad["valid"].any() and not bad["mask"].any()
    assert (bad["codes"] == 255).all()
    assert bad["image"].shape == (12, 64, 64)
    reason = "has the wrong size" if damage is damage_size else "can not be read as an image"
    assert dataset.unreadable == {"input/0000002_1.png": reason}
    assert all(samples[i]["valid"].any() for i in (0, 1, 3))


def test_all_unreadable_files_are_counted_in_one_warning(folder):
    damage_header(folder / "output/0000000.png")
    damage_end(folder / "input/0000003_mask.png")
    with pytest.warns(UserWarning, match=r"found 2 of 4 patches.*output/0000000\.png") as caught:
        dataset = PngPatches(folder)
    assert len(caught) == 1
    assert list(dataset.unreadable) == ["output/0000000.png", "input/0000003_mask.png"]


def test_what_a_worker_process_notices_is_known_here(folder):
    damage_header(folder / "input/0000001_0.png")
    dataset = PngPatches(folder, check=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                 # the warning is the worker's
        batch, = DataLoader(dataset, batch_size=4, num_workers=1)
    assert batch["valid"].flatten(1).any(1).tolist() == [True, False, True, True]
    assert list(dataset.unreadable) == ["input/0000001_0.png"]


def test_a_missing_band_file_is_an_error(folder):
    (folder / "input/0000001_2.png").unlink()
    with pytest.raises(LayoutError, match=r"found no 0000001_2\.png in .*input, expected 5 files for patch 1"):
        PngPatches(folder)
    assert len(PngPatches(folder, numbers=[0, 2])) == 2


def test_the_wrong_number_of_bands_is_an_error(folder):
    grey = Image.open(folder / "input/0000001_2.png").convert("L")
    (folder / "input/0000001_4.png").write_bytes((folder / "input/0000001_3.png").read_bytes())
    with pytest.raises(LayoutError, match=r"found 0000001_4\.png in .*, expected 4 band files for the 12 channels"):
        PngPatches(folder)
    (folder / "input/0000001_4.png").unlink()
    grey.save(folder / "input/0000001_2.png")
    with pytest.raises(LayoutError, match=r"found 1 channels \(mode L\) in .*0000001_2\.png, expected 3"):
        PngPatches(folder)
    with pytest.raises(LayoutError, match="found 11 channels, expected a multiple of three"):
        PngPatches(folder, channels=PACE_OCI.band_names)


def test_patches_chosen_by_number(folder):
    dataset = PngPatches(folder, numbers=[3, 0])
    assert same(dataset[0], PngPatches(folder)[3])
    with pytest.raises(LayoutError, match=r"found no patch 9 in .*expected one of its 4 patches"):
        PngPatches(folder, numbers=[0, 9])


def test_folders_in_another_layout(tmp_path):
    with pytest.raises(LayoutError, match="found no folders input and output in"):
        PngPatches(tmp_path)
    (tmp_path / "input").mkdir()
    (tmp_path / "output").mkdir()
    with pytest.raises(LayoutError, match=r"found no patch in .*expected files such as 0000057\.png"):
        PngPatches(tmp_path)


def test_png_files_are_not_overwritten_by_accident(folder, patches):
    with pytest.raises(LayoutError, match=r"found patches in .*replace=True"):
        write_png_layout(folder, patches)
    write_png_layout(folder, patches, replace=True)
    few = Patches(patches.image[:, :11], patches.codes, patches.valid, patches.scene, patches.channels[:11])
    with pytest.raises(LayoutError, match="found 11 channels, expected a multiple of three"):
        write_png_layout(folder, few, replace=True)


# --- packed layout --------------------------------------------------------------------------------

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
def test_a_plain_loader_and_ours_give_the_same_batches(packed, workers):
    plain = DataLoader(packed, batch_size=20, shuffle=True, generator=generator(5), num_workers=workers)
    ours = batches(packed, 20, shuffle=True, generator=generator(5), workers=workers)
    plain, ours = list(plain), list(ours)
    assert [len(batch["image"]) for batch in ours] == [20, 20, 8]
    assert sorted(torch.cat([batch["scene"] for batch in ours]).tolist()) == sorted(packed.scenes.tolist())
    if workers == 0:
        in_order = list(batches(packed, 20))
        assert same(in_order[1], packed[20:40])
    assert {key: value.dtype for key, value in plain[0].items()} == {
        key: value.dtype for key, value in ours[0].items()}


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
    with pytest.raises(MissingData, match=r"found no folder .*expected packed patches"):
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


# --- all at once ----------------------------------------------------------------------------------

class Plain(Dataset):
    """A dataset as a learner writes it: no batches, NumPy arrays."""

    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, index):
        return {key: np.asarray(value) for key, value in self.patches.decode(index).items()}


def test_as_arrays_stacks_any_dataset(packed):
    arrays = as_arrays(packed, chunk=7)
    assert arrays["image"].shape == (48, 12, 64, 64) and arrays["image"].dtype == np.float32
    assert arrays["scene"].tolist() == packed.scenes.tolist()
    assert same(arrays, {key: value.numpy() for key, value in packed[:].items()})
    assert same(as_arrays(Plain(packed.patches)), arrays)
    with pytest.raises(LayoutError, match="found a dataset without samples"):
        as_arrays(PackedPatches(packed.patches, scenes=[]))
