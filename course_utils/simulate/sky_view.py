"""What arrives at a camera from each direction: air, clouds, sun, moon, stars, and the objects around it."""

from dataclasses import dataclass

import numpy as np

from course_utils.sensors import RGB
from course_utils.simulate.atmosphere import SCALE_HEIGHT_KM
from course_utils.simulate.clouds import CRYSTALS, DROPLETS
from course_utils.simulate.sky_camera import stray_light
from course_utils.simulate.sky_clouds import SkyLayer
from course_utils.simulate.sky_geometry import airmass, direction
from course_utils.simulate.sky_horizon import object_colours
from course_utils.simulate.sky_light import (
    MOLECULES,
    beam_transmittance,
    clear_sky,
    cloud_light,
    ozone,
    twilight,
)
from course_utils.simulate.sky_night import ZERO_MAGNITUDE_LUX, airglow, town_glow
from course_utils.simulate.sky_state import SkyState
from course_utils.simulate.two_stream import two_stream

HAZE_SCALE_HEIGHT_KM = 1.5
DISC = np.cos(np.radians(0.267))        # sun and moon alike
DISC_SR = 2 * np.pi * (1 - DISC)
# Directions that share the light that falls on level ground: as many in each ring of equal sin².
DOME = direction(np.degrees(np.arcsin(np.sqrt((np.arange(8) + 0.5) / 8)))[:, None], np.arange(0.0, 360, 30)[None])
DOME = DOME.reshape(-1, 3)
GREENISH = np.array([0.9, 1.0, 0.8], np.float32)        # airglow
HEAPED = {"cumulus", "cells"}           # clouds tall enough to show a sunlit side


@dataclass(frozen=True, eq=False)
class Sight:
    """What a camera sees in each of N directions.

    Attributes:
        radiance: (N, 3) float32 red, green, blue, cd/m².
        thickness: (N,) float32 optical thickness of all cloud along the line of sight.
        outside: (N,) bool, an object on the ground hides the sky.
    """

    radiance: np.ndarray
    thickness: np.ndarray
    outside: np.ndarray


@dataclass(frozen=True, eq=False)
class _Views:
    """N lines of sight: cosine of the zenith angle, air mass, cosine of the angle from sun or moon, light of towns."""

    up: np.ndarray
    air: np.ndarray
    cos_angle: np.ndarray
    town: np.ndarray


@dataclass(frozen=True, eq=False)
class _Light:
    """Light from above: lux (3,) of sun or moon, 0 when it has set, how it stands, and radiance (3,) of the rest."""

    lux: np.ndarray
    cos_sun: float
    slant_sun: float
    ambient: np.ndarray


def look(state: SkyState, looks: np.ndarray, stray: float = 0.0) -> Sight:
    """See a sky.

    Args:
        state: the sky.
        looks: (N, 3) unit vectors; what lies below the horizon is ground.
        stray: the camera's stray light at an angle of one radian, 1/sr.

    Returns:
        What is seen.
    """
    light, views = _light(state), _views(state, looks)
    cloudless = _cloudless(state, looks, views, light)
    radiance, total = cloudless, np.zeros(len(looks), np.float32)
    for place in reversed(range(len(state.layers))):            # from the highest down
        layer = state.layers[place]
        thickness, slant = layer.seen(looks)
        path = thickness * slant
        total += path
        cloud = _cloud_radiance(state, place, thickness, slant, views, light)
        below, share = _air_below(state, layer.cloud.top_km)
        front = cloudless * share
        behind = np.maximum(radiance - front, 0) * np.exp(-path)[:, None]
        radiance = front + behind + cloud * np.exp(-below * views.air[:, None]).astype(np.float32)
    radiance = radiance + _source_light(state, views.cos_angle, total, light, stray)
    outside, kind = state.skyline.hides(looks)
    radiance[outside] = _object_radiance(state, light)[kind[outside]]
    return Sight(radiance, total, outside)


def _views(state: SkyState, looks: np.ndarray) -> _Views:
    """What the formulas ask of each line of sight."""
    up = np.maximum(looks[:, 2], 0)
    cos_angle = np.clip(looks @ state.source, -1, 1).astype(np.float32)
    town = state.town_lux if state.time == "night" else 0.0
    towards = looks @ direction(90.0, state.town_azimuth)       # the sky glows more over the middle of the town
    return _Views(up, airmass(up), cos_angle, (town * (1 + 0.8 * towards)).astype(np.float32))


def _light(state: SkyState) -> _Light:
    """What comes from above; it does not depend on where a camera looks."""
    cos_sun = float(state.source[2])
    lux = state.source_lux * (cos_sun > 0) * ozone(cos_sun)
    return _Light(lux, cos_sun, float(airmass(max(cos_sun, 0.0))), _high_light(state, DOME).mean(0))


def _cloudless(state: SkyState, looks: np.ndarray, views: _Views, light: _Light) -> np.ndarray:
    """Radiance (N, 3) of the sky without its clouds."""
    radiance = _high_light(state, looks)
    if light.lux.any():
        air = clear_sky(views.up, views.air, views.cos_angle, light.cos_sun, light.slant_sun, state.haze)
        radiance = radiance + light.lux * air
    if state.time == "night":
        radiance = radiance + views.town[:, None] * town_glow(1.0, views.air, state.haze) * state.town_colour
    return radiance.astype(np.float32)


def _high_light(state: SkyState, looks: np.ndarray) -> np.ndarray:
    """Radiance (N, 3) of light from above all clouds that neither sun nor moon sends straight: twilight, airglow."""
    up = np.maximum(looks[:, 2], 0)
    air = airmass(up)
    if state.time == "night":
        return airglow(up)[:, None] * GREENISH * np.exp(-MOLECULES * air[:, None]).astype(np.float32)
    if state.source[2] <= 0:
        return state.source_lux * ozone(0.0) * twilight(looks, air, state.source)
    return np.zeros((len(looks), 3), np.float32)


def _above(state: SkyState, height_km: float) -> np.ndarray:
    """Optical thickness (3,) of the air above a height."""
    haze = state.haze.at(RGB.wavelengths) * np.exp(-height_km / HAZE_SCALE_HEIGHT_KM)
    return MOLECULES * np.exp(-height_km / SCALE_HEIGHT_KM) + haze


def _air_below(state: SkyState, height_km: float) -> tuple[np.ndarray, np.ndarray]:
    """Optical thickness (3,) of the air between the camera and a cloud, and its share of the whole."""
    whole = _above(state, 0.0)
    below = whole - _above(state, height_km)
    return below, (below / whole).astype(np.float32)


def _sunlight_at(state: SkyState, place: int, light: _Light) -> np.ndarray:
    """Light (3,) of sun or moon on top of a layer, lux: what air and higher clouds leave of it, reddened when low."""
    above = _above(state, state.layers[place].cloud.top_km)
    straight = np.exp(-above * light.slant_sun)
    scattered = beam_transmittance(above, max(light.cos_sun, 0.03), 0.3) - straight
    left = straight + 0.5 * np.maximum(scattered, 0)
    for higher in state.layers[place + 1 :]:
        left = left * _mean_transmittance(higher, light.cos_sun)
    return (light.lux * left).astype(np.float32)


def _mean_transmittance(layer: SkyLayer, cos_sun: float) -> float:
    """Share of sunlight that a layer lets through, averaged over it."""
    return float(beam_transmittance(layer.thickness[::8, ::8], max(cos_sun, 0.03), DROPLETS).mean())


def _cloud_radiance(state: SkyState, place: int, thickness: np.ndarray, slant: np.ndarray, views: _Views,
                    light: _Light) -> np.ndarray:
    """Radiance (N, 3) of a layer by itself."""
    cloud = state.layers[place].cloud
    asymmetry = (1 - cloud.ice) * DROPLETS + cloud.ice * CRYSTALS
    reflectance, transmittance = two_stream(thickness, 0.0, asymmetry)
    radiance = np.maximum(transmittance - np.exp(-thickness), 0)[:, None] * light.ambient
    if light.lux.any():
        below = state.ground * light.cos_sun * _mean_transmittance(state.layers[place], light.cos_sun)
        seen = cloud_light(thickness, slant, views.up, views.cos_angle, light.cos_sun, asymmetry, below)
        if cloud.kind in HEAPED:                        # a wall is seen far from the zenith and away from the sun
            side = 0.4 * (1 - views.up**2) * (1 - views.cos_angle) / 2
            seen = (1 - side) * seen + side * reflectance * max(light.cos_sun, 0.2) / np.pi
        radiance = radiance + seen[:, None] * _sunlight_at(state, place, light)
    return radiance + (reflectance * views.town / np.pi)[:, None] * state.town_colour


def _source_light(state: SkyState, cos_angle: np.ndarray, thickness: np.ndarray, light: _Light,
                  stray: float) -> np.ndarray | float:
    """Radiance (N, 3) of the disc of sun or moon, and of its light that the lens scatters."""
    if not light.lux.any():
        return 0.0
    direct = (light.lux * np.exp(-_above(state, 0.0) * light.slant_sun)).astype(np.float32)
    covered = float(_path(state, state.source[None].astype(np.float32))[0])
    disc = np.where(cos_angle > DISC, np.exp(-thickness) / DISC_SR, 0)
    return (disc + np.exp(-covered) * stray_light(cos_angle, stray))[:, None] * direct


def _path(state: SkyState, looks: np.ndarray) -> np.ndarray:
    """Optical thickness (N,) of all cloud along lines of sight."""
    seen = (layer.seen(looks) for layer in state.layers)
    return sum((thickness * slant for thickness, slant in seen), start=np.zeros(len(looks), np.float32))


def _object_radiance(state: SkyState, light: _Light) -> np.ndarray:
    """Radiance (kinds, 3) of the objects around the camera."""
    arriving = 0.5 * light.lux * max(light.cos_sun, 0.1) * np.exp(-_above(state, 0.0)) + np.pi * light.ambient
    if state.time == "night":
        arriving = arriving + 0.3 * state.town_lux * state.town_colour
    return (object_colours() * arriving / np.pi).astype(np.float32)


def starlight(state: SkyState) -> tuple[np.ndarray, np.ndarray]:
    """Light of the stars, dimmed by air and cloud.

    Args:
        state: the sky.

    Returns:
        (N,) bool, which of the state's stars are above the horizon and not hidden by an object, and the light of
        these M in lux, (M,).
    """
    up = state.stars[:, 2] > 0
    seen = state.stars[up]
    hidden, _ = state.skyline.hides(seen)
    air = float(_above(state, 0.0)[1]) * airmass(seen[:, 2])
    lux = ZERO_MAGNITUDE_LUX * 10 ** (-0.4 * state.magnitudes[up]) * np.exp(-_path(state, seen) - air)
    up[up] = ~hidden
    return up, lux[~hidden]
