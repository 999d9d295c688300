"""Putting a scene together: ground, air and clouds, then what a sensor records of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import cos, exp, radians
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from course_utils.sensors import PACE_OCI, Sensor
from course_utils.simulate import atmosphere as air
from course_utils.simulate.clouds import cast, layer_optics, optical_thickness, shadow_offset, top_shading
from course_utils.simulate.fields import power_law
from course_utils.simulate.instrument import measure, swath_mask
from course_utils.simulate.label import analyst_codes
from course_utils.simulate.landscape import BUILDERS, Landscape
from course_utils.simulate.patterns import hillshade
from course_utils.simulate.scenario import Scenario, draw_scenario
from course_utils.simulate.spectra import SURFACE_OF, material_reflectance
from course_utils.simulate.two_stream import over, two_stream

VERSION = "2"
FLAT = {"cirrus", "contrails"}      # layers too thin and smooth to have a sunlit side
_STREAMS = {"scenario": 0, "ground": 1, "cloud": 2, "air": 3, "sensor": 4}


@dataclass(frozen=True)
class Scene:
    """A simulated scene as one sensor sees it, with the truth about every pixel.

    Attributes:
        number: which scene.
        seed: which series of scenes.
        sensor: the instrument.
        scenario: everything drawn for the scene.
        image: (C, H, W) float32 top-of-atmosphere reflectance; 0 where not valid.
        codes: (H, W) uint8, 0 clear, 1 thick cloud, 2 thin cloud, 255 outside the swath.
        valid: (H, W) bool, a measurement exists.
        land: (H, W) bool.
        surface: (H, W) uint8, position in `SURFACES`.
        optical_thickness: (H, W) float32, all cloud layers together.
        shadow: (H, W) bool, clear ground that a cloud robs of at least 40 % of its direct sunlight.
    """

    number: int
    seed: int
    sensor: Sensor
    scenario: Scenario
    image: np.ndarray
    codes: np.ndarray
    valid: np.ndarray
    land: np.ndarray
    surface: np.ndarray
    optical_thickness: np.ndarray
    shadow: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, true = cloud, thick or thin, as an analyst would draw it."""
        return (self.codes == 1) | (self.codes == 2)

    @property
    def sun_zenith(self) -> float:
        """Angle of the sun from the vertical, degrees."""
        return self.scenario.sun_zenith


@dataclass(frozen=True)
class State:
    """The physical state of a scene: what is there, before any sensor looks.

    Attributes:
        scenario: everything drawn for the scene.
        ground: materials, land, elevation.
        lit: (H, W) float32 direct sunlight on the ground's slopes relative to level ground, or 1.0.
        glint: (H, W) float32 reflectance of the sun's glint on the water in each pixel.
        aerosol: (H, W) float32 aerosol optical thickness at 550 nm.
        clouds: one (H, W) float32 optical thickness per cloud layer, lowest first.
        shading: for each layer, (H, W) float32 factor of its sunlit and shaded sides, or 1.0.
        valid: (H, W) bool, inside the swath.
    """

    scenario: Scenario
    ground: Landscape
    lit: np.ndarray | float
    glint: np.ndarray | float
    aerosol: np.ndarray
    clouds: tuple[np.ndarray, ...]
    shading: tuple[np.ndarray | float, ...]
    valid: np.ndarray


def _rng(seed: int, number: int, stream: str) -> np.random.Generator:
    """Independent randomness for one part of one scene."""
    return np.random.default_rng(np.random.SeedSequence([seed, number, _STREAMS[stream]]))


def draw_state(
    number: int, seed: int = 0, size: int = 256, surface: str | None = None, cloud: str | None = None
) -> State:
    """Draw the physical state of a scene. It does not depend on any sensor.

    Args:
        number: which scene, 0 or more.
        seed: which series of scenes, 0 or more.
        size: pixels along one side.
        surface: force a landscape by name.
        cloud: force a sky by name.

    Returns:
        The state.
    """
    scenario = draw_scenario(_rng(seed, number, "scenario"), surface, cloud)
    ground = BUILDERS[scenario.surface](_rng(seed, number, "ground"), size)
    lit = 1.0
    if ground.elevation is not None:
        lit = hillshade(ground.elevation, scenario.sun_zenith, scenario.sun_azimuth)
    stream = _rng(seed, number, "air")
    plume = power_law(stream, size, 3.2, 1.0, stream.uniform(1, 4), stream.uniform(0, np.pi))
    load = scenario.aerosol.thickness * np.exp(np.float32(scenario.aerosol.patchiness) * plume)
    valid = swath_mask(size, scenario.swath_edge, stream.uniform(0, 2 * np.pi))
    stream = _rng(seed, number, "cloud")
    clouds = tuple(optical_thickness(stream, size, layer) for layer in scenario.layers)
    shading = tuple(
        1.0 if layer.kind in FLAT else top_shading(thickness, scenario.sun_zenith, scenario.sun_azimuth)
        for layer, thickness in zip(scenario.layers, clouds, strict=True)
    )
    return State(scenario, ground, lit, _glint(scenario, ground), load, clouds, shading, valid)


def _glint(scenario: Scenario, ground: Landscape) -> np.ndarray | float:
    """Glint reflectance, weighted by the share of water in each pixel."""
    water = sum(share for name, share in ground.fractions.items() if SURFACE_OF[name] <= 1)
    return water * air.glint_reflectance(scenario.sun_zenith, scenario.view_zenith, scenario.view_azimuth,
                                         scenario.wind_ms * ground.wind)


def ground_reflectance(state: State, wavelength_nm: float) -> np.ndarray:
    """Reflectance of the level, sunlit ground: a mixture of materials, a texture, and glint on water.

    Args:
        state: the scene.
        wavelength_nm: wavelength.

    Returns:
        (H, W) float32.
    """
    scenario, ground = state.scenario, state.ground
    snow = (*scenario.snow_grain_mm, scenario.snow_impurity)
    total = np.zeros(state.valid.shape, np.float32)
    for name, share in ground.fractions.items():
        total += material_reflectance(name, wavelength_nm, *snow) * share
    total *= ground.texture
    total += state.glint
    return np.minimum(total, 1.0, out=total)


def top_of_atmosphere(state: State, wavelength_nm: float) -> np.ndarray:
    """Reflectance at the top of the atmosphere, built from the ground up.

    Ground, then aerosol, then for every cloud layer the air below it and the layer itself, then the air above.
    Each step puts a two-stream layer over what is already there (`over`).

    Args:
        state: the scene.
        wavelength_nm: wavelength.

    Returns:
        (H, W) float32 reflectance factor.
    """
    scenario = state.scenario
    mu0, mu = cos(radians(scenario.sun_zenith)), cos(radians(scenario.view_zenith))
    airmass = 1 / mu0 + 1 / mu
    slant = airmass / 2
    molecules = air.rayleigh_thickness(wavelength_nm)
    relative, absorbed = scenario.aerosol.at(wavelength_nm)

    def gas(height_km: float) -> float:
        """Transmittance of the gases above a height, down and up."""
        return air.gas_transmittance(wavelength_nm, air.vapour_above(scenario.vapour_cm, height_km), airmass,
                                     pressure=air.air_above(height_km))

    haze = molecules * air.air_above(scenario.altitude_km) + scenario.aerosol.thickness * relative
    direct = 0.95 * exp(-haze / mu0)
    below = ground_reflectance(state, wavelength_nm) * (direct * state.lit + (1 - direct))
    reflected, passed = two_stream(slant * relative * state.aerosol, absorbed, scenario.aerosol.asymmetry)
    below = over(reflected, passed, passed, below)
    height = scenario.altitude_km
    for layer, thickness, shading in zip(scenario.layers, state.clouds, state.shading, strict=True):
        below = _add_air(below, height, layer.top_km, slant * molecules, gas)
        offset = _offset(scenario, layer.top_km)
        reflected, passed = two_stream(slant * thickness, *layer_optics(layer, wavelength_nm))
        down = direct * cast(passed, offset) + (1 - direct) * passed
        below = over(reflected, down, passed, below) + reflected * (shading - 1)
        height = layer.top_km
    return _add_air(below, height, 100.0, slant * molecules, gas)


def _offset(scenario: Scenario, top_km: float) -> tuple[int, int]:
    """Shadow displacement of a layer of this scene."""
    return shadow_offset(top_km - scenario.altitude_km, scenario.sun_zenith, scenario.sun_azimuth, scenario.pixel_m)


def _add_air(below: np.ndarray, bottom_km: float, top_km: float, molecules: float, gas) -> np.ndarray:
    """Put the air between two heights over what lies below it: absorption, then molecular scattering."""
    share = air.air_above(bottom_km) - air.air_above(top_km)
    reflected, passed = two_stream(molecules * share, asymmetry=0.0)
    return over(reflected, passed, passed, below * (gas(bottom_km) / gas(top_km)))


def _surface_codes(ground: Landscape) -> np.ndarray:
    """Class with the largest share in each pixel."""
    shares: dict[int, np.ndarray] = {}
    for name, share in ground.fractions.items():
        shares[SURFACE_OF[name]] = shares.get(SURFACE_OF[name], 0) + share
    order = np.array(sorted(shares), np.uint8)
    return order[np.argmax(np.stack([shares[code] for code in order]), axis=0)]


def scene(
    number: int,
    seed: int = 0,
    sensor: Sensor = PACE_OCI,
    size: int = 256,
    surface: str | None = None,
    cloud: str | None = None,
) -> Scene:
    """Simulate a numbered scene.

    Args:
        number: which scene, 0 or more; the same number and seed always give the same scene.
        seed: which series of scenes, 0 or more.
        sensor: the instrument that looks; the clouds and the ground do not depend on it.
        size: pixels along one side.
        surface: force a landscape, one of `SURFACE_SCENARIOS`.
        cloud: force a sky, one of `CLOUD_SCENARIOS`.

    Returns:
        The scene.

    Raises:
        UnknownScenarioError: a forced name is not known.
        ValueError: a negative number or seed, or a size below 32.

    Example:
        >>> view = scene(7, size=64)
        >>> view.image.shape, view.mask.dtype
        ((11, 64, 64), dtype('bool'))
    """
    if number < 0 or seed < 0 or size < 32:
        raise ValueError(f"Found number={number}, seed={seed}, size={size}; expected number and seed of 0 or more "
                         "and a size of at least 32 pixels.")
    state = draw_state(number, seed, size, surface, cloud)
    arriving = np.empty((len(sensor.bands), size, size), np.float32)
    for channel, wavelength in enumerate(sensor.wavelengths):
        arriving[channel] = top_of_atmosphere(state, wavelength)
    image = measure(_rng(seed, number, "sensor"), arriving)
    image *= state.valid
    total = sum(state.clouds, start=np.zeros((size, size), np.float32))
    codes = analyst_codes(total, state.valid)
    shaded = np.ones((size, size), np.float32)
    for layer, thickness in zip(state.scenario.layers, state.clouds, strict=True):
        shaded *= cast(two_stream(thickness)[1], _offset(state.scenario, layer.top_km))
    return Scene(number, seed, sensor, state.scenario, image, codes, state.valid, state.ground.land & state.valid,
                 _surface_codes(state.ground), total, (shaded < 0.6) & (codes == 0))


def scenes(
    numbers: Iterable[int],
    seed: int = 0,
    sensor: Sensor = PACE_OCI,
    size: int = 256,
    workers: int = 1,
    progress: bool = False,
) -> Iterator[Scene]:
    """Simulate many scenes, in order.

    Args:
        numbers: which scenes.
        seed: which series of scenes.
        sensor: the instrument.
        size: pixels along one side.
        workers: processes that share the work; the result is the same for any number.
        progress: show a bar on stderr.

    Yields:
        The scenes, in the order of `numbers`.

    Example:
        >>> [view.number for view in scenes([3, 1], size=32)]
        [3, 1]
    """
    numbers = list(numbers)
    make = partial(scene, seed=seed, sensor=sensor, size=size)
    hidden = {} if progress else {"disable": True}           # leave it to TQDM_DISABLE otherwise
    bar = partial(tqdm, total=len(numbers), desc="simulating", unit="scene", **hidden)
    if workers <= 1:
        yield from bar(map(make, numbers))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from bar(pool.map(make, numbers, chunksize=4))
