"""The sky's geometry, light and camera, one mechanism at a time, against closed forms and published numbers."""

from dataclasses import replace

import numpy as np
import pytest

from course_utils.codes import CLOUD, OUTSIDE, SKY
from course_utils.simulate import sky_camera, sky_geometry, sky_light, sky_night
from course_utils.simulate.clouds import CloudLayer
from course_utils.simulate.sky import sky_codes
from course_utils.simulate.sky_clouds import MEMORY_MIN, ChangingNoise, draw_layer
from course_utils.simulate.sky_geometry import direction
from course_utils.simulate.sky_horizon import BINS, KINDS, Skyline, draw_skyline
from course_utils.simulate.sky_light import Haze


def hemisphere(steps=200):
    """Directions over the upper half, and the solid angle of each."""
    up = (np.arange(steps) + 0.5) / steps
    azimuth = (np.arange(2 * steps) + 0.5) * 180 / steps
    looks = direction(np.degrees(np.arccos(up))[:, None], azimuth[None])
    return looks.reshape(-1, 3), 2 * np.pi / (2 * steps * steps)


# --- geometry -----------------------------------------------------------------------------------------------------

def test_fisheye_and_its_inverse_and_that_the_radius_grows_with_the_angle():
    looks, inside = sky_geometry.fisheye(129)
    rows, columns = sky_geometry.fisheye_place(looks[inside], 129)
    where = np.argwhere(inside)
    assert np.abs(rows - where[:, 0]).max() < 1e-3 and np.abs(columns - where[:, 1]).max() < 1e-3
    assert np.allclose(np.linalg.norm(looks, axis=-1), 1, atol=1e-6)
    radius = [64 - sky_geometry.fisheye_place(direction(zenith, 0.0), 129)[0] for zenith in (0, 30, 60, 90)]
    assert np.allclose(radius, np.arange(4) * radius[1])                    # equidistant: r ∝ zenith angle
    assert radius[3] == pytest.approx(0.97 * 129 / 2)
    assert looks[inside][:, 2].min() >= -1e-6 and looks[~inside][:, 2].max() < 1e-6


def test_north_is_up_and_east_is_left_in_an_all_sky_picture():
    rows, columns = sky_geometry.fisheye_place(direction(np.array([45.0, 45.0]), np.array([0.0, 90.0])), 101)
    assert rows[0] < 50 and columns[0] == pytest.approx(50)
    assert columns[1] < 50 and rows[1] == pytest.approx(50)


def test_an_ordinary_camera_keeps_straight_lines_straight_and_has_its_field_of_view():
    looks = sky_geometry.perspective(64, 60.0, zenith=40.0, azimuth=110.0, roll=25.0).astype(float)
    assert np.allclose(np.linalg.norm(looks, axis=-1), 1)
    assert np.abs(np.linalg.det(np.stack([looks[10, 3], looks[10, 30], looks[10, 60]]))) < 1e-6     # one plane
    assert np.degrees(np.arccos(looks[32, 0] @ looks[32, -1])) == pytest.approx(59.2, abs=0.3)   # to pixel middles
    assert np.allclose(looks[31:33, 31:33].mean((0, 1)), direction(40.0, 110.0), atol=1e-3)
    level = sky_geometry.perspective(65, 60.0, zenith=60.0, azimuth=0.0)
    assert level[0, 32, 2] > level[-1, 32, 2] and level[32, -1, 0] > level[32, 0, 0]       # up is up, right is east


def test_air_mass_matches_the_published_table():
    # Kasten & Young 1989, table of relative optical air mass.
    for elevation, mass in ((90, 1.0), (60, 1.154), (30, 1.995), (10, 5.59), (5, 10.32), (0, 37.92)):
        assert sky_geometry.airmass(np.sin(np.radians(elevation))) == pytest.approx(mass, rel=0.005)


def test_lines_of_sight_meet_a_layer_at_h_tan_z_and_at_the_horizon_where_the_earth_bends():
    east, north, slant = sky_geometry.meet_shell(direction(np.array([0.0, 30.0, 60.0]), 90.0), 1.0)
    assert np.allclose(east, np.tan(np.radians([0, 30, 60])), rtol=2e-3) and np.abs(north).max() < 1e-9
    assert np.allclose(slant, [1, 2 / np.sqrt(3), 2], rtol=2e-3)
    east, _, _ = sky_geometry.meet_shell(direction(90.0, 90.0), 1.0)
    assert east == pytest.approx(np.sqrt(2 * 6371 * 1.0), rel=1e-3)


def test_the_sky_turns_from_east_to_west_about_the_pole():
    star = direction(70.0, 90.0)
    later = sky_geometry.turned(star, 360.0, latitude=40.0)
    assert star[0] > 0 > later[0] and later @ direction(50.0, 0.0) == pytest.approx(star @ direction(50.0, 0.0))
    assert np.allclose(sky_geometry.turned(star, 1436.07, 40.0), star)
    assert np.allclose(sky_geometry.turned(sky_geometry.turned(star, 100, 40.0), 50, 40.0),
                       sky_geometry.turned(star, 150, 40.0))


# --- light --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("phase", [sky_light.rayleigh_phase, lambda c: sky_light.henyey_greenstein(c, 0.75)])
def test_a_phase_function_has_mean_one(phase):
    cosine = (np.arange(200000) + 0.5) / 1e5 - 1
    assert phase(cosine).mean() == pytest.approx(1, abs=1e-4)


def test_henyey_greenstein_has_the_mean_cosine_it_is_named_by():
    cosine = (np.arange(200000) + 0.5) / 1e5 - 1
    assert (cosine * sky_light.henyey_greenstein(cosine, 0.6)).mean() == pytest.approx(0.6, abs=1e-4)


def test_what_a_layer_scatters_once_is_the_integral_over_its_depth():
    cases = (0.3, 2.0, 1.2), (5.0, 1.0, 3.0), (0.2, 1.5, 1.5), (1.0, 30.0, 38.0), (9.0, 1.0, 38.0)
    for thickness, slant, slant_sun in cases:
        depth = (np.arange(20000) + 0.5) / 20000 * thickness
        integral = slant * np.mean(np.exp(-slant_sun * depth - slant * (thickness - depth))) * thickness
        got = sky_light.scattered_once(thickness, np.array([slant]), slant_sun)
        assert got == pytest.approx(integral, rel=1e-4)


def test_a_beam_is_not_lost_and_thick_cloud_lets_little_through():
    thickness = np.array([0.0, 0.1, 1.0, 10.0, 100.0])
    for cos_sun in (0.1, 0.5, 1.0):
        passed = sky_light.beam_transmittance(thickness, cos_sun, 0.85)
        assert passed[0] == pytest.approx(1) and (np.diff(passed) < 0.01).all() and passed.max() < 1.01
        assert passed[-1] == pytest.approx((2 + 3 * cos_sun) / (4 + 45), rel=0.01)
        assert (sky_light.scattered_often(thickness, cos_sun, 0.85) >= 0).all()


def test_the_clear_sky_is_blue_brightest_around_the_sun_and_sends_down_what_the_layer_lets_through():
    looks, solid_angle = hemisphere(60)
    for zenith in (20.0, 50.0):
        sun = direction(zenith, 140.0)
        haze = Haze(0.15)
        air, sun_air = sky_geometry.airmass(looks[:, 2]), float(sky_geometry.airmass(sun[2]))
        sky = sky_light.clear_sky(looks[:, 2], air, looks @ sun, float(sun[2]), sun_air, haze)
        down = (sky * looks[:, 2:]).sum(0) * solid_angle
        total = sky_light.MOLECULES + haze.at(np.array([610.0, 540.0, 465.0]))
        share = sky_light.MOLECULES / total
        diffuse = [sun[2] * (sky_light.beam_transmittance(t, sun[2], 0.7 * (1 - s)) - np.exp(-t / sun[2]))
                   for t, s in zip(total, share, strict=True)]
        assert np.allclose(down, diffuse, rtol=0.15)                 # the energy of the two-stream layer
        away, level = (looks @ sun < 0.6) & (looks[:, 2] > 0.7), looks[:, 2] < 0.1
        blue = sky[:, 2] / sky[:, 0]
        assert blue[away].min() > 1.7 > blue[level].mean()             # deep blue overhead, pale at the horizon
        assert (looks[sky[:, 1].argmax()] @ sun) > 0.99 or looks[sky[:, 1].argmax(), 2] < 0.05


def test_the_clear_sky_is_near_the_cie_standard_clear_sky():
    # ISO 15469, clear sky: (1 − exp(−0.32 / cos z)) (0.91 + 10 exp(−3 γ) + 0.45 cos² γ), relative to the zenith.
    looks, _ = hemisphere(40)
    sun = direction(45.0, 0.0)
    keep = (looks[:, 2] > 0.15) & (looks @ sun < np.cos(np.radians(12)))

    def standard(view):
        angle = np.arccos(np.clip(view @ sun, -1, 1))
        return -np.expm1(-0.32 / view[..., 2]) * (0.91 + 10 * np.exp(-3 * angle) + 0.45 * np.cos(angle) ** 2)

    def simulated(view):
        sky = sky_light.clear_sky(view[:, 2], sky_geometry.airmass(view[:, 2]), view @ sun, float(sun[2]),
                                  float(sky_geometry.airmass(sun[2])), Haze(0.10))
        return sky @ sky_camera.LUMINANCE

    zenith = direction(0.0, 0.0)[None]
    ratio = simulated(looks[keep]) / simulated(zenith) / (standard(looks[keep]) / standard(zenith))
    assert ratio.min() > 0.5 and ratio.max() < 1.6
    assert np.exp(np.abs(np.log(ratio)).mean()) < 1.25


def test_twilight_fades_is_blue_overhead_and_glows_red_where_the_sun_went_down():
    views = direction(np.array([0.0, 86.0, 86.0]), np.array([0.0, 90.0, 270.0]))
    air = sky_geometry.airmass(views[:, 2])
    sky = np.stack([sky_light.twilight(views, air, direction(90.0 + low, 90.0)) for low in (0.0, 3.0, 6.0)])
    assert (np.diff(sky[:, 0, 1]) < 0).all() and sky[2, 0, 1] < 0.3 * sky[0, 0, 1]
    assert sky[2, 0, 2] > 2 * sky[2, 0, 0]                                  # zenith
    assert sky[1, 1, 0] > 1.2 * sky[1, 1, 2] and sky[2, 1, 1] > 3 * sky[2, 2, 1]    # towards the sun; away is shadow
    # with the sun on the horizon every height is lit: the integral over an exponential atmosphere, done numerically
    height = (np.arange(40000) + 0.5) / 40000 * 120
    density = np.exp(-height / 8)
    lit = (density * np.exp(-76 * sky_light.MOLECULES[1] * density)).sum() * (120 / 40000) / 8
    phase, path = 0.75 / (4 * np.pi), -np.expm1(-sky_light.MOLECULES[1])
    assert sky[0, 0, 1] == pytest.approx(phase * path * lit, rel=0.01)


def test_ozone_takes_red_and_more_of_it_when_the_sun_is_low():
    high, low, below = (sky_light.ozone(cosine) for cosine in (1.0, 0.1, -0.1))
    assert (high > low).all() and low[0] < low[1] < low[2] and np.array_equal(below, sky_light.ozone(0.0))
    # 300 Dobson units absorb about 3 % of orange light from overhead (Chappuis band, 0.1 per atm-cm).
    assert high[0] == pytest.approx(np.exp(-0.3 * 0.105), abs=0.005)


def test_cloud_shines_where_it_is_thin_and_is_grey_where_it_is_thick():
    thickness = np.array([0.0, 0.3, 3.0, 10.0, 40.0])
    ones = np.ones(5)
    near, far = (sky_light.cloud_light(thickness, ones, ones, c * ones, 0.7, 0.85, 0.0) for c in (0.98, 0.0))
    assert near[0] == far[0] == 0
    assert near[1] > 3 * far[1]                                      # the silver lining: only thin cloud knows the sun
    assert near[4] == pytest.approx(far[4], rel=0.02)
    assert far[2] > far[3] > far[4] > 0                              # bases darken with thickness
    over_snow = sky_light.cloud_light(thickness, ones, ones, 0 * ones, 0.7, 0.85, 0.8)
    assert over_snow[4] > far[4]


def test_moonlight_as_published():
    assert sky_night.moon_lux(0) == pytest.approx(0.31, abs=0.01)
    assert sky_light.SUN_LUX / sky_night.moon_lux(0) == pytest.approx(4e5, rel=0.1)         # 14 magnitudes
    assert sky_night.moon_lux(0) > sky_night.moon_lux(60) > sky_night.moon_lux(120)


def test_airglow_is_that_of_a_dark_site_and_brightens_towards_the_horizon():
    zenith = sky_night.airglow(np.array(1.0))
    magnitude = 12.58 - 2.5 * np.log10(zenith)                       # per square arcsecond, from cd/m²
    assert 21.5 < magnitude < 22.1
    # Patat 2003, table C.1: X = 1.51 at 50° from the zenith
    assert sky_night.airglow(np.cos(np.radians(50))) / zenith == pytest.approx(0.4 + 0.6 * 1.51, rel=0.02)


def test_star_counts_follow_the_catalogue():
    magnitudes = sky_night.star_magnitudes(np.random.default_rng(3), 7.0)
    for limit, published in ((4, 511), (5, 1600), (6, 4968), (7, 15328)):
        assert (magnitudes < limit).sum() == pytest.approx(published / 2, rel=0.15)


# --- clouds -------------------------------------------------------------------------------------------------------

CUMULUS = CloudLayer("cumulus", 0.4, 10.0, 1.0, 0.0, 10.0, 6.0, 3.4, 1.2, 0.3)


def test_changing_noise_keeps_its_variance_and_forgets():
    def draw(minutes):
        return ChangingNoise((1, 2), minutes).standard_normal((128, 128))

    fields = [draw(minutes) for minutes in (0.0, 0.5, MEMORY_MIN / 2, MEMORY_MIN, 3 * MEMORY_MIN)]
    assert all(abs(field.std() - 1) < 0.03 for field in fields)
    kept = [np.corrcoef(fields[0].ravel(), field.ravel())[0, 1] for field in fields]
    assert np.allclose(kept, [1, np.cos(np.pi / 100), np.cos(np.pi / 4), 0, 0], atol=0.03)
    assert np.allclose(draw(MEMORY_MIN), draw(MEMORY_MIN - 1e-6), atol=1e-4)
    assert ChangingNoise((1, 2), 5.0).uniform(0, 1) == ChangingNoise((1, 2), 90.0).uniform(0, 1)


def test_the_wind_carries_clouds_and_they_look_smaller_far_away():
    still, later = (draw_layer((5,), CUMULUS, 10.0, (8.0, 0.0), minutes) for minutes in (0.0, 1e-3))
    moved = replace(still, drift_km=(0.5, 0.0))
    looks = direction(np.array([10.0, 30.0, 45.0]), np.array([20.0, 90.0, 270.0]))
    east, north, _ = sky_geometry.meet_shell(looks, 1.0)
    shifted = np.stack([east - 0.5, north, np.ones(3)], axis=-1)
    shifted /= np.linalg.norm(shifted, axis=-1, keepdims=True)
    assert np.allclose(moved.seen(looks)[0], still.seen(shifted)[0], atol=0.1)
    assert later.drift_km == pytest.approx((8.0 * 0.06 * 1e-3, 0.0))         # 8 m/s is 0.48 km a minute


def test_cloud_fraction_rises_with_coverage():
    looks = sky_geometry.fisheye(96)[0].reshape(-1, 3)
    looks = looks[looks[:, 2] > 0.3]
    shares = [(draw_layer((6,), replace(CUMULUS, coverage=share), 10.0, (0, 0), 0.0).seen(looks)[0] > 0.5).mean()
              for share in (0.05, 0.2, 0.4, 0.6)]
    assert (np.diff(shares) > 0.08).all()


def test_the_label_follows_the_thickness_along_the_line_of_sight():
    thickness, valid = np.zeros((40, 40), np.float32), np.ones((40, 40), bool)
    thickness[5:20, 5:20], thickness[25:35, 25:35], valid[:, :3] = 0.5, 0.1, False
    codes = sky_codes(thickness, valid)
    assert (codes[7:18, 7:18] == CLOUD).all() and (codes[25:35, 25:35] == SKY).all()
    assert (codes[:, :3] == OUTSIDE).all() and set(np.unique(codes)) == {OUTSIDE, SKY, CLOUD}


# --- horizon and camera -------------------------------------------------------------------------------------------

def test_an_object_hides_what_is_lower_than_its_top_in_its_direction_only():
    skyline = Skyline(np.full(BINS, 2.0, np.float32), np.zeros(BINS, np.uint8))
    skyline.elevation[BINS // 4 - 20 : BINS // 4 + 20] = 30.0               # in the east
    hidden, _ = skyline.hides(direction(np.array([65.0, 65.0, 55.0, 89.0]), np.array([90.0, 120.0, 90.0, 200.0])))
    assert hidden.tolist() == [True, False, False, True]


def test_towns_have_buildings_and_the_country_has_none():
    town, country = (draw_skyline(np.random.default_rng(4), share) for share in (1.0, 0.0))
    assert (town.kind == KINDS.index("buildings")).mean() > 0.1
    assert not (country.kind == KINDS.index("buildings")).any()
    assert country.elevation.min() > 0 and town.elevation.max() < 60


def test_the_tone_curve_is_monotone_and_keeps_grey_grey():
    for seed in range(5):
        camera = sky_camera.draw_camera(np.random.default_rng(seed))
        grey = np.linspace(0, 2, 200)[:, None].repeat(3, 1).astype(np.float32)
        stored = sky_camera.tone(grey, camera) / np.array(camera.white)
        assert np.allclose(stored, stored[:, :1]) and (np.diff(stored[:, 0]) >= -1e-6).all()
        assert stored[0, 0] == 0 and stored[-1, 0] == pytest.approx(1)
    blue = np.array([[0.1, 0.2, 0.4]], np.float32)
    pale, deep = (sky_camera.tone(blue, replace(camera, saturation=s))[0] for s in (0.5, 2.0))
    assert deep[0] / deep[2] < pale[0] / pale[2]


def test_stray_light_falls_with_the_square_of_the_angle():
    near, far = (sky_camera.stray_light(np.cos(np.radians(angle)), 1e-3) for angle in (5.0, 10.0))
    assert near / far == pytest.approx(4, rel=0.03)


def test_a_picture_is_exposed_noisy_and_darker_in_its_corners():
    drawn = sky_camera.draw_camera(np.random.default_rng(0))
    camera = replace(drawn, vignetting=0.4, noise=0.01, photons=0.0, bright=0.4)
    flat, everywhere = np.full((64, 64, 3), 7e3, np.float32), np.ones((64, 64), bool)
    picture = sky_camera.record(np.random.default_rng(1), flat, everywhere, camera)
    assert picture.dtype == np.uint8 and picture[:4, :4].mean() < picture[30:34, 30:34].mean() - 5
    assert 0.5 < picture[28:36, 28:36, 1].std() < 20
    dim = sky_camera.record(np.random.default_rng(1), flat / 1e6, everywhere, camera)
    assert np.abs(dim.astype(int) - picture).max() <= 1                      # exposure follows the light
