"""What is drawn for a sky before any camera looks: sun or moon, air, cloud layers, town, skyline."""

from dataclasses import dataclass, replace

import numpy as np

from course_utils.simulate.clouds import CloudLayer
from course_utils.simulate.scenario import UnknownScenarioError, log_uniform
from course_utils.simulate.sky_clouds import SkyLayer, draw_layer
from course_utils.simulate.sky_geometry import direction, turned
from course_utils.simulate.sky_horizon import Skyline, draw_skyline
from course_utils.simulate.sky_light import SUN_LUX, Haze
from course_utils.simulate.sky_night import moon_lux, star_magnitudes

TIMES = ("day", "night")
NIGHT_SHARE = 0.3           # of the skies whose time is not asked for
TWILIGHT_SHARE = 0.06       # of the skies by day
PARTS = {"scenario": 16, "clouds": 17, "skyline": 18, "stars": 19, "camera": 20, "noise": 21, "view": 22,
         "site": 23}
FAINTEST_STAR = 7.0
TOWN_LUX = (1.5e-4, 0.3)    # light that goes up from open country, and from the middle of a town

# How often each sky is drawn, and its layers from the lowest up.
SKIES = {
    "clear": (0.08, ()),
    "cumulus": (0.26, ("cumulus",)),
    "stratocumulus": (0.12, ("cells",)),
    "stratus": (0.08, ("stratus",)),
    "altocumulus": (0.10, ("ripples",)),
    "altostratus": (0.06, ("sheet",)),
    "cirrus": (0.12, ("cirrus",)),
    "contrails": (0.02, ("contrails",)),
    "cumulus_under_cirrus": (0.10, ("cumulus", "cirrus")),
    "multilayer": (0.06, ("cells", "ripples")),
}

# Each kind of layer: shape, coverage, optical thickness, height (km), size of its large structures over its height,
# spectral slope, stretch, share of ice. Thickness and size are drawn evenly in their logarithm.
_KINDS = {
    "cumulus": ("cumulus", (.08, .55), (3, 25), (0.6, 2.2), (0.6, 3.0), (3.0, 3.8), (1, 1.6), 0.0),
    "cells": ("cells", (.25, .80), (4, 20), (0.6, 2.2), (2.0, 6.0), (2.4, 3.0), (1, 3), 0.0),
    "stratus": ("stratus", (.40, .999), (5, 35), (0.3, 1.5), (2.0, 8.0), (2.8, 3.6), (1, 1.5), 0.0),
    "ripples": ("cells", (.20, .65), (1.0, 8), (2.5, 5.0), (0.6, 2.0), (2.4, 3.0), (1, 4), 0.2),
    "sheet": ("stratus", (.40, .95), (3, 20), (2.5, 5.0), (2.0, 6.0), (3.0, 3.8), (1, 2.5), 0.5),
    "cirrus": ("cirrus", (.15, .75), (.15, 2.0), (7.0, 11.), (1.0, 4.0), (2.8, 3.5), (2, 8), 1.0),
    "contrails": ("contrails", (.1, .1), (.3, 1.0), (8.5, 11.), (4.0, 4.0), (2, 2), (1, 1), 1.0),
}


@dataclass(frozen=True, eq=False)
class SkyState:
    """Everything physical about a sky at one moment.

    Attributes:
        number: which sky.
        seed: which series of skies.
        time: "day" or "night".
        sky: name of its clouds, a key of `SKIES`.
        layers: cloud layers, lowest first.
        haze: particles in clear air.
        source: (3,) unit vector towards the sun by day, the moon by night; it may be below the horizon.
        source_lux: its light outside the atmosphere, lux; 0 when the moon is new.
        town: 0 open country, 1 the middle of a town.
        town_lux: light that towns send up at night, lux.
        town_colour: (3,) of that light.
        town_azimuth: direction of the town's middle, degrees.
        ground: reflectance of the ground, 0–1.
        skyline: what stands around the camera.
        stars: (N, 3) unit vectors.
        magnitudes: (N,) of the stars.
    """

    number: int
    seed: int
    time: str
    sky: str
    layers: tuple[SkyLayer, ...]
    haze: Haze
    source: np.ndarray
    source_lux: float
    town: float
    town_lux: float
    town_colour: np.ndarray
    town_azimuth: float
    ground: float
    skyline: Skyline
    stars: np.ndarray
    magnitudes: np.ndarray


def sky_stream(seed: int, number: int, part: str, moment: int = 0) -> np.random.Generator:
    """Independent randomness for one part of one sky.

    Args:
        seed: which series of skies.
        number: which sky.
        part: a key of `PARTS`. Drawing more from one part changes no other.
        moment: which frame of a series, for what differs from one to the next.

    Returns:
        A generator that always starts the same.
    """
    return np.random.default_rng((seed, number, PARTS[part], moment))


def _cloud(rng: np.random.Generator, kind: str, width: float, wind: float) -> CloudLayer:
    """Draw one cloud layer; `width` is the side of its map over its height."""
    shape, coverage, thickness, height, size, slope, stretch, ice = _KINDS[kind]
    return CloudLayer(shape, float(rng.uniform(*coverage)), log_uniform(rng, *thickness), float(rng.uniform(*height)),
                      ice, 10.0, width / log_uniform(rng, *size), float(rng.uniform(*slope)),
                      float(rng.uniform(*stretch)), float(wind + rng.normal(0, 0.2)))


def draw_sky(number: int, seed: int = 0, time: str | None = None, sky: str | None = None, minutes: float = 0.0,
             width: float = 10.0) -> SkyState:
    """Draw a sky as it is at one moment.

    Args:
        number: which sky, 0 or more.
        seed: which series of skies, 0 or more.
        time: "day" or "night"; None draws one.
        sky: force the clouds by name, one of `SKIES`.
        minutes: time since the sky's beginning: clouds drift and change, sun, moon and stars turn.
        width: side of the map of each cloud layer, in units of its height.

    Returns:
        The sky.

    Raises:
        UnknownScenarioError: a forced name is not known.
        ValueError: a negative number, seed or time since the beginning.
    """
    if number < 0 or seed < 0 or minutes < 0:
        raise ValueError(f"found number={number}, seed={seed}, minutes={minutes}; expected 0 or more of each")
    for found, known, what in ((time, TIMES, "time"), (sky, SKIES, "sky")):
        if found is not None and found not in known:
            raise UnknownScenarioError(f"found {what} {found!r}, expected one of {', '.join(known)}")
    rng = sky_stream(seed, number, "scenario")
    drawn = list(SKIES)[int(rng.choice(len(SKIES), p=np.array([weight for weight, _ in SKIES.values()])))]
    sky = sky or drawn
    dark = rng.random() < NIGHT_SHARE
    time = time or TIMES[int(dark)]
    latitude = float(rng.uniform(0, 60))
    source, lux = _source(rng, time)
    town_lux = log_uniform(rng, *TOWN_LUX)
    town = _town(town_lux)
    wind = rng.uniform(0, 2 * np.pi)
    haze = Haze(log_uniform(rng, 0.04, 0.6), float(rng.uniform(0.4, 1.6)), float(rng.uniform(0.62, 0.78)))
    clouds = sorted((_cloud(rng, kind, width, wind) for kind in SKIES[sky][1]), key=lambda cloud: cloud.top_km)
    layers = []
    for place, cloud in enumerate(clouds):
        speed = rng.uniform(2, 7) + 2 * cloud.top_km        # m/s: stronger higher up
        velocity = (speed * np.cos(wind), speed * np.sin(wind))
        key = (seed, number, PARTS["clouds"], place)
        layers.append(draw_layer(key, cloud, width * cloud.top_km, velocity, minutes))
    sodium = rng.random()
    stars = sky_stream(seed, number, "stars")
    magnitudes = star_magnitudes(stars, FAINTEST_STAR) if time == "night" else np.empty(0)
    places = stars.standard_normal((2 * len(magnitudes), 3))            # both halves of the sky: one of them rises
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    return SkyState(
        number=number, seed=seed, time=time, sky=sky, layers=tuple(layers), haze=haze,
        source=turned(source, minutes, latitude), source_lux=lux, town=town, town_lux=town_lux,
        town_colour=_lamps(sodium),
        town_azimuth=float(rng.uniform(0, 360)), ground=float(rng.uniform(0.08, 0.30)),
        skyline=draw_skyline(sky_stream(seed, number, "skyline"), town),
        stars=turned(places, minutes, latitude), magnitudes=np.concatenate([magnitudes, magnitudes]),
    )


def at_site(state: SkyState, site: int) -> SkyState:
    """Put a sky over one place, whose town, ground and skyline stay the same whatever the weather.

    Args:
        state: the sky.
        site: which place, 0 or more.

    Returns:
        The sky over that place.

    Raises:
        ValueError: a negative site.
    """
    if site < 0:
        raise ValueError(f"found site={site}, expected 0 or more")
    rng = sky_stream(state.seed, site, "site")
    town_lux, sodium = log_uniform(rng, *TOWN_LUX), rng.random()
    town = _town(town_lux)
    return replace(
        state, town=town, town_lux=town_lux, town_azimuth=float(rng.uniform(0, 360)),
        town_colour=_lamps(sodium),
        ground=float(rng.uniform(0.08, 0.30)), skyline=draw_skyline(sky_stream(state.seed, site, "skyline"), town),
    )  # fmt: skip


def _town(lux: float) -> float:
    """How far into a town a camera stands where towns send up so much light: 0 open country, 1 its middle."""
    dark, bright = TOWN_LUX
    return float(np.log(lux / dark) / np.log(bright / dark))


def _lamps(sodium: float) -> np.ndarray:
    """Colour (3,) of a town's light: 0 white lamps, 1 orange ones."""
    return np.array([1.0, 0.92 - 0.30 * sodium, 0.80 - 0.55 * sodium], np.float32)


def _source(rng: np.random.Generator, time: str) -> tuple[np.ndarray, float]:
    """Where sun or moon stands, and its light outside the atmosphere in lux."""
    azimuth, zenith = rng.uniform(0, 360), np.degrees(np.arccos(rng.uniform(0.08, 0.99)))
    low = rng.uniform(88, 97) if rng.random() < TWILIGHT_SHARE else zenith
    if time == "day":
        return direction(low, azimuth), SUN_LUX
    up, phase = rng.random() < 0.55, rng.uniform(0, 150)
    return direction(zenith if up else 180 - zenith, azimuth), moon_lux(phase)
