"""What is drawn for a scene before any pixel exists: place, sun, air and cloud layers."""

from dataclasses import dataclass

import numpy as np

from course_utils.simulate.atmosphere import Aerosol
from course_utils.simulate.clouds import CloudLayer

# How often each landscape is drawn.
SURFACE_SCENARIOS = {
    "ocean": 0.22, "coast": 0.13, "forest": 0.09, "cropland": 0.10, "savanna": 0.08, "desert": 0.08,
    "urban": 0.06, "wetland": 0.04, "snow_mountains": 0.08, "snow_plain": 0.07, "ice_sheet": 0.02, "sea_ice": 0.03,
}
COLD = {"snow_mountains", "snow_plain", "ice_sheet", "sea_ice"}

# Precipitable water above sea level, cm: cold air holds little.
VAPOUR_CM = {"snow_mountains": (0.3, 2.0), "snow_plain": (0.2, 1.2), "sea_ice": (0.2, 1.0), "ice_sheet": (0.1, 0.6)}

# How often each sky is drawn, and its layers from the lowest up.
CLOUD_SCENARIOS = {
    "clear": (0.11, ()),
    "cumulus": (0.16, ("cumulus",)),
    "popcorn": (0.08, ("popcorn",)),
    "stratocumulus": (0.08, ("cells",)),
    "stratus": (0.05, ("stratus",)),
    "fog": (0.03, ("fog",)),
    "altocumulus": (0.05, ("ripples",)),
    "altostratus": (0.06, ("sheet",)),
    "cirrus": (0.13, ("cirrus",)),
    "anvil": (0.06, ("anvil",)),
    "contrails": (0.03, ("contrails",)),
    "cumulus_under_cirrus": (0.08, ("cumulus", "cirrus")),
    "popcorn_under_cirrus": (0.04, ("popcorn", "cirrus")),
    "multilayer": (0.04, ("cells", "ripples", "cirrus")),
}

# Each kind of layer: shape, coverage, thickness, top above ground (km), ice, radius (µm), outer scale (large
# structures across the frame), spectral slope, stretch. Pairs are ranges; thickness and outer are drawn evenly
# in their logarithm. Thickness and radius: Rossow & Schiffer, Bulletin of the AMS 80 (1999), 2261, and King et
# al., IEEE Transactions on Geoscience and Remote Sensing 51 (2013), 3826.
_KINDS = {
    "cumulus": ("cumulus", (.04, .55), (8, 45), (1.0, 4.5), (0, .5), (10, 36), (2, 8), (3.2, 4.0), (1, 2)),
    "popcorn": ("cumulus", (.005, .14), (4, 25), (0.6, 2.5), (0, .05), (7, 22), (6, 24), (2.8, 3.6), (1, 2)),
    "cells": ("cells", (.15, .65), (5, 25), (0.6, 2.5), (0, .2), (8, 25), (2, 7), (2.4, 3.0), (1, 3)),
    "stratus": ("stratus", (.45, .999), (4, 30), (0.5, 2.5), (0, .4), (8, 28), (1, 4), (2.8, 3.6), (1, 1.5)),
    "fog": ("stratus", (.20, .80), (1.5, 10), (0.1, 0.5), (0, 0), (5, 10), (1, 3), (2.8, 3.4), (1, 1)),
    "ripples": ("cells", (.10, .50), (.8, 12), (3.0, 6.5), (.1, .8), (8, 25), (4, 14), (2.4, 3.0), (1, 4)),
    "sheet": ("stratus", (.25, .85), (1, 40), (3.5, 8.0), (.5, 1), (18, 45), (1, 3), (3.0, 3.8), (1, 2.5)),
    "cirrus": ("cirrus", (.10, .75), (.12, 2.5), (7.0, 12.), (1, 1), (15, 45), (1.5, 5), (2.8, 3.5), (2, 8)),
    "anvil": ("anvil", (.20, .75), (10, 50), (6.0, 13.), (.8, 1), (18, 40), (1, 2), (3, 3), (2, 6)),
    "veil": ("cirrus", (.50, .97), (.005, .06), (8.0, 13.), (1, 1), (10, 30), (1, 3), (2.8, 3.4), (1, 5)),
    "contrails": ("contrails", (.1, .1), (.25, 1.0), (8.5, 12.), (1, 1), (8, 25), (1, 1), (2, 2), (1, 1)),
}


@dataclass(frozen=True)
class Scenario:
    """Everything drawn for a scene apart from its random fields.

    Attributes:
        surface: landscape, a key of `SURFACE_SCENARIOS`.
        cloud: sky, a key of `CLOUD_SCENARIOS`.
        layers: cloud layers, lowest first.
        sun_zenith: degrees from the vertical.
        sun_azimuth: degrees clockwise from north (up).
        view_zenith: degrees.
        view_azimuth: degrees from the sun's azimuth.
        pixel_m: ground distance between pixels, metres.
        altitude_km: height of the ground above sea level, km.
        vapour_cm: precipitable water above sea level, cm.
        aerosol: particles in the lowest air.
        wind_ms: wind speed over water, m/s.
        snow_grain_mm: grain diameters of the fine and the coarse snow, mm.
        snow_impurity: absorption by soot and dust in snow, 1/m at 550 nm.
        swath_edge: share of the frame lost beyond the edge of the swath, 0 to 0.4.
        wander_m: how far light wanders sideways in cloud, metres.
        wander_share: share of the reflected light that wanders so, 0 to 1.
    """

    surface: str
    cloud: str
    layers: tuple[CloudLayer, ...]
    sun_zenith: float
    sun_azimuth: float
    view_zenith: float
    view_azimuth: float
    pixel_m: float
    altitude_km: float
    vapour_cm: float
    aerosol: Aerosol
    wind_ms: float
    snow_grain_mm: tuple[float, float]
    snow_impurity: float
    swath_edge: float
    wander_m: float
    wander_share: float


class UnknownScenarioError(LookupError):
    """A surface or sky was asked for that the simulator does not know."""


def _choose(rng: np.random.Generator, table: dict, name: str | None, what: str) -> str:
    """Draw a name by its weight, or check the name that was asked for."""
    weights = np.array([entry[0] if isinstance(entry, tuple) else entry for entry in table.values()])
    drawn = list(table)[int(rng.choice(len(table), p=weights / weights.sum()))]
    if name is None:
        return drawn
    if name not in table:
        raise UnknownScenarioError(f"found {what} {name!r}, expected one of {', '.join(table)}")
    return name


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number evenly in its logarithm.

    Args:
        rng: where it is drawn from.
        low: the smallest, above 0.
        high: the largest.

    Returns:
        The number.
    """
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _layer(rng: np.random.Generator, kind: str, ground_km: float, wind: float) -> CloudLayer:
    """Draw one cloud layer of a kind over ground at a height."""
    shape, coverage, thickness, top, ice, radius, outer, slope, stretch = _KINDS[kind]
    above = rng.uniform(*top)
    if top[0] >= 6:                        # high cloud keeps its height above the sea, not above the ground
        above = max(above - ground_km, 2.0)
    return CloudLayer(shape, float(rng.uniform(*coverage)), log_uniform(rng, *thickness),
                      float(ground_km + above), float(rng.uniform(*ice)), float(rng.uniform(*radius)),
                      log_uniform(rng, *outer), float(rng.uniform(*slope)), float(rng.uniform(*stretch)),
                      float(wind + rng.normal(0, 0.2)))


def _aerosol(rng: np.random.Generator, surface: str) -> Aerosol:
    """Draw the air's load of particles: mostly clean, at times haze, smoke or dust that looks like thin cloud."""
    chance = rng.random()
    patchy = float(rng.uniform(0.1, 0.6))
    if surface not in COLD:
        if chance < 0.10:
            return Aerosol("haze", log_uniform(rng, .25, .7), 1.3, .04, .06, .65, patchy)
        if chance < 0.15:
            return Aerosol("smoke", log_uniform(rng, .3, 1.2), 1.8, .08, .12, .60, patchy + 0.4)
        if chance < {"desert": 0.40, "ocean": 0.25, "coast": 0.25}.get(surface, 0.18):
            return Aerosol("dust", log_uniform(rng, .25, 1.3), 0.2, .12, .03, .72, patchy)
    if surface in {"ocean", "coast"}:
        return Aerosol("marine", log_uniform(rng, .04, .4), 0.5, .01, .01, .72, 0.15)
    return Aerosol("haze", log_uniform(rng, .03, .22), 1.3, .05, .07, .65, 0.2)


def draw_scenario(rng: np.random.Generator, surface: str | None = None, cloud: str | None = None) -> Scenario:
    """Draw everything about a scene that is a number or a name.

    Args:
        rng: source of randomness.
        surface: force a landscape by name; None draws one.
        cloud: force a sky by name; None draws one.

    Returns:
        The scenario.

    Raises:
        UnknownScenarioError: a forced name is not known; the message lists the known ones.

    Example:
        >>> draw_scenario(np.random.default_rng(0), surface="ocean", cloud="cirrus").layers[0].kind
        'cirrus'
    """
    surface = _choose(rng, SURFACE_SCENARIOS, surface, "surface")
    cloud = _choose(rng, CLOUD_SCENARIOS, cloud, "sky")
    cold = surface in COLD
    altitude = {"ice_sheet": rng.uniform(1.5, 3.8), "snow_mountains": rng.uniform(0.3, 3.5),
                "desert": rng.uniform(0, 1.5), "savanna": rng.uniform(0, 1.5), "forest": rng.uniform(0, 1.0),
                }.get(surface, 0.0)
    wind = rng.uniform(0, np.pi)
    fine = log_uniform(rng, 0.12, 0.5)
    kinds = CLOUD_SCENARIOS[cloud][1]
    if rng.random() < 0.6 and "cirrus" not in kinds:        # ice too thin to see, except at 1.38 µm
        kinds = (*kinds, "veil")
    return Scenario(
        surface=surface,
        cloud=cloud,
        layers=tuple(sorted((_layer(rng, kind, altitude, wind) for kind in kinds), key=lambda layer: layer.top_km)),
        sun_zenith=float(rng.uniform(35, 75) if cold else rng.uniform(15, 65)),
        sun_azimuth=float(rng.uniform(0, 360)),
        view_zenith=float(rng.uniform(0, 25)),
        view_azimuth=float(rng.uniform(0, 360)),
        pixel_m=log_uniform(rng, 30, 200),
        altitude_km=float(altitude),
        vapour_cm=log_uniform(rng, *VAPOUR_CM.get(surface, (0.9, 5.0))),
        aerosol=_aerosol(rng, surface),
        wind_ms=float(rng.uniform(1, 12)),
        snow_grain_mm=(fine, log_uniform(rng, 2 * fine, 2.0)),
        snow_impurity=log_uniform(rng, 0.01, 2.0),
        swath_edge=float(rng.uniform(0.03, 0.4)) if rng.random() < 0.08 else 0.0,
        wander_m=log_uniform(rng, 40, 160),
        wander_share=float(rng.uniform(0.3, 0.8)),
    )
