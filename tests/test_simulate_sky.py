"""Whole sky pictures: shape, truth, determinism, and that the physics arrives in the picture."""

from dataclasses import replace

import numpy as np
import pytest

from course_utils.codes import SKY_CODES
from course_utils.simulate.scenario import UnknownScenarioError
from course_utils.simulate.sky import sky_frame, sky_photo
from course_utils.simulate.sky_geometry import airmass, direction, fisheye, fisheye_place
from course_utils.simulate.sky_light import Haze
from course_utils.simulate.sky_night import town_glow
from course_utils.simulate.sky_state import SKIES, draw_sky
from course_utils.simulate.sky_view import look, starlight
from course_utils.simulate.two_stream import two_stream

SIZE = 96


@pytest.mark.parametrize("time", ["day", "night"])
@pytest.mark.parametrize("number", range(4))
def test_a_frame_keeps_its_contract(number, time):
    frame = sky_frame(number, seed=1, time=time, size=SIZE)
    assert frame.picture.shape == (SIZE, SIZE, 3) and frame.picture.dtype == np.uint8
    assert frame.codes.shape == (SIZE, SIZE) and frame.codes.dtype == np.uint8
    assert set(np.unique(frame.codes)) <= set(SKY_CODES)
    assert frame.image.shape == (3, SIZE, SIZE) and frame.image.dtype == np.float32
    assert np.array_equal(frame.image[1] * 255, frame.picture[..., 1])
    assert np.array_equal(frame.mask, frame.codes == 255) and np.array_equal(frame.valid, frame.codes != 0)
    _, inside = fisheye(SIZE)
    assert not frame.valid[~inside].any() and frame.valid.sum() > 0.6 * inside.sum()
    assert frame.picture[~inside].max() < 16 and frame.picture[frame.valid].mean() > 5
    assert frame.thickness.min() >= 0 and not frame.thickness[~frame.valid].any()
    assert frame.cloud_fraction == frame.mask.sum() / frame.valid.sum()
    assert frame.state.time == time


def test_the_same_number_is_the_same_picture_and_another_is_not():
    first, again, other = (sky_frame(number, size=SIZE) for number in (3, 3, 4))
    assert np.array_equal(first.picture, again.picture) and np.array_equal(first.codes, again.codes)
    assert not np.array_equal(first.picture, other.picture)
    assert not np.array_equal(first.picture, sky_frame(3, seed=1, size=SIZE).picture)
    photos = [sky_photo(number, size=64) for number in (5, 5, 6)]
    assert np.array_equal(photos[0].picture, photos[1].picture)
    assert not np.array_equal(photos[0].picture, photos[2].picture)
    assert np.array_equal(photos[0].state.layers[0].thickness, photos[2].state.layers[0].thickness)  # one sky


def test_day_and_night_are_drawn_and_every_sky_can_be_forced():
    times = [draw_sky(number).time for number in range(30)]
    assert 3 <= times.count("night") <= 16
    for sky in SKIES:
        frame = sky_frame(0, time="day", size=48, sky=sky)
        assert frame.state.sky == sky and len(frame.state.layers) == len(SKIES[sky][1])
    assert sky_frame(0, size=48, sky="clear").cloud_fraction == 0


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: sky_frame(0, time="dusk"), UnknownScenarioError, "found time 'dusk', expected one of day, night"),
    (lambda: sky_frame(0, sky="fogbow"), UnknownScenarioError, "found sky 'fogbow', expected one of clear, cumulus"),
    (lambda: sky_frame(-1), ValueError, "found number=-1"),
    (lambda: sky_frame(0, size=16), ValueError, "found size=16, expected at least 32"),
    (lambda: sky_photo(0, size=16), ValueError, "found size=16, expected at least 32"),
])
def test_what_can_not_be_simulated_is_described(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_sun_stands_where_its_direction_says():
    state = next(state for state in (draw_sky(number, time="day", sky="clear") for number in range(20))
                 if 0.5 < state.source[2] < 0.85)
    looks, inside = fisheye(400)
    radiance = np.zeros((400, 400))
    radiance[inside] = look(state, looks[inside]).radiance.sum(1)
    row, column = fisheye_place(state.source, 400)
    brightest = np.unravel_index(radiance.argmax(), radiance.shape)
    assert np.hypot(brightest[0] - row, brightest[1] - column) < 1.5


def test_cloud_hides_sun_and_stars_and_the_veil_is_part_of_the_truth():
    state = draw_sky(2, time="night", sky="stratus")
    clear = replace(state, layers=())
    (_, dim), (_, bright) = starlight(state), starlight(clear)
    assert len(dim) == len(bright) > 3000 and (dim <= bright + 1e-18).all() and dim.sum() < 0.9 * bright.sum()
    sun = replace(draw_sky(2, time="day", sky="stratus"), source=direction(30.0, 100.0))
    view = direction(30.0, 100.0)[None].astype(np.float32)
    thick = look(sun, view)
    free = look(replace(sun, layers=()), view)
    assert free.thickness == 0 and (thick.thickness > 0 or thick.radiance.sum() == pytest.approx(free.radiance.sum()))
    assert free.radiance.min() > 1e7                                    # the disc itself


def test_a_sky_looks_the_same_whichever_part_of_it_is_looked_at():
    views = direction(np.array([10.0, 50.0, 80.0]), np.array([0.0, 100.0, 200.0])).astype(np.float32)
    for state in (draw_sky(1, time="night", sky="cumulus"), draw_sky(1, time="day", sky="cumulus"),
                  replace(draw_sky(1, time="day", sky="cumulus"), source=direction(94.0, 90.0))):
        together = look(state, views)
        alone = [look(state, view[None]) for view in views]
        assert np.allclose(together.radiance, np.concatenate([one.radiance for one in alone]), rtol=1e-4)
        assert np.allclose(together.thickness, np.concatenate([one.thickness for one in alone]), rtol=1e-5)


@pytest.mark.parametrize(("town_lux", "low", "high"), [(0.3, 3.0, 15.0), (2e-6, 0.1, 0.95)])
def test_cloud_at_night_is_brighter_than_the_sky_in_town_and_darker_in_the_country(town_lux, low, high):
    # Kyba et al. 2011: overcast 10.1 times as bright as clear in Berlin; Jechow et al. 2019: darker far from towns.
    state = next(state for state in (draw_sky(number, time="night", sky="stratus") for number in range(40))
                 if state.layers[0].thickness.min() > 5)
    state = replace(state, town_lux=town_lux, source=direction(150.0, 0.0), haze=Haze(0.15))
    views = direction(np.linspace(0, 40, 30), np.linspace(0, 300, 30)).astype(np.float32)
    ratio = look(state, views).radiance[:, 1] / look(replace(state, layers=()), views).radiance[:, 1]
    assert low < np.median(ratio) < high


def test_town_light_that_air_returns_is_a_share_of_it_and_grows_towards_the_horizon():
    glow = town_glow(1.0, airmass(np.array([1.0, 0.2])), Haze(0.2))
    assert (glow[1] > 2 * glow[0]).all() and (glow[0] < 0.5 * two_stream(20.0)[0] / np.pi).all()
    assert glow[0, 2] > glow[0, 0]


def test_a_night_passes_and_clouds_change_slowly():
    frames = [sky_frame(1, time="night", size=SIZE, minutes=minutes) for minutes in range(4)]
    assert [frame.minutes for frame in frames] == [0, 1, 2, 3]
    same = [np.mean(frames[0].codes == frame.codes) for frame in frames[1:]]
    assert same[0] > 0.7 and same[0] >= same[2]
    later = sky_frame(1, time="night", size=SIZE, minutes=300.0)
    assert not np.array_equal(later.codes, frames[0].codes)
    assert later.camera == frames[0].camera and later.state.skyline.elevation[0] == frames[0].state.skyline.elevation[0]


def test_cloud_is_whiter_than_the_sky_by_day():
    ratio, cloud = [], []
    for number in range(12):
        photo = sky_photo(4 * number, seed=5, size=64)
        picture = photo.picture[photo.valid].astype(float)
        ratio.append(picture[:, 0] / np.maximum(picture[:, 2], 1))
        cloud.append(photo.mask[photo.valid])
    ratio, cloud = np.concatenate(ratio), np.concatenate(cloud)
    assert np.median(ratio[cloud]) > np.median(ratio[~cloud]) + 0.1


def test_a_site_keeps_its_town_its_horizon_and_its_camera():
    """Whatever the sky above it; the sky itself is the one that it is elsewhere."""
    one, other, elsewhere = (sky_frame(n, time="night", size=SIZE, site=s) for n, s in ((3, 7), (4, 7), (3, 8)))
    for part in ("town", "town_lux", "town_azimuth", "ground"):
        assert getattr(one.state, part) == getattr(other.state, part) != getattr(elsewhere.state, part)
    assert np.array_equal(one.state.skyline.elevation, other.state.skyline.elevation)
    assert one.camera == other.camera != elsewhere.camera
    assert np.array_equal(one.valid, other.valid) and not np.array_equal(one.valid, elsewhere.valid)
    both = one.valid & elsewhere.valid
    assert np.array_equal(one.thickness[both], elsewhere.thickness[both])
    assert not np.array_equal(one.thickness, other.thickness)
    assert sky_frame(3, size=32, minutes=10.0, site=7).camera == sky_frame(3, size=32, site=7).camera
    with pytest.raises(ValueError, match="found site=-1, expected 0 or more"):
        sky_frame(3, size=32, site=-1)
