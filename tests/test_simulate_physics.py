"""The simulator's physics against closed forms and published numbers."""

import numpy as np
import pytest
from scipy.stats import norm

from course_utils.simulate import atmosphere as air
from course_utils.simulate.clouds import (
    CloudLayer,
    cast,
    co_albedo,
    layer_optics,
    shadow_offset,
    spread_light,
    top_shading,
)
from course_utils.simulate.patterns import hillshade
from course_utils.simulate.spectra import MATERIALS, absorption_coefficient, material_reflectance, snow_reflectance
from course_utils.simulate.two_stream import over, two_stream


def rng():
    return np.random.default_rng(0)


def test_rayleigh_thickness_matches_published_values_and_falls_as_the_fourth_power():
    # Bodhaine et al. 1999, table of optical depths at sea level; Landsat-8 bands as in ocean-colour processing.
    published = {443: 0.236, 482: 0.168, 550: 0.0973, 655: 0.0477, 865: 0.0155}
    for wavelength, thickness in published.items():
        assert air.rayleigh_thickness(wavelength) == pytest.approx(thickness, rel=0.01)
    slope = np.log(air.rayleigh_thickness(2000) / air.rayleigh_thickness(500)) / np.log(2000 / 500)
    assert slope == pytest.approx(-4.0, abs=0.08)


def test_two_stream_without_absorption_keeps_all_energy_and_has_the_closed_form():
    thickness = np.array([0.0, 0.01, 1.0, 10.0, 1000.0])
    reflected, passed = two_stream(thickness, 0.0, 0.85)
    assert np.allclose(reflected + passed, 1.0)
    assert np.allclose(reflected, 0.15 * thickness / (2 + 0.15 * thickness))


def test_two_stream_limits():
    assert two_stream(0.0, 0.02)[0] == 0.0 and two_stream(0.0, 0.02)[1] == pytest.approx(1.0)
    co = 0.02
    semi_infinite = (np.sqrt(1 - (1 - co) * 0.85) - np.sqrt(co)) / (np.sqrt(1 - (1 - co) * 0.85) + np.sqrt(co))
    reflected, passed = two_stream(1e4, co, 0.85)
    assert reflected == pytest.approx(semi_infinite, rel=1e-6) and passed == pytest.approx(0.0, abs=1e-12)
    pure_absorber = two_stream(2.0, 1.0, 0.85)
    assert pure_absorber[0] == 0.0 and pure_absorber[1] == pytest.approx(np.exp(-2.0))


def test_weak_absorption_joins_the_conservative_formula_smoothly():
    thickness = np.linspace(0, 60, 50, dtype=np.float32)
    for co in (1e-9, 1e-7, 1e-6, 5e-6):
        assert np.abs(two_stream(thickness, co)[0] - two_stream(thickness, 0.0)[0]).max() < 0.01


def test_absorption_loses_energy_and_two_halves_make_a_whole():
    reflected, passed = two_stream(8.0, 0.01)
    half_reflected, half_passed = two_stream(4.0, 0.01)
    assert reflected + passed < 1.0
    assert over(half_reflected, half_passed, half_passed, half_reflected) == pytest.approx(reflected, rel=1e-9)


def test_adding_counts_every_bounce():
    reflected, passed, ground = 0.3, 0.6, 0.5
    by_hand = reflected + sum(passed * passed * ground * (reflected * ground) ** n for n in range(60))
    assert over(reflected, passed, passed, ground) == pytest.approx(by_hand)


def test_snow_is_white_in_the_blue_and_dark_at_1610_nm_and_darker_when_coarse():
    # Wiscombe & Warren 1980: clean snow above 0.96 in the blue at any grain; a strong fall with grain size
    # beyond 1 µm. Fresh snow near 0.2 and old snow below 0.05 at 1.6 µm.
    for grain in (0.1, 0.5, 2.0):
        assert snow_reflectance(450, grain) > 0.96
    at_1610 = [snow_reflectance(1610, grain) for grain in (0.1, 0.5, 2.0)]
    assert at_1610 == sorted(at_1610, reverse=True)
    assert 0.1 < at_1610[0] < 0.3 and at_1610[1] < 0.05
    assert snow_reflectance(1000, 0.2) == pytest.approx(0.80, abs=0.06)
    assert snow_reflectance(1000, 2.0) == pytest.approx(0.53, abs=0.08)


def test_snow_is_the_closed_form_with_the_absorption_of_ice_worked_out_by_hand():
    ice_1000, ice_2000 = 4 * np.pi * 1.620e-6 / 1.0e-6, 4 * np.pi * 1.640e-3 / 2.0e-6       # 4 π k / λ, in 1/m
    assert snow_reflectance(1000, 0.2) == pytest.approx(np.exp(-3.62 * np.sqrt(ice_1000 * 0.2e-3)))
    assert snow_reflectance(2000, 0.1) == pytest.approx(np.exp(-3.62 * np.sqrt(ice_2000 * 0.1e-3)))


def test_soot_absorbs_in_inverse_proportion_to_the_wavelength():
    def added(wavelength):
        """What the dirt adds to the absorption, read back from two reflectances."""
        dirty, clean = (np.log(snow_reflectance(wavelength, 0.5, impurity)) ** 2 for impurity in (0.8, 0.0))
        return (dirty - clean) / (3.62**2 * 0.5e-3)
    assert added(550) == pytest.approx(0.8) and added(1100) == pytest.approx(0.4)


def test_bare_ice_is_darker_than_any_snow():
    for wavelength in (450, 865, 1610):
        ice = material_reflectance("bare_ice", wavelength)
        assert ice < 0.65 * snow_reflectance(wavelength, 2.0) and ice < 0.65
    assert material_reflectance("bare_ice", 450) > 0.5 and material_reflectance("bare_ice", 865) < 0.5


def test_snow_follows_the_square_root_of_the_grain_size_and_dirt_greys_the_blue_only():
    # -log r grows as the square root of the diameter
    ratio = np.log(snow_reflectance(1250, 0.4)) / np.log(snow_reflectance(1250, 0.1))
    assert ratio == pytest.approx(2.0)
    clean, dirty = snow_reflectance(450, 0.5), snow_reflectance(450, 0.5, impurity=1.0)
    assert clean - dirty > 0.05
    assert snow_reflectance(1610, 0.5) == pytest.approx(snow_reflectance(1610, 0.5, impurity=1.0), rel=0.02)


def test_vegetation_has_a_red_edge_and_water_is_black_beyond_it():
    assert material_reflectance("vegetation", 865) > 0.4 > 0.05 > material_reflectance("vegetation", 650)
    assert material_reflectance("vegetation", 550) > material_reflectance("vegetation", 470)
    assert material_reflectance("clear_water", 443) > 10 * material_reflectance("clear_water", 705)
    assert material_reflectance("turbid_water", 1250) < 0.01
    assert material_reflectance("gypsum", 1100) == pytest.approx(0.75, abs=0.05)     # White Sands


@pytest.mark.parametrize("name", MATERIALS)
def test_every_material_reflects_between_nothing_and_everything(name):
    values = [material_reflectance(name, wavelength) for wavelength in range(400, 2301, 25)]
    assert min(values) >= 0 and max(values) <= 1


def test_absorption_of_ice_and_water_at_published_points():
    assert absorption_coefficient(1000, "ice") == pytest.approx(4e9 * np.pi * 1.620e-6 / 1000)
    assert absorption_coefficient(1600, "water") == pytest.approx(4e9 * np.pi * 8.55e-5 / 1600)


def test_cloud_particles_absorb_in_the_short_wave_infrared_by_size_and_phase():
    # King et al. / Twomey: droplets of 10 µm have 1 − ω near 0.006 at 1.6 µm and near 0.02 at 2.1 µm
    assert co_albedo(1610, 10, "water") == pytest.approx(0.0057, abs=0.001)
    assert co_albedo(2131, 10, "water") == pytest.approx(0.021, abs=0.006)
    assert co_albedo(550, 10, "water") < 1e-6
    assert co_albedo(1610, 30, "ice") > 5 * co_albedo(1610, 10, "water")
    assert co_albedo(1610, 20, "water") > co_albedo(1610, 10, "water")
    assert co_albedo(2000, 1e6, "ice") == pytest.approx(0.5)
    blue, infrared = (two_stream(20.0, co_albedo(w, 30, "ice"), 0.78)[0] for w in (470, 1610))
    assert infrared < 0.6 * blue


def test_a_layer_mixes_the_optics_of_its_phases():
    def layer(ice):
        return CloudLayer("cumulus", 0.3, 10, 3, ice, 12, 3, 3, 1, 0)
    assert layer_optics(layer(0.0), 1610) == (co_albedo(1610, 12, "water"), 0.85)
    assert layer_optics(layer(1.0), 1610) == (co_albedo(1610, 12, "ice"), 0.78)
    assert layer_optics(layer(0.5), 1610)[1] == pytest.approx(0.815)


def test_gases_close_1378_nm_below_cirrus_and_leave_the_windows_open():
    def passes(wavelength, height, column=3.0):
        return air.gas_transmittance(wavelength, air.vapour_above(column, height), 2.2,
                                     pressure=air.air_above(height))
    assert passes(1378, 0) < 1e-3 and passes(1378, 2) < 0.02 and passes(1378, 10) > 0.6
    assert 0.2 < passes(940, 0) < 0.7 and passes(940, 10) > 0.95
    for window in (442, 865, 1249, 1618):
        assert passes(window, 0) > 0.9
    dry_plateau = air.gas_transmittance(1378, air.vapour_above(0.2, 3.5), 2.5)
    assert dry_plateau > 0.2


@pytest.mark.parametrize(("wavelength", "coefficient"), [(937, 55.0), (740, 0.061), (1740, 1.1)])
def test_water_vapour_follows_the_published_formula_and_coefficients(wavelength, coefficient):
    # Bird & Riordan 1984, equation 2-8, with the coefficients of their table
    amount = coefficient * 1.5 * 2.4
    assert air.gas_transmittance(wavelength, 1.5, 2.4, ozone=0, pressure=0) == pytest.approx(
        np.exp(-0.2385 * amount / (1 + 20.07 * amount) ** 0.45))


def test_half_of_the_air_lies_below_five_and_a_half_kilometres_and_half_of_the_vapour_near_one():
    assert air.air_above(5.5) == pytest.approx(0.5, abs=0.01)           # 505 of 1013 hPa in the standard atmosphere
    assert air.vapour_above(2.0, 1.6) == pytest.approx(2.0 / np.e)


def test_ozone_takes_the_orange_not_the_blue():
    assert air.gas_transmittance(593, 0.0, 2.0) == pytest.approx(np.exp(-0.119 * 0.3 * 2.0), rel=1e-6)
    assert air.gas_transmittance(440, 0.0, 2.0) == pytest.approx(1.0)


def test_glint_is_a_normalised_slope_distribution_and_shines_opposite_the_sun():
    toward = air.glint_reflectance(30, 30, 180, 4.0)
    assert toward > 5 * air.glint_reflectance(30, 30, 0, 4.0)
    # at the mirror angle the tilt is zero: the closed form is pi F / (4 mu mu0) / (pi sigma²)
    assert toward == pytest.approx(np.pi * 0.02 / (4 * np.cos(np.pi / 6) ** 2 * np.pi * (0.003 + 0.00512 * 4.0)))
    assert air.glint_reflectance(60, 0, 0, 2.0) < 1e-3


def test_aerosol_follows_the_angstrom_law():
    smoke = air.Aerosol("smoke", 1.0, 1.8, 0.08, 0.12, 0.6, 0.3)
    assert smoke.at(1100)[0] == pytest.approx(2.0**-1.8)
    assert smoke.at(450)[1] == pytest.approx(0.08) and smoke.at(2100)[1] == pytest.approx(0.12)


@pytest.mark.parametrize(("zenith", "azimuth"), [(45, 180), (60, 90), (30, 315), (50, 20)])
def test_shadow_of_a_single_cloud_lies_at_h_tan_theta_away_from_the_sun(zenith, azimuth):
    rows, columns = np.mgrid[:128, :128]
    thickness = 20 * np.exp(-((rows - 64) ** 2 + (columns - 64) ** 2) / 18.0)
    passed = two_stream(thickness)[1]
    darkness = 1 - cast(passed, shadow_offset(1.5, zenith, azimuth, 75.0))
    centroid = np.array([(darkness * rows).sum(), (darkness * columns).sum()]) / darkness.sum() - 64
    length = 1500 * np.tan(np.deg2rad(zenith)) / 75
    toward_sun = np.array([-np.cos(np.deg2rad(azimuth)), np.sin(np.deg2rad(azimuth))])
    assert np.allclose(centroid, -length * toward_sun, atol=0.71)


def test_slopes_and_cloud_tops_that_face_the_sun_are_brighter():
    ramp = np.tile(np.arange(64, dtype=np.float32)[::-1], (64, 1)) * 0.2       # falls toward the east
    assert hillshade(ramp, 45, 90)[32, 32] == pytest.approx((1 + 0.2) / np.sqrt(1 + 0.04), rel=1e-5)
    assert hillshade(ramp, 45, 270)[32, 32] == pytest.approx((1 - 0.2) / np.sqrt(1 + 0.04), rel=1e-5)
    assert np.allclose(hillshade(np.zeros((8, 8)), 60, 10), 1.0)
    rows, columns = np.mgrid[:64, :64]
    heap = 30 * np.exp(-((rows - 32) ** 2 + (columns - 32) ** 2) / 80.0)
    shading = top_shading(heap, 50, 90)
    assert shading[32, 40] > 1.05 and shading[32, 24] < 0.95
    assert shading[24, 32] == pytest.approx(shading[40, 32])            # to the north and the south nothing changes
    from_the_north = top_shading(heap, 50, 0)
    assert from_the_north[24, 32] > 1.05 and from_the_north[40, 32] < 0.95
    assert top_shading(np.full((8, 8), 9.0), 50, 90) == pytest.approx(1.0)


def test_light_that_wanders_softens_an_edge_and_is_not_lost():
    thickness = np.zeros((64, 64))
    thickness[:, 20:44] = 20.0
    spread = spread_light(thickness, reach=2.0, share=0.6)
    before, after = (two_stream(field)[0] for field in (thickness, spread))
    assert after.mean() == pytest.approx(before.mean(), rel=1e-6)
    # Far from both edges nothing changes; outside, the share that wanders falls as a normal distribution's tail.
    assert spread[0, 32] == pytest.approx(20.0, rel=1e-3) and spread[0, 4] == pytest.approx(0.0, abs=1e-6)
    tail = 0.6 * before.max() * norm.sf(np.arange(4) + 0.5, scale=2.0)
    np.testing.assert_allclose(after[0, 19:15:-1], tail, atol=0.003)


def test_no_light_wanders_and_the_thickness_is_what_it_was():
    thickness = rng().exponential(5.0, (32, 32))
    np.testing.assert_allclose(spread_light(thickness, reach=3.0, share=0.0), thickness, rtol=1e-9)
    even = np.full((16, 16), 7.0)
    np.testing.assert_allclose(spread_light(even, reach=3.0, share=0.8), even, rtol=1e-9)
