"""What leaves the top of the atmosphere: the ground, the air and the clouds of a scene at one wavelength."""

from collections.abc import Callable
from math import cos, exp, radians

import numpy as np

from course_utils.simulate import atmosphere as air
from course_utils.simulate.clouds import CloudLayer, cast, layer_optics, shadow_offset
from course_utils.simulate.scenario import Scenario
from course_utils.simulate.spectra import material_reflectance
from course_utils.simulate.state import State
from course_utils.simulate.two_stream import over, two_stream

TOP_KM = 100.0          # of the atmosphere: what lies above is too thin to count


def ground_reflectance(state: State, wavelength_nm: float) -> np.ndarray:
    """Reflectance of the level, sunlit ground: a mixture of materials, a texture, and glint on water.

    Args:
        state: the scene.
        wavelength_nm: wavelength, 400–2300 nm.

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
        wavelength_nm: wavelength, 400–2300 nm.

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
    direct = 0.95 * exp(-haze / mu0)        # in the clearest air, too, some light comes from all over the sky
    below = ground_reflectance(state, wavelength_nm) * (direct * state.lit + (1 - direct))
    reflected, passed = two_stream(slant * relative * state.aerosol, absorbed, scenario.aerosol.asymmetry)
    below = over(reflected, passed, passed, below)
    height = scenario.altitude_km
    for layer, thickness, shading in zip(scenario.layers, state.clouds, state.shading, strict=True):
        below = _add_air(below, height, layer.top_km, slant * molecules, gas)
        offset = layer_offset(scenario, layer)
        reflected, passed = two_stream(slant * thickness, *layer_optics(layer, wavelength_nm))
        down = direct * cast(passed, offset) + (1 - direct) * passed
        below = over(reflected, down, passed, below) + reflected * (shading - 1)
        height = layer.top_km
    return _add_air(below, height, TOP_KM, slant * molecules, gas)


def layer_offset(scenario: Scenario, layer: CloudLayer) -> tuple[int, int]:
    """Where the shadow of a layer falls on the ground.

    Args:
        scenario: the sun, the height of the ground and the size of a pixel.
        layer: the layer.

    Returns:
        Displacement (rows down, columns right) in whole pixels.
    """
    return shadow_offset(layer.top_km - scenario.altitude_km, scenario.sun_zenith, scenario.sun_azimuth,
                         scenario.pixel_m)


def _add_air(below: np.ndarray, bottom_km: float, top_km: float, molecules: float,
             gas: Callable[[float], float]) -> np.ndarray:
    """Put the air between two heights over what lies below it: absorption, then molecular scattering."""
    share = air.air_above(bottom_km) - air.air_above(top_km)
    reflected, passed = two_stream(molecules * share, asymmetry=0.0)
    return over(reflected, passed, passed, below * (gas(bottom_km) / gas(top_km)))


def sunlight(state: State) -> np.ndarray:
    """Share of the direct sunlight that all clouds together let through to the ground, in the visible.

    Args:
        state: the scene.

    Returns:
        (H, W) float32, 0–1.
    """
    light = np.ones(state.valid.shape, np.float32)
    for layer, thickness in zip(state.scenario.layers, state.clouds, strict=True):
        light *= cast(two_stream(thickness)[1], layer_offset(state.scenario, layer))
    return light
