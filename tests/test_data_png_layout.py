"""The PNG layout of the PACE tutorials: written, read back, damaged in every way that files get damaged."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from comparing import same
from PIL import Image
from torch.utils.data import DataLoader

from course_utils.data.errors import LayoutError
from course_utils.data.patches import Patches, PngPatches, write_png_layout
from course_utils.sensors import PACE_OCI


@pytest.fixture
def folder(tmp_path, patches):
    write_png_layout(tmp_path / "png", patches)
    return tmp_path / "png"


def test_what_is_written_as_png_is_read_back(folder, patches):
    dataset = PngPatches(folder)
    assert len(dataset) == 4
    for number in range(4):
        read, written = dataset[number], patches.decode(number)
        for key in ("image", "mask", "valid", "scene"):
            assert np.array_equal(read[key], written[key]), key
        assert np.array_equal(read["codes"], np.where(written["codes"] == 2, 1, written["codes"]))
    assert dataset.unreadable == {}


def test_the_files_are_those_of_the_pace_tutorials(folder, cloudy_scene):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    expected = {f"input/{n:07d}_{end}.png" for n in range(4) for end in (0, 1, 2, 3, "mask")}
    assert names == expected | {f"output/{n:07d}.png" for n in range(4)}
    clear = np.asarray(Image.open(folder / "output/0000001.png"))
    assert clear.dtype == bool                          # the tutorials write ~array
    assert np.array_equal(clear, cloudy_scene.codes[:64, 64:] == 0)
    assert np.array_equal(np.asarray(Image.open(folder / "input/0000000_mask.png")), cloudy_scene.valid[:64, :64])
    assert np.asarray(Image.open(folder / "input/0000000_3.png")).shape == (64, 64, 3)
    assert set(np.unique(np.asarray(Image.open(folder / "input/0000000_3.png"))[..., 2])) <= {0, 255}


def test_an_archive_without_our_note_is_read_as_shares_of_255(folder, patches):
    (folder / "about.json").unlink()
    sample = PngPatches(folder)[2]
    np.testing.assert_allclose(sample["image"][:11].numpy(), patches.image[2, :11] / 255, rtol=1e-6)
    assert sample["scene"] == -1


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"encoding": "share"}', '{"encoding": "odd", "scenes": [1]}',
                                  '{"encoding": "share", "scenes": ["a"]}', '{"encoding": "share", "scenes": 5}'])
def test_a_damaged_note_is_refused(folder, text):
    (folder / "about.json").write_text(text)
    with pytest.raises(LayoutError, match=r"found .*about\.json.*, expected .*; write the patches again"):
        PngPatches(folder)


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


def damage_claim(path):
    """The header claims a picture of 400 million pixels."""
    content = path.read_bytes()
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + content[24:29]
    path.write_bytes(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])


def damage_length(path):
    """The first chunk says that it is shorter than it is."""
    content = bytearray(path.read_bytes())
    content[11] = 9
    path.write_bytes(bytes(content))


DAMAGES = [damage_header, damage_end, damage_middle, damage_all, damage_size, damage_claim, damage_length]


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
    reason = "has the wrong size" if damage is damage_size else "cannot be read as an image"
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


def patches_like(patches, rows):
    return Patches(patches.image[rows], patches.codes[rows], patches.valid[rows], patches.scene[rows],
                   patches.channels, patches.encoding)


def test_a_write_that_fails_changes_nothing(folder, patches, monkeypatch):
    before, saved, save = PngPatches(folder)[3], [], Image.Image.save

    def full_disk(picture, path):
        saved.append(path)
        if len(saved) > 7:
            raise OSError(28, "No space left on device")
        save(picture, path)

    monkeypatch.setattr(Image.Image, "save", full_disk)
    for place in (folder, folder.with_name("new")):
        saved.clear()
        with pytest.raises(OSError, match="No space"):
            write_png_layout(place, patches_like(patches, slice(None, None, -1)), replace=True)
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "input", "output"]
    assert same(PngPatches(folder)[3], before)
    assert list(folder.with_name("new").iterdir()) == []


@pytest.mark.parametrize("moves", range(6))
def test_who_is_stopped_between_the_renames_writes_again(folder, patches, monkeypatch, moves):
    before, rename, done = PngPatches(folder)[3], Path.rename, []

    def stopped(path, target):
        if len(done) == moves:
            raise KeyboardInterrupt
        done.append(path)
        return rename(path, target)

    with monkeypatch.context() as stopping, pytest.raises(KeyboardInterrupt):
        stopping.setattr(Path, "rename", stopped)
        write_png_layout(folder, patches, replace=True)
    if moves:
        with pytest.raises(LayoutError, match="found no folders input and output"):
            PngPatches(folder)
    write_png_layout(folder, patches, replace=not moves)
    assert same(PngPatches(folder)[3], before)


def test_png_files_are_not_overwritten_by_accident(folder, patches):
    with pytest.raises(LayoutError, match=r"found patches in .*replace=True"):
        write_png_layout(folder, patches)
    first = patches_like(patches, slice(1))
    write_png_layout(folder, first, replace=True)
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "input", "output"]
    assert len(PngPatches(folder)) == 1 and len(list(folder.glob("input/*"))) == 5      # none of the others is left
    few = Patches(patches.image[:, :11], patches.codes, patches.valid, patches.scene, patches.channels[:11])
    with pytest.raises(LayoutError, match="found 11 channels, expected a multiple of three"):
        write_png_layout(folder, few, replace=True)
