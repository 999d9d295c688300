"""Patches: cut from a scene, stored as bytes, handed out as samples."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from comparing import same
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import simulate
from course_utils.data.errors import InvalidReflectanceError, LayoutError
from course_utils.data.patches import Patches, channel_names, cut, decode, patches_of
from course_utils.sensors import LANDSAT8, PACE_OCI

# --- cutting --------------------------------------------------------------------------------------

@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.lists(st.integers(1, 3), max_size=2))
@settings(max_examples=60)
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

def test_a_patch_holds_what_the_scene_holds(cloudy_scene, patches):
    assert len(patches) == 4
    assert patches.channels == (*PACE_OCI.band_names, "land")
    for number, (row, column) in enumerate([(0, 0), (0, 64), (64, 0), (64, 64)]):
        here = (slice(row, row + 64), slice(column, column + 64))
        sample = patches.decode(number)
        stored = simulate.decode_uint8(simulate.encode_uint8(cloudy_scene.image[:, *here]))
        np.testing.assert_allclose(sample["image"][:11].numpy(), stored, rtol=3e-7)
        assert np.array_equal(sample["image"][11].numpy(), cloudy_scene.land[here].astype(np.float32))
        assert np.array_equal(sample["mask"].numpy(), cloudy_scene.mask[here])
        assert np.array_equal(sample["valid"].numpy(), cloudy_scene.valid[here])
        assert np.array_equal(sample["codes"].numpy(), cloudy_scene.codes[here])
        assert sample["scene"] == 3


def test_a_sample_has_the_types_of_the_contract(patches):
    sample = patches.decode(0)
    assert {key: (tuple(value.shape), value.dtype) for key, value in sample.items() if key != "scene"} == {
        "image": ((12, 64, 64), torch.float32), "mask": ((64, 64), torch.bool), "valid": ((64, 64), torch.bool),
        "codes": ((64, 64), torch.uint8)}
    assert type(sample["scene"]) is int
    assert patches.decode([0, 2])["scene"].tolist() == [3, 3]


@pytest.mark.parametrize("rows", [2, [3, 0, 3], slice(1, 3), np.array([1])])
def test_bytes_decoded_later_are_the_sample(patches, rows):
    stored, sample = patches.stored(rows), patches.decode(rows)
    assert stored["image"].dtype == torch.uint8
    assert np.array_equal(stored["image"], patches.image[rows])
    assert same(stored | {"image": decode(stored["image"], patches.channels)}, sample)      # torch
    assert np.array_equal(decode(patches.image[rows], patches.channels), sample["image"])   # numpy


def test_shares_and_land_are_decoded_by_their_own_rules():
    stored = torch.tensor([[[0, 51]], [[255, 1]]], dtype=torch.uint8)
    assert decode(stored, ("865", "land"), "share").flatten().tolist() == pytest.approx([0, 0.2, 1, 1])
    assert decode(stored, ("865", "940"), "share").flatten().tolist() == pytest.approx([0, 0.2, 1, 1 / 255])
    assert decode(stored, ("865", "land")).flatten().tolist() == pytest.approx([0, 0.05, 1, 1])


def test_a_sample_is_the_callers_own(patches):
    for give in (patches.stored, patches.decode):
        for rows in (0, [0], slice(0, 1)):
            before = {key: torch.as_tensor(value).clone() for key, value in give(rows).items()}
            for value in give(rows).values():
                if isinstance(value, torch.Tensor):
                    value.zero_()
            assert same(give(rows), before)


def test_only_pace_patches_carry_the_land_mask():
    assert channel_names(PACE_OCI)[-1] == "land"
    assert channel_names(LANDSAT8) == LANDSAT8.band_names
    small = patches_of(simulate.scene(1, sensor=LANDSAT8, size=64))
    assert small.image.shape == (1, 7, 64, 64)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_nan_reflectance_is_refused_with_its_place(cloudy_scene, wrong):
    image = cloudy_scene.image.copy()
    image[8, 70, 100], image[9, 0, 100] = wrong, wrong
    broken = replace(cloudy_scene, image=image)
    with pytest.raises(InvalidReflectanceError, match=rf"found reflectance {wrong} in scene 3, channel 1378, row 70, "
                                                 r"column 100 \(2 such values\), expected finite numbers"):
        patches_of(broken)


def test_nan_outside_the_swath_is_no_measurement(cloudy_scene):
    image = cloudy_scene.image.copy()
    image[:, ~cloudy_scene.valid] = np.nan
    assert np.array_equal(patches_of(replace(cloudy_scene, image=image)).image, patches_of(cloudy_scene).image)


def test_arrays_that_do_not_fit_together(patches):
    with pytest.raises(LayoutError, match=r"found codes \(3, 64, 64\) uint8, expected \(4, 64, 64\) uint8 for 4"):
        Patches(patches.image, patches.codes[:3], patches.valid, patches.scene, patches.channels)
    with pytest.raises(LayoutError, match=r"found valid .* uint8, expected \(4, 64, 64\) bool"):
        Patches(patches.image, patches.codes, patches.valid.astype(np.uint8), patches.scene, patches.channels)
    with pytest.raises(LayoutError, match="found encoding 'odd', expected one of reflectance, share"):
        replace(patches, encoding="odd")
    codes = patches.codes.copy()
    codes[2, 5:7, 0] = 3, 200
    with pytest.raises(LayoutError, match=r"found the codes \[3, 200\], expected 0 clear, .* translate the labels"):
        replace(patches, codes=codes)

