"""Whole scenes: shape, truth, determinism, and that the physics arrives in the image."""

import hashlib
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from course_utils import simulate
from course_utils.sensors import LANDSAT8, PACE_OCI, RGB, SENTINEL2
from course_utils.simulate.atmosphere import Aerosol
from course_utils.simulate.clouds import CloudLayer
from course_utils.simulate.label import analyst_codes
from course_utils.simulate.radiance import ground_reflectance, layer_offset, top_of_atmosphere
from course_utils.simulate.scenario import draw_scenario
from course_utils.simulate.scene import _in_order
from course_utils.simulate.spectra import material_reflectance
from course_utils.simulate.state import draw_state

SIZE = 96


def fingerprint(scene):
    parts = (scene.image, scene.codes, scene.valid, scene.surface, scene.optical_thickness, scene.shadow)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize("number", range(8))
def test_scene_keeps_its_contract(number):
    scene = simulate.scene(number, size=SIZE)
    assert scene.image.shape == (11, SIZE, SIZE) and scene.image.dtype == np.float32
    assert np.isfinite(scene.image).all() and scene.image.min() >= 0 and scene.image.max() < 2.0
    assert not scene.image[:, ~scene.valid].any()
    assert set(np.unique(scene.codes)) <= {0, 1, 2, 255}
    assert np.array_equal(scene.codes == 255, ~scene.valid)
    assert np.array_equal(scene.mask, np.isin(scene.codes, (1, 2)))
    assert scene.surface.dtype == np.uint8 and scene.surface.max() < len(simulate.SURFACES)
    assert not (scene.shadow & (scene.codes != 0)).any()
    assert scene.optical_thickness.min() >= 0 and scene.optical_thickness.dtype == np.float32
    assert 0 < scene.sun_zenith < 80 and "surface=" in repr(scene.scenario)


def test_same_number_same_scene_in_any_order_and_other_numbers_differ():
    first = fingerprint(simulate.scene(5, seed=2, size=SIZE))
    simulate.scene(6, size=SIZE)
    assert fingerprint(simulate.scene(5, seed=2, size=SIZE)) == first
    assert fingerprint(simulate.scene(5, seed=3, size=SIZE)) != first
    assert fingerprint(simulate.scene(6, seed=2, size=SIZE)) != first


def test_other_processes_with_other_threads_make_the_same_scenes_in_order(monkeypatch):
    alone = [fingerprint(scene) for scene in simulate.scenes([4, 2, 9, 0, 7], size=SIZE)]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")          # read by the new processes as they start
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    shared = [fingerprint(scene) for scene in simulate.scenes([4, 2, 9, 0, 7], size=SIZE, workers=2)]
    assert alone == shared
    assert len(set(alone)) == 5


def test_a_slow_reader_holds_few_scenes_in_memory():
    started = []

    class Pool:
        def submit(self, make, number):
            started.append(number)
            future = Future()
            future.set_result(make(number))
            return future

    reader = _in_order(Pool(), lambda number: number, list(range(20)), ahead=4)
    assert [next(reader), next(reader)] == [0, 1] and len(started) == 5
    assert list(reader) == list(range(2, 20))


def test_the_truth_does_not_depend_on_the_sensor():
    views = [simulate.scene(11, size=SIZE, sensor=sensor) for sensor in (PACE_OCI, LANDSAT8, SENTINEL2, RGB)]
    for view in views[1:]:
        assert np.array_equal(view.codes, views[0].codes)
        assert np.array_equal(view.surface, views[0].surface)
        assert view.scenario == views[0].scenario
        assert view.image.shape[0] == len(view.sensor.bands)
    assert np.corrcoef(views[0].image[PACE_OCI.index("650")].ravel(),
                       views[1].image[LANDSAT8.index("B4")].ravel())[0, 1] > 0.98


@pytest.mark.parametrize("surface", simulate.SURFACE_SCENARIOS)
def test_every_surface_can_be_forced(surface):
    scene = simulate.scene(1, size=48, surface=surface, cloud="clear")
    assert scene.scenario.surface == surface and not scene.mask.any() and not scene.shadow.any()


@pytest.mark.parametrize("cloud", [name for name in simulate.CLOUD_SCENARIOS if name != "clear"])
def test_every_sky_can_be_forced_and_has_cloud(cloud):
    assert any(simulate.scene(n, size=64, cloud=cloud).mask.any() for n in range(4))


def test_errors_name_what_is_known():
    with pytest.raises(simulate.UnknownScenarioError, match=r"found surface 'moon', expected one of ocean.*sea_ice"):
        simulate.scene(0, surface="moon")
    with pytest.raises(simulate.UnknownScenarioError, match=r"found sky 'rain', expected one of clear.*multilayer"):
        simulate.scene(0, cloud="rain")
    with pytest.raises(ValueError, match=r"number=-1.*expected number and seed of 0 or more"):
        simulate.scene(-1)
    with pytest.raises(ValueError, match="at least 32 pixels"):
        simulate.scene(0, size=16)


def test_forcing_the_sky_keeps_the_ground():
    clear, cloudy = (simulate.scene(8, size=SIZE, cloud=name) for name in ("clear", "cirrus"))
    assert clear.scenario.surface == cloudy.scenario.surface
    assert np.array_equal(clear.surface, cloudy.surface)


def make_state(layers, size=32, vapour=3.0, altitude=0.0, surface="savanna"):
    """A scene with uniform cloud layers of given thickness in its middle, for looking at one mechanism."""
    state = draw_state(2, size=size, surface=surface, cloud="clear")
    scenario = replace(state.scenario, layers=tuple(layer for layer, _ in layers), vapour_cm=vapour,
                       altitude_km=altitude, sun_zenith=30.0)
    thickness = np.zeros((size, size), np.float32)
    thickness[8:24, 8:24] = 1.0
    clouds = tuple(thickness * np.float32(depth) for _, depth in layers)
    return replace(state, scenario=scenario, lit=1.0, clouds=clouds, shading=(1.0,) * len(clouds),
                   valid=np.ones((size, size), bool))


def layer(top_km, ice):
    return CloudLayer("cirrus" if ice else "cumulus", 0.5, 1.0, top_km, ice, 25.0 if ice else 10.0, 2, 3, 1, 0)


def test_only_high_cloud_shows_at_1378_nm_over_moist_air():
    inside, outside = (slice(12, 20), slice(12, 20)), (slice(0, 4), slice(28, 32))
    low = top_of_atmosphere(make_state([(layer(1.5, 0.0), 20.0)]), 1378)
    high = top_of_atmosphere(make_state([(layer(10.0, 1.0), 0.5)]), 1378)
    assert low[inside].mean() < 0.01
    assert high[inside].mean() > 3 * max(low[inside].mean(), high[outside].mean())
    blue = top_of_atmosphere(make_state([(layer(1.5, 0.0), 20.0)]), 470)
    assert blue[inside].mean() > 2.5 * blue[outside].mean()


def test_a_high_cold_dry_plateau_shows_the_ground_at_1378_nm():
    moist = top_of_atmosphere(make_state([], vapour=3.0, surface="ice_sheet"), 1378)
    dry = top_of_atmosphere(make_state([], vapour=0.15, altitude=3.5, surface="ice_sheet"), 1378)
    assert moist.mean() < 0.005 < 0.08 < dry.mean()


def test_ice_cloud_is_darker_than_water_cloud_in_the_short_wave_infrared():
    water = top_of_atmosphere(make_state([(layer(3.0, 0.0), 20.0)]), 1618)[16, 16]
    ice = top_of_atmosphere(make_state([(layer(3.0, 1.0), 20.0)]), 1618)[16, 16]
    assert ice < 0.75 * water


def test_snow_and_cloud_differ_at_1618_nm_but_hardly_in_the_blue():
    scene = simulate.scene(4, size=SIZE, surface="ice_sheet", cloud="clear")
    snow_blue, snow_infrared = (np.median(scene.image[PACE_OCI.index(w)]) for w in (470, 1618))
    assert snow_blue > 0.6 and snow_infrared < 0.35
    cloud = top_of_atmosphere(make_state([(layer(2.0, 0.0), 30.0)]), 1618)[16, 16]
    assert cloud > snow_infrared + 0.2


def test_shadow_darkens_clear_ground():
    found = 0
    for number in range(12):
        scene = simulate.scene(number, size=128, surface="savanna", cloud="cumulus")
        lit = (scene.codes == 0) & ~scene.shadow
        if scene.shadow.sum() > 200 and lit.sum() > 200:
            red = scene.image[PACE_OCI.index("865")]
            assert red[scene.shadow].mean() < 0.85 * red[lit].mean()
            found += 1
    assert found >= 3


def test_haze_brightens_dark_ground_and_is_not_cloud():
    scene = simulate.scene(0, size=48, surface="ocean", cloud="clear")
    assert not scene.mask.any()
    state = make_state([])
    hazy = replace(state, aerosol=state.aerosol + 1)
    assert top_of_atmosphere(hazy, 470).mean() > top_of_atmosphere(state, 470).mean() + 0.03


def test_the_ground_is_its_materials_its_texture_and_the_glint():
    state = replace(make_state([]), glint=0.02)
    by_hand = sum(material_reflectance(name, 865) * share for name, share in state.ground.fractions.items())
    np.testing.assert_allclose(ground_reflectance(state, 865), by_hand * state.ground.texture + 0.02, rtol=1e-5)
    assert ground_reflectance(replace(state, glint=5.0), 865).max() == 1.0


def test_a_slope_that_faces_away_from_the_sun_is_darker_but_not_black():
    facing, averted = (top_of_atmosphere(replace(make_state([]), lit=lit), 865) for lit in (1.0, 0.0))
    assert 0.02 < averted.mean() < 0.4 * facing.mean()


def test_a_low_sun_sends_more_light_back_from_air_and_veil():
    """The path is longer by 1/cos: thin layers look thicker."""
    state = make_state([(layer(10.0, 1.0), 0.1)], surface="forest")
    high, low = (top_of_atmosphere(replace(state, scenario=replace(state.scenario, sun_zenith=angle)), 443)
                 for angle in (0.0, 70.0))
    assert low.mean() > 1.4 * high.mean()


def test_sunlit_sides_of_clouds_arrive_in_the_image():
    state = make_state([(layer(2.0, 0.0), 20.0)])
    plain, sunlit = (top_of_atmosphere(replace(state, shading=(factor,)), 865)[16, 16] for factor in (1.0, 1.2))
    assert sunlit / plain == pytest.approx(1.2, abs=0.06)


def test_fine_smoke_brightens_the_blue_and_leaves_the_infrared_clear():
    state = make_state([], surface="forest")
    smoke = replace(state.scenario, aerosol=Aerosol("smoke", 1.0, 1.8, 0.08, 0.12, 0.6, 0.0))
    clear, smoky = (replace(state, scenario=smoke, aerosol=np.full_like(state.aerosol, amount)) for amount in (0, 1))
    added = [abs(top_of_atmosphere(smoky, w) - top_of_atmosphere(clear, w)).mean() for w in (470, 2131)]
    assert added[0] > 0.05 and added[1] < 0.1 * added[0]


def test_shadows_are_cast_from_the_height_above_the_ground_not_above_the_sea():
    scenario = replace(make_state([]).scenario, sun_zenith=45.0, sun_azimuth=180.0, pixel_m=100.0)
    assert layer_offset(scenario, layer(4.0, 0.0)) == (-40, 0)
    assert layer_offset(replace(scenario, altitude_km=3.0), layer(4.0, 0.0)) == (-10, 0)


def test_frequencies_are_those_of_a_varied_planet():
    drawn = [draw_scenario(np.random.default_rng(n)) for n in range(600)]
    for scenario in drawn:
        heights = [scenario.altitude_km, *(layer.top_km for layer in scenario.layers)]
        assert heights == sorted(heights)
    share = {name: np.mean([s.surface == name for s in drawn]) for name in simulate.SURFACE_SCENARIOS}
    assert 0.25 < share["ocean"] + share["coast"] < 0.45
    assert 0.12 < sum(share[name] for name in ("snow_mountains", "snow_plain", "ice_sheet", "sea_ice")) < 0.28
    assert 0.06 < np.mean([s.cloud == "clear" for s in drawn]) < 0.15
    nothing, everywhere = np.zeros((128, 128), np.float32), np.ones((128, 128), bool)
    skies = [draw_state(n, size=128).clouds for n in range(60)]
    cover = np.mean([analyst_codes(sum(layers, start=nothing), everywhere) > 0 for layers in skies])
    assert 0.35 < cover < 0.62
