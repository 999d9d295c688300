"""Shapes on the ground: rivers, fields, streets, ridges."""

from math import cos, radians, sin, tan

import numpy as np

from course_utils.simulate.fields import power_law

STRIPS_APART = 211      # between the numbers of neighbouring strips: a prime, so that few fields of a frame share one
VALUES = 4093           # of a table that parcels are given values from: a prime, so that neighbours do not share one


def river(rng: np.random.Generator, size: int, width: float, slope: float = 3.6) -> np.ndarray:
    """Draw meandering channels: the zero line of a smooth field, of nearly constant width.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        width: width of the channel, pixels.
        slope: spectral exponent of the field; larger is smoother, with wider bends.

    Returns:
        (size, size) float32, 1 in the channel, 0 outside, fractions at the banks.
    """
    field = power_law(rng, size, slope, 1.0)
    steepness = np.hypot(*np.gradient(field)) + 1e-3
    return np.clip(width / 2 + 0.5 - np.abs(field) / steepness, 0, 1)


def parcels(
    rng: np.random.Generator, size: int, length: float, angle: float
) -> tuple[np.ndarray, np.ndarray]:
    """Divide the land into fields: strips of uneven width, cut into uneven lengths.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        length: typical side of a field, pixels.
        angle: direction of the strips, radians.

    Returns:
        (size, size) int32 number of the field, and (size, size) float32 distance to the nearest side, pixels.
    """
    position = np.arange(size, dtype=np.float32) - size / 2
    u = position[None, :] * cos(angle) + position[:, None] * sin(angle)
    v = position[:, None] * cos(angle) - position[None, :] * sin(angle)
    count = int(2 * size / length) + 2
    edges = np.cumsum(rng.uniform(0.5, 1.5, count) * length).astype(np.float32)
    edges -= edges[-1] / 2
    strip = np.clip(np.searchsorted(edges, u.ravel()).reshape(u.shape), 1, count - 1)
    across = np.minimum(u - edges[strip - 1], edges[strip] - u)
    lengths = (rng.uniform(0.6, 1.8, count) * length).astype(np.float32)
    offsets = rng.uniform(0, 50 * length, count).astype(np.float32)
    place = (v + offsets[strip]) / lengths[strip]
    cell = np.floor(place)
    along = np.minimum(place - cell, cell + 1 - place) * lengths[strip]
    number = strip.astype(np.int32) * STRIPS_APART + cell.astype(np.int32)
    return number, np.minimum(across, along)


def per_parcel(rng: np.random.Generator, number: np.ndarray, low: float, high: float) -> np.ndarray:
    """Give every parcel its own value, uniform between `low` and `high`.

    Args:
        rng: source of randomness.
        number: (H, W) int32 from `parcels`.
        low: smallest value.
        high: largest value.

    Returns:
        (H, W) float32.
    """
    table = rng.uniform(low, high, VALUES).astype(np.float32)
    return table[number % VALUES]


def ridges(rng: np.random.Generator, size: int, outer: float = 1.5) -> np.ndarray:
    """Draw mountains: sharp crests where a field changes sign, with spurs, on a broad swell.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        outer: number of massifs across the frame.

    Returns:
        (size, size) float32 height, from 0 in the valleys to about 1 on the summits.
    """
    crest = 1 - np.abs(power_law(rng, size, 4.2, outer)) / 2
    spur = 1 - np.abs(power_law(rng, size, 4.0, 5 * outer)) / 2
    height = crest + 0.25 * spur * crest + 0.3 * power_law(rng, size, 4.2, 1.0)
    low, high = height.min(), height.max()
    return (height - low) / (high - low)


def with_slope(height: np.ndarray, steepness: float) -> np.ndarray:
    """Scale a height so that its slopes have a given root-mean-square tangent.

    Args:
        height: (H, W), any unit.
        steepness: 0.1 for hills, 0.5 for high mountains.

    Returns:
        (H, W) height in pixels.

    Example:
        >>> float(np.gradient(with_slope(np.arange(9.0).reshape(1, 9).repeat(9, 0), 0.5), axis=1)[0, 0])
        0.5
    """
    down, right = np.gradient(height)
    return height * float(steepness / np.sqrt(np.mean(down * down + right * right)))


def hillshade(elevation: np.ndarray, sun_zenith: float, sun_azimuth: float) -> np.ndarray:
    """Direct sunlight on sloping ground, relative to level ground: cos i / cos θ.

    Args:
        elevation: (H, W), in pixels.
        sun_zenith: degrees.
        sun_azimuth: degrees clockwise from north (up).

    Returns:
        (H, W) float32, 0 on slopes turned away from the sun, 1 on level ground, up to 1.6 facing it (beyond that the
        recording saturates).

    Source:
        Cosine law of illumination; Teillet, Guindon & Goodenough, Canadian Journal of Remote Sensing 8 (1982).
    """
    down, right = np.gradient(elevation)
    azimuth, strength = radians(sun_azimuth), tan(radians(sun_zenith))
    lit = 1.0 + strength * cos(azimuth) * down - strength * sin(azimuth) * right
    return np.clip(lit / np.sqrt(1.0 + down**2 + right**2), 0, 1.6)
