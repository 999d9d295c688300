"""Labelled sky pictures: what is read is what was written, and each kind of bad folder has its own message."""

import numpy as np
import pytest
from PIL import Image

from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.data.sky import SkyPicture, read_sky_folder, simulate_pictures
from tests.sky_folders import write_sky_folder


def made(name="a", height=20, width=30, seed=0):
    rng = np.random.default_rng(seed)
    return SkyPicture(name, rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
                      rng.choice(np.array([0, 100, 255], np.uint8), (height, width)))


@pytest.fixture
def folder(tmp_path):
    return write_sky_folder(tmp_path / "sky", [made("b", seed=1), made("a"), made("c", 31, 17, 2)])


def test_what_is_read_is_what_was_written(folder):
    first, _, last = found = read_sky_folder(folder)
    assert [one.name for one in found] == ["a", "b", "c"]
    for got, want in ((first, made("a")), (last, made("c", 31, 17, 2))):
        assert got.name == want.name
        assert np.array_equal(got.picture, want.picture) and np.array_equal(got.codes, want.codes)
    assert last.image.shape == (3, 31, 17) and last.image.dtype == np.float32 and last.image.max() <= 1
    assert np.array_equal(last.image[2] * 255, last.picture[..., 2])
    assert np.array_equal(last.mask, last.codes == 255) and np.array_equal(last.valid, last.codes != 0)


def test_a_photograph_may_be_a_jpeg_and_a_mask_may_have_a_palette_of_greys(folder):
    (folder / "images/a.png").unlink()
    Image.fromarray(made("a").picture).save(folder / "images/a.JPG", quality=95)
    mask = Image.fromarray(made("a").codes)
    mask.convert("P").save(folder / "masks/a.png")
    got = read_sky_folder(folder)[0]
    assert got.picture.shape == (20, 30, 3) and np.array_equal(got.codes, made("a").codes)


@pytest.mark.parametrize(("break_it", "words"), [
    (lambda f: (f / "masks/b.png").unlink(), "found no mask for b in"),
    (lambda f: (f / "images/c.png").unlink(), "found no picture for c in"),
    (lambda f: (f / "images/a.png").write_bytes(b"no picture"), "found no readable picture in .*a.png"),
    (lambda f: (f / "images/a.png").write_bytes((f / "images/a.png").read_bytes()[:900]), "found no readable picture"),
    (lambda f: (f / "masks/a.png").write_bytes((f / "masks/a.png").read_bytes()[:200]), "found no readable picture"),
    (lambda f: Image.new("L", (30, 21), 255).save(f / "masks/a.png"), r"\(20, 30, 3\) with a mask \(21, 30\)"),
    (lambda f: Image.new("L", (30, 20), 254).save(f / "masks/a.png"), "found code 254 in .*a.png, expected only 255"),
    (lambda f: Image.new("RGB", (30, 20)).save(f / "masks/a.png"), "found a mask of mode RGB"),
    (lambda f: Image.new("RGB", (30, 20)).save(f / "images/a.bmp"), "found a.bmp and a.png in .*one file of"),
])
def test_a_bad_folder_is_described(folder, break_it, words):
    break_it(folder)
    with pytest.raises(LayoutError, match=words):
        read_sky_folder(folder)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"found no picture in .*nowhere"):
        read_sky_folder(tmp_path / "nowhere")


def test_simulated_pictures_are_always_the_same_whoever_makes_them():
    alone, shared = (simulate_pictures(range(6, 10), seed=2, size=48, workers=workers) for workers in (1, 2))
    assert [one.name for one in shared] == ["photo-6", "photo-7", "frame-8", "photo-9"]
    for first, second in zip(alone, shared, strict=True):
        assert np.array_equal(first.picture, second.picture) and np.array_equal(first.codes, second.codes)
    assert (shared[2].codes == 0).mean() > 0.2              # the corners beyond the image circle
