"""The physical state of a scene: what is there, before any sensor looks."""

from dataclasses import dataclass

import numpy as np

from course_utils.simulate.atmosphere import glint_reflectance
from course_utils.simulate.clouds import CloudLayer, optical_thickness, spread_light, top_shading
from course_utils.simulate.fields import power_law
from course_utils.simulate.instrument import swath_mask
from course_utils.simulate.landscape import BUILDERS, Landscape
from course_utils.simulate.patterns import hillshade
from course_utils.simulate.scenario import Scenario, draw_scenario
from course_utils.simulate.spectra import SURFACE_OF

FLAT = {"cirrus", "contrails"}      # layers too thin and smooth to have a sunlit side, or for light to wander in
_STREAMS = {"scenario": 0, "ground": 1, "cloud": 2, "air": 3, "sensor": 4}


@dataclass(frozen=True, eq=False)
class State:
    """Everything physical about a scene.

    Attributes:
        scenario: everything drawn for the scene.
        ground: materials, land, elevation.
        lit: (H, W) float32 direct sunlight on the ground's slopes relative to level ground, or 1.0.
        glint: (H, W) float32 reflectance of the sun's glint on the water in each pixel.
        aerosol: (H, W) float32 aerosol optical thickness at 550 nm.
        clouds: one (H, W) float32 apparent optical thickness per cloud layer, lowest first.
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


def stream(seed: int, number: int, part: str) -> np.random.Generator:
    """Independent randomness for one part of one scene.

    Args:
        seed: which series of scenes.
        number: which scene.
        part: "scenario", "ground", "cloud", "air" or "sensor". Drawing more from one part changes no other.

    Returns:
        A generator that always starts the same.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, number, _STREAMS[part]]))


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

    Raises:
        UnknownScenarioError: a forced name is not known.
    """
    scenario = draw_scenario(stream(seed, number, "scenario"), surface, cloud)
    ground = BUILDERS[scenario.surface](stream(seed, number, "ground"), size)
    lit = 1.0
    if ground.elevation is not None:
        lit = hillshade(ground.elevation, scenario.sun_zenith, scenario.sun_azimuth)
    rng = stream(seed, number, "air")
    plume = power_law(rng, size, 3.2, 1.0, rng.uniform(1, 4), rng.uniform(0, np.pi))
    load = scenario.aerosol.thickness * np.exp(np.float32(scenario.aerosol.patchiness) * plume)
    valid = swath_mask(size, scenario.swath_edge, rng.uniform(0, 2 * np.pi))
    rng = stream(seed, number, "cloud")
    clouds = tuple(_cloud(rng, size, layer, scenario) for layer in scenario.layers)
    shading = tuple(
        1.0 if layer.kind in FLAT else top_shading(thickness, scenario.sun_zenith, scenario.sun_azimuth)
        for layer, thickness in zip(scenario.layers, clouds, strict=True)
    )
    return State(scenario, ground, lit, _glint(scenario, ground), load, clouds, shading, valid)


def _cloud(rng: np.random.Generator, size: int, layer: CloudLayer, scenario: Scenario) -> np.ndarray:
    """Apparent optical thickness of a layer."""
    thickness = optical_thickness(rng, size, layer)
    if layer.kind in FLAT:
        return thickness
    return spread_light(thickness, scenario.wander_m / scenario.pixel_m, scenario.wander_share)


def _glint(scenario: Scenario, ground: Landscape) -> np.ndarray | float:
    """Glint reflectance, weighted by the share of water in each pixel."""
    water = sum(share for name, share in ground.fractions.items() if SURFACE_OF[name] <= 1)
    return water * glint_reflectance(scenario.sun_zenith, scenario.view_zenith, scenario.view_azimuth,
                                     scenario.wind_ms * ground.wind)
