"""Shapes on the ground: rivers, fields, streets, ridges."""

from __future__ import annotations

import numpy as np

from course_utils.simulate.fields import power_law


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
    u = position[None, :] * np.float32(np.cos(angle)) + position[:, None] * np.float32(np.sin(angle))
    v = position[:, None] * np.float32(np.cos(angle)) - position[None, :] * np.float32(np.sin(angle))
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
    number = strip.astype(np.int32) * 211 + cell.astype(np.int32)
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
    table = rng.uniform(low, high, 4093).astype(np.float32)
    return table[number % 4093]


def ridges(rng: np.random.Generator, size: int, relief_km: float, outer: float = 1.5) -> np.ndarray:
    """Draw mountains: sharp crests where a field changes sign, on a broad swell.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        relief_km: height between valleys and summits, km.
        outer: number of massifs across the frame.

    Returns:
        (size, size) float32 elevation above the valleys, km.
    """
    crest = 1 - np.abs(power_law(rng, size, 3.4, outer)) / 2
    spur = 1 - np.abs(power_law(rng, size, 3.2, 4 * outer)) / 2
    swell = power_law(rng, size, 4.0, 1.0)
    height = crest + 0.35 * spur * crest + 0.25 * swell
    low, high = np.percentile(height, (2, 99.5))
    return relief_km * np.clip((height - low) / (high - low), 0, 1.1)


def hillshade(elevation_km: np.ndarray, sun_zenith: float, sun_azimuth: float, pixel_m: float) -> np.ndarray:
    """Direct sunlight on sloping ground, relative to level ground: cos i / cos θ.

    Args:
        elevation_km: (H, W), km.
        sun_zenith: degrees.
        sun_azimuth: degrees clockwise from north (up).
        pixel_m: size of a pixel, metres.

    Returns:
        (H, W) float32, 0 on slopes turned from the sun, 1 on level ground, above 1 facing it.

    Source:
        Cosine law of illumination; Teillet, Guindon & Goodenough, Canadian Journal of Remote Sensing 8 (1982).
    """
    down, right = np.gradient(elevation_km * (1000.0 / pixel_m))
    zenith, azimuth = np.deg2rad(sun_zenith), np.deg2rad(sun_azimuth)
    toward_sun = down * np.cos(azimuth) - right * np.sin(azimuth)
    lit = 1.0 + np.tan(zenith) * toward_sun
    return np.maximum(lit / np.sqrt(1.0 + down**2 + right**2), 0).astype(np.float32)
