"""Random fields, ground patterns, labels and storage."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from course_utils import simulate
from course_utils.simulate.fields import band_pass, power_law, step, stretched_wavenumber, warp
from course_utils.simulate.instrument import blur, blur_kernels, measure, swath_mask
from course_utils.simulate.label import BLUR, GAP, OPAQUE, SPECK, VISIBLE, analyst_codes, remove_specks
from course_utils.simulate.landscape import BUILDERS
from course_utils.simulate.patterns import parcels, per_parcel, ridges, river, with_slope
from course_utils.simulate.scenario import CLOUD_SCENARIOS, SURFACE_SCENARIOS
from course_utils.simulate.spectra import MATERIALS, SURFACE_OF
from course_utils.simulate.state import draw_state


def rng(seed=0):
    return np.random.default_rng(seed)


def spectral_slope(field, low=4):
    """The exponent of a field's power law, from wavenumber `low` to a quarter of the field's size, by a fit."""
    size = field.shape[0]
    ring = np.rint(stretched_wavenumber(size)).astype(int).ravel()
    density = np.abs(np.fft.rfft2(field)).ravel() ** 2
    mean = np.bincount(ring, density) / np.maximum(np.bincount(ring), 1)
    use = np.arange(low, size // 4 + 1)
    return -np.polyfit(np.log(use), np.log(mean[use]), 1)[0]


@pytest.mark.parametrize("slope", [2.0, 8 / 3, 3.4])
def test_power_law_slope_is_recovered_by_a_fit(slope):
    fits = [spectral_slope(power_law(rng(seed), 256, slope)) for seed in range(4)]
    assert np.mean(fits) == pytest.approx(slope, abs=0.08)


def test_fields_have_unit_spread_and_the_same_seed_gives_the_same_field():
    field = power_law(rng(3), 128, 3.0)
    assert field.dtype == np.float32
    assert abs(field.mean()) < 1e-3 and field.std() == pytest.approx(1.0, abs=1e-3)
    assert np.array_equal(field, power_law(rng(3), 128, 3.0))
    assert not np.array_equal(field, power_law(rng(4), 128, 3.0))


def test_stretching_makes_structures_longer_along_the_angle():
    field = power_law(rng(), 256, 3.0, stretch=6.0, angle=0.0)
    down, right = np.gradient(field)
    assert down.std() > 2.5 * right.std()


def test_structures_lie_along_the_angle_and_not_across_it():
    field = power_law(rng(), 256, 3.0, stretch=6.0, angle=np.pi / 4)            # from upper left to lower right
    along, across = field[1:, 1:] - field[:-1, :-1], field[1:, :-1] - field[:-1, 1:]
    assert across.std() > 2.5 * along.std()


def test_outer_scale_flattens_the_largest_structures():
    few, many = power_law(rng(), 256, 3.0, outer=1.0), power_law(rng(), 256, 3.0, outer=16.0)
    assert ndimage.uniform_filter(few, 64).std() > 3 * ndimage.uniform_filter(many, 64).std()


def test_band_pass_has_its_preferred_length():
    field = band_pass(rng(), 256, wavelength=16, width=0.1)
    power = np.abs(np.fft.rfft(field, axis=1)) ** 2 + np.abs(np.fft.rfft(field.T, axis=1)) ** 2
    assert abs(int(power.mean(0).argmax()) - 256 / 16) <= 3


def test_warp_wraps_and_step_is_linear():
    field = np.arange(16.0).reshape(4, 4)
    assert np.array_equal(warp(field, np.ones((4, 4)), np.zeros((4, 4))), np.roll(field, -1, 0))
    assert np.allclose(step(np.array([-1.0, 0.0, 0.25, 1.0]), 0.0, 1.0), [0, 0.5, 0.75, 1])


def test_rivers_keep_their_width_and_parcels_share_one_value():
    channel = river(rng(), 128, 6.0)
    assert channel.min() == 0 and channel.max() == 1 and 0.01 < channel.mean() < 0.3
    number, edge = parcels(rng(), 128, 16, 0.4)
    value = per_parcel(rng(), number, 2, 3)
    one = number == number[64, 64]
    assert np.ptp(value[one]) == 0 and value.min() >= 2 and value.max() <= 3
    assert edge.min() < 1 and edge[one].max() > 2


def test_mountains_have_the_slope_asked_for():
    height = with_slope(ridges(rng(), 128), 0.4)
    down, right = np.gradient(height)
    assert np.sqrt(np.mean(down**2 + right**2)) == pytest.approx(0.4, rel=1e-4)


@pytest.mark.parametrize("name", BUILDERS)
def test_every_landscape_fills_every_pixel_once(name):
    for seed in range(3):
        ground = BUILDERS[name](rng(seed), 64)
        assert set(ground.fractions) <= set(MATERIALS)
        shares = np.stack([np.broadcast_to(share, (64, 64)) for share in ground.fractions.values()])
        assert shares.min() > -1e-5
        assert np.allclose(shares.sum(0), 1.0, atol=1e-4)
        assert ground.land.shape == (64, 64) and ground.land.dtype == bool
    assert (name in {"ocean", "sea_ice"}) == (not ground.land.any())


def test_names_agree_between_tables():
    assert set(BUILDERS) == set(SURFACE_SCENARIOS)
    assert set(SURFACE_OF) == set(MATERIALS)
    assert max(SURFACE_OF.values()) == len(simulate.SURFACES) - 1
    assert sum(SURFACE_SCENARIOS.values()) == pytest.approx(1.0)
    assert sum(weight for weight, _ in CLOUD_SCENARIOS.values()) == pytest.approx(1.0)


def test_label_codes_follow_thickness_and_valid():
    thickness = np.zeros((64, 64), np.float32)
    thickness[10:30, 10:30] = 10.0
    thickness[40:60, 40:60] = 1.0
    thickness[5:9, 50:60] = 0.1
    valid = np.ones((64, 64), bool)
    valid[:, :4] = False
    codes = analyst_codes(thickness, valid)
    assert codes[20, 20] == 1 and codes[50, 50] == 2 and codes[6, 55] == 0
    assert (codes[:, :4] == 255).all() and (codes[:, 4:] != 255).all()
    assert 0.1 < VISIBLE < 1 < OPAQUE


@pytest.mark.parametrize(("thickness", "code"), [(VISIBLE - 0.01, 0), (VISIBLE + 0.01, 2), (OPAQUE - 0.1, 2),
                                                 (OPAQUE + 0.1, 1)])
def test_an_even_layer_changes_its_code_at_the_stated_thickness(thickness, code):
    even = np.full((16, 16), thickness, np.float32)
    assert (analyst_codes(even, np.ones((16, 16), bool)) == code).all()


def test_the_data_card_states_the_label_rule():
    card = (Path(__file__).parent.parent / "book/appendix/data_cards.md").read_text(encoding="utf-8")
    card = " ".join(card.replace("&nbsp;", " ").split())
    assert f"blurred with a Gaussian of {BLUR:g} pixel, and cloud is where it exceeds" in card
    assert f"the opacity of an optical thickness τ of {VISIBLE:g}." in card and f"is at most {OPAQUE:g}." in card
    assert f"Clouds of fewer than {SPECK} pixels are not drawn, and gaps of fewer than {GAP} pixels are filled." in card


def test_the_outline_of_a_sharp_thick_cloud_lies_less_than_a_pixel_outside_it():
    """Blurring a step gives the normal distribution function, which crosses 1 − exp(−0.3) at 0.65 of its width."""
    thickness = np.zeros((64, 64), np.float32)
    thickness[:, 20:40] = 50.0
    codes = analyst_codes(thickness, np.ones((64, 64), bool))
    assert (codes[:, 19:41] > 0).all() and (codes[:, :19] == 0).all() and (codes[:, 41:] == 0).all()


def test_label_is_made_of_objects_not_pixels():
    thickness = np.where(rng().random((128, 128)) < 0.003, 0.8, 0.0).astype(np.float32)      # lone weak pixels
    assert not analyst_codes(thickness, np.ones((128, 128), bool)).any()
    holed = np.full((64, 64), 8.0, np.float32)
    holed[30:32, 30:32] = 0.0
    assert analyst_codes(holed, np.ones((64, 64), bool)).all()


@pytest.mark.parametrize("number", range(6))
def test_no_cloud_and_no_gap_is_too_small_to_be_drawn(number):
    layers = draw_state(number, size=128, cloud="popcorn").clouds
    codes = analyst_codes(sum(layers, start=np.zeros((128, 128), np.float32)), np.ones((128, 128), bool))
    assert codes.any()
    for kind, smallest in ((codes > 0, SPECK), (codes == 0, GAP)):
        objects, _ = ndimage.label(kind, structure=np.ones((3, 3)))
        assert np.bincount(objects.ravel())[1:].min() >= smallest


def test_remove_specks_keeps_what_is_large_enough():
    mask = np.zeros((16, 16), bool)
    mask[2:4, 2:5] = True          # 6 pixels
    mask[10, 10:15] = True         # 5 pixels
    kept = remove_specks(mask, smallest=6)
    assert kept[2, 2] and not kept[10].any()


def test_storage_is_monotone_and_returns_within_half_a_step():
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(simulate.encode_uint8(simulate.decode_uint8(codes)), codes)
    assert (np.diff(simulate.decode_uint8(codes)) > 0).all()
    values = np.linspace(0, 1.25, 5001)
    stored = simulate.encode_uint8(values)
    assert (np.diff(stored.astype(int)) >= 0).all()
    grid = 255 * np.sqrt(values / 1.25)
    assert np.abs(grid - stored).max() <= 0.5 + 1e-9
    assert list(simulate.encode_uint8(np.array([-1.0, 9.0]))) == [0, 255]
    with pytest.raises(ValueError, match=r"not finite; expected numbers from 0 to 1.25"):
        simulate.encode_uint8(np.array([np.nan]))


def test_blur_keeps_the_total_and_shifts_by_the_misregistration():
    image = np.zeros((5, 33, 33), np.float32)
    image[:, 16, 16] = 1.0
    kernels = blur_kernels(rng(1), 5)
    seen = np.stack([blur(band, kernels[:, channel]) for channel, band in enumerate(image)])
    assert np.allclose(seen.sum((1, 2)), 1.0, atol=1e-5)
    rows = (seen.sum(2) * np.arange(33)).sum(1) - 16
    assert np.allclose(rows, kernels[0, :, 0] - kernels[0, :, 2], atol=1e-5)
    assert np.abs(rows).max() < 0.5 and np.ptp(rows) > 0
    assert np.allclose(blur(np.full((8, 8), 0.3, np.float32), kernels[:, 0]), 0.3)


def test_noise_grows_with_the_signal():
    flat = np.stack([np.full((256, 256), value, np.float32) for value in (0.01, 0.8)])
    dark, bright = measure(rng(), flat).std((1, 2))
    assert 0 < dark < bright < 0.01


def test_every_band_is_calibrated_to_within_a_few_per_cent():
    gains = np.concatenate([measure(rng(seed), np.full((40, 16, 16), 0.5, np.float32)).mean((1, 2)) / 0.5
                            for seed in range(5)])
    assert gains.std() == pytest.approx(0.02, rel=0.25) and gains.mean() == pytest.approx(1, abs=0.005)


def test_swath_mask_loses_a_corner_or_a_side():
    assert swath_mask(64, 0.0, 0.3).all()
    side = swath_mask(64, 0.25, 0.0)
    assert side[:, 0].all() and not side[:, -1].any() and side.mean() == pytest.approx(0.75, abs=0.02)
