"""Real labelled scenes and the interchange format, on true files where they are and on made ones everywhere."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from course_utils.data import local
from course_utils.data.errors import InvalidReflectanceError, LayoutError, MissingDataError, UnknownDatasetError
from course_utils.data.real import LabelledScene, available, labelled_scenes, read_labelled_npz, write_labelled_npz
from course_utils.sensors import LANDSAT8, SENTINEL2


@pytest.fixture
def made(cache, monkeypatch):
    """Files in the formats of both sources, in the cache; their hashes are not looked at."""
    rng = np.random.default_rng(0)
    biome, ukis = cache / "l8biome", cache / "ukis"
    for folder in (biome / "images", biome / "masks", ukis):
        folder.mkdir(parents=True)
    image = rng.random((256, 256, 8), np.float32)
    image[..., 7] = 280
    mask = rng.choice(np.array([64, 128, 192, 255], np.uint8), (256, 256))
    tifffile.imwrite(biome / "images/Water_01_0922.tif", image)
    tifffile.imwrite(biome / "masks/Water_01_0922.tif", mask)
    scene = rng.random((512, 512, 6), np.float32)
    scene[0, 0] = -0.001
    labels = rng.integers(0, 5, (512, 512, 1)).astype(np.uint8)
    np.savez(ukis / "sentinel2.npz", img=scene, msk=labels)
    monkeypatch.setattr(local, "matches", lambda path, file: True)
    return {"biome": (image, mask), "ukis": (scene, labels), "folder": cache}


def test_biome_patches_become_reflectance_and_codes(made):
    image, mask = made["biome"]
    assert available("l8biome") == ("Water_01_0922",)
    scene, = labelled_scenes("l8biome")
    assert scene.name == "Water_01_0922" and scene.sensor == LANDSAT8.name and scene.bands == LANDSAT8.band_names
    assert scene.image.dtype == np.float32 and scene.image.flags["C_CONTIGUOUS"]
    assert np.array_equal(scene.image, image.transpose(2, 0, 1)[:7])
    expected = np.select([mask == 255, mask == 192], [1, 2], 0)         # shadow (64) and clear (128) are clear
    assert np.array_equal(scene.codes, expected) and scene.codes.dtype == np.uint8
    assert np.array_equal(scene.mask, mask >= 192) and scene.valid.all()


def test_ukis_scenes_become_reflectance_and_codes(made):
    stored, labels = made["ukis"]
    scene, = labelled_scenes("ukis")
    assert scene.name == "sentinel2" and scene.sensor == SENTINEL2.name
    assert scene.bands == ("B02", "B03", "B04", "B08", "B11", "B12")
    assert np.array_equal(scene.codes, labels[..., 0] == 4)
    assert scene.image[:, 0, 0].tolist() == [0] * 6                     # noise below zero
    assert np.array_equal(scene.image[:, 1:], stored.transpose(2, 0, 1)[:, 1:])


def test_scenes_are_chosen_by_name(made):
    assert [scene.name for scene in labelled_scenes("l8biome", ["Water_01_0922"])] == ["Water_01_0922"]
    with pytest.raises(MissingDataError, match=r"found no l8biome/images/Urban_00_0515\.tif in .*fetch l8biome"):
        list(labelled_scenes("l8biome", ["Urban_00_0515"]))
    with pytest.raises(UnknownDatasetError, match="found no scene 'Moon' in ukis, expected one of landsat5, landsat7"):
        labelled_scenes("ukis", ["Moon"])


def test_nothing_fetched_says_what_to_do(cache):
    assert available("ukis") == ()
    with pytest.raises(MissingDataError, match=r"found no scene of ukis on this machine.*fetch ukis.*COURSE_DATA"):
        labelled_scenes("ukis")
    with pytest.raises(UnknownDatasetError, match="found no labelled scenes named 'mnist', expected l8biome or ukis"):
        available("mnist")


@pytest.mark.parametrize(("change", "error", "message"), [
    (lambda image, mask: (image[..., :7], mask), LayoutError, r"found an array \(256, 256, 7\) float32.*expected "
                                                              r"\(any, any, 8\) float32"),
    (lambda image, mask: (image.astype(np.float64), mask), LayoutError, "float64 in"),
    (lambda image, mask: (image, mask[:100]), LayoutError, r"\(100, 256\) uint8 in .*masks.*expected \(256, 256\)"),
    (lambda image, mask: (image, np.where(mask == 64, 7, mask).astype(np.uint8)), LayoutError,
     "found label 7 in .*expected only 64, 128, 192, 255"),
    (lambda image, mask: (np.where(np.arange(8) == 4, np.nan, image).astype(np.float32), mask), InvalidReflectanceError,
     "found reflectance nan in .*channel B6, row 0, column 0"),
])
def test_files_in_another_format_are_refused(made, change, error, message):
    image, mask = change(*made["biome"])
    tifffile.imwrite(made["folder"] / "l8biome/images/Water_01_0922.tif", image)
    tifffile.imwrite(made["folder"] / "l8biome/masks/Water_01_0922.tif", mask)
    with pytest.raises(error, match=message):
        list(labelled_scenes("l8biome"))


def test_unreadable_files_are_refused(made):
    (made["folder"] / "l8biome/images/Water_01_0922.tif").write_bytes(b"nothing")
    with pytest.raises(LayoutError, match="found no readable TIFF in"):
        list(labelled_scenes("l8biome"))
    (made["folder"] / "ukis/sentinel2.npz").write_bytes(b"nothing")
    with pytest.raises(LayoutError, match=r"found \w+\.npz that cannot be read .*, expected a \.npz file with"):
        list(labelled_scenes("ukis"))


def test_the_true_files(shared_realdata, cache, monkeypatch):
    """Facts known about these files: shapes, cloud share, and that the first band is blue (Rayleigh-bright)."""
    monkeypatch.setenv("COURSE_DATA", str(shared_realdata))
    scenes = list(labelled_scenes("l8biome"))
    assert len(scenes) == len(available("l8biome")) == 12
    assert all(scene.image.shape == (7, 256, 256) for scene in scenes)
    assert np.mean([scene.mask.mean() for scene in scenes]) == pytest.approx(0.26, abs=0.005)
    water = next(scene for scene in scenes if scene.name == "Barren_00_0214")
    assert (np.diff(water.image[:4].mean((1, 2))) < 0).all()
    snow = np.concatenate([(((s.image[1] - s.image[4]) / (s.image[1] + s.image[4]) > 0.4) & (s.image[3] > 0.11)
                            & ~s.mask).ravel() for s in scenes]).sum()
    assert snow == pytest.approx(172_000, rel=0.01)
    five, seven = labelled_scenes("ukis")
    assert five.image.shape == seven.image.shape == (6, 512, 512)
    assert (five.name, five.sensor, five.bands) == ("landsat5", LANDSAT8.name, LANDSAT8.band_names[:6])
    assert five.mask.mean() == pytest.approx(85929 / 512**2) and seven.mask.mean() == pytest.approx(94451 / 512**2)


# --- the interchange format -----------------------------------------------------------------------

def toy(seed=0, name="a"):
    rng = np.random.default_rng(seed)
    codes = rng.choice(np.array([0, 1, 2, 255], np.uint8), (8, 8))
    return LabelledScene(name, rng.random((7, 8, 8), np.float32), codes, LANDSAT8.name, LANDSAT8.band_names)


def test_an_image_is_seen_in_the_bands_asked_for_in_their_order():
    one = toy()
    assert np.array_equal(one.seen_in(("B9", "B3")), one.image[[6, 1]])
    with pytest.raises(LayoutError, match="found no band B1, B8 in a, expected some of B2, B3"):
        one.seen_in(("B1", "B2", "B8"))


def test_what_is_written_is_read_back(tmp_path):
    scenes = [toy(0), toy(1)]
    write_labelled_npz(tmp_path / "mine.npz", scenes)
    read = read_labelled_npz(tmp_path / "mine.npz")
    assert [scene.name for scene in read] == ["mine-0", "mine-1"]
    for before, after in zip(scenes, read, strict=True):
        assert np.array_equal(after.image, before.image) and np.array_equal(after.codes, before.codes)
        assert (after.bands, after.sensor) == (before.bands, before.sensor)
    with np.load(tmp_path / "mine.npz") as stored:
        assert {key: (stored[key].shape, stored[key].dtype.kind) for key in stored} == {
            "x": ((2, 7, 8, 8), "f"), "mask": ((2, 8, 8), "u"), "bands": ((7,), "U")}
    assert [path.name for path in tmp_path.iterdir()] == ["mine.npz"]


def write(path, **changes):
    scene = toy()
    np.savez(path, **{"x": scene.image[None], "mask": scene.codes[None], "bands": np.array(scene.bands)} | changes)
    return path


@pytest.mark.parametrize(("changes", "message"), [
    ({"x": np.zeros((1, 6, 8, 8), np.float32)}, r"\(1, 6, 8, 8\) float32 in .*expected \(any, 7, any, any\) float32"),
    ({"x": np.zeros((1, 7, 8, 8))}, "float64"),
    ({"mask": np.zeros((1, 8, 9), np.uint8)}, r"found an array \(1, 8, 9\) uint8.*expected \(1, 8, 8\) uint8"),
    ({"mask": np.full((1, 8, 8), 3, np.uint8)}, "found label 3 in .*expected only 0, 1, 2, 255"),
    ({"bands": np.array(["B2", "B3", "B4", "B5", "B6", "B7", "B99"])}, r"found bands B2 .* B99 in .*Landsat-8 OLI: B2"),
    ({"bands": np.array([None] * 7)}, "found bands of Python objects"),
    ({"bands": np.array(["B2", "B3", "B4", "B5", "B6", "B7", "B7"])}, "B7 B7 in .*, expected each once"),
    ({"x": np.zeros((0, 7, 8, 8), np.float32), "mask": np.zeros((0, 8, 8), np.uint8)},
     r"found images \(0, 7, 8, 8\) in .*, expected at least one"),
    ({"x": np.zeros((1, 7, 0, 8), np.float32), "mask": np.zeros((1, 0, 8), np.uint8)}, "of at least one pixel"),
])
def test_an_interchange_file_that_is_wrong(tmp_path, changes, message):
    with pytest.raises(LayoutError, match=message):
        read_labelled_npz(write(tmp_path / "wrong.npz", **changes))


def test_arrays_that_are_missing(tmp_path):
    np.savez(tmp_path / "wrong.npz", x=np.zeros(3), y=np.zeros(3))
    with pytest.raises(LayoutError, match=r"found 'x, y' in .*expected x, mask, bands"):
        read_labelled_npz(tmp_path / "wrong.npz")
    np.save(tmp_path / "wrong.npy", np.zeros(3))
    with pytest.raises(LayoutError, match=r"found \w+\.np[yz] that cannot be read .*, expected a \.npz file with"):
        read_labelled_npz(tmp_path / "wrong.npy")
    with pytest.raises(MissingDataError, match=r"found no file .*none\.npz"):
        read_labelled_npz(tmp_path / "none.npz")


def test_nan_is_allowed_only_where_it_is_ignored(tmp_path):
    scene = toy()
    image, codes = scene.image.copy(), np.zeros((8, 8), np.uint8)
    image[3, 2, 5], codes[2, 5] = np.nan, 255
    read, = read_labelled_npz(write(tmp_path / "a.npz", x=image[None], mask=codes[None]))
    assert read.image[3, 2, 5] == 0 and not read.valid[2, 5]
    codes[2, 5] = 1
    with pytest.raises(InvalidReflectanceError, match=r"found reflectance nan in .*channel B5, row 2, column 5 "):
        read_labelled_npz(write(tmp_path / "b.npz", x=image[None], mask=codes[None]))
    with pytest.raises(InvalidReflectanceError, match="found reflectance nan in a, channel B5"):
        write_labelled_npz(tmp_path / "c.npz", [LabelledScene("a", image, codes, scene.sensor, scene.bands)])


@pytest.mark.parametrize(("changes", "message"), [
    ({"codes": np.full((8, 8), 7, np.uint8)}, "found label 7 in a, expected only 0, 1, 2, 255"),
    ({"codes": np.zeros((8, 8), np.int64)}, r"found an array \(8, 8\) int64 in a, expected \(8, 8\) uint8"),
    ({"codes": np.zeros((8, 9), np.uint8)}, r"found an array \(8, 9\) uint8 in a, expected \(8, 8\) uint8"),
    ({"image": np.zeros((7, 8, 8))}, r"float64 in a, expected \(7, any, any\) float32"),
    ({"bands": tuple("abcdefg")}, "found bands a b c d e f g in a, expected names that one sensor has"),
])
def test_what_could_not_be_read_back_is_not_written(tmp_path, changes, message):
    with pytest.raises(LayoutError, match=message):
        write_labelled_npz(tmp_path / "a.npz", [replace(toy(), **changes)])
    assert list(tmp_path.iterdir()) == []


def test_scenes_of_different_kinds_are_not_mixed(tmp_path):
    small = toy()
    other = LabelledScene("b", small.image[:, :4], small.codes[:4], small.sensor, small.bands)
    for scenes in ([small, other], []):
        with pytest.raises(LayoutError, match=rf"found {len(scenes)} kinds of scenes .*expected one"):
            write_labelled_npz(tmp_path / "a.npz", scenes)


def test_a_changed_true_file_is_never_used(shared_realdata, cache, tmp_path, monkeypatch):
    from course_utils.data.errors import HashMismatchError
    (tmp_path / "shared" / "ukis").mkdir(parents=True)
    copy = shutil.copyfile(shared_realdata / "ukis/landsat5.npz", tmp_path / "shared/ukis/landsat5.npz")
    with copy.open("ab") as file:
        file.write(b"more")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "shared"))
    with pytest.raises(HashMismatchError, match=r"for ukis/landsat5\.npz .*remove it from this shared folder"):
        list(labelled_scenes("ukis"))
