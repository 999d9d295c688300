"""Clouds: where they are, how thick they are, what their particles do to light, and what they shade."""

from dataclasses import dataclass
from math import cos, radians, sin, tan

import numpy as np
from scipy import ndimage
from scipy.special import ndtri

from course_utils.simulate.fields import band_pass, power_law, step, warp
from course_utils.simulate.spectra import absorption_coefficient
from course_utils.simulate.two_stream import two_stream

DROPLETS, CRYSTALS = 0.85, 0.78     # asymmetry: mean cosine of the angle by which they turn visible light


@dataclass(frozen=True)
class CloudLayer:
    """One layer of cloud.

    Attributes:
        kind: name of its shape, one of `SHAPES`.
        coverage: share of the sky with cloud, 0–1.
        thickness: typical optical thickness where there is cloud.
        top_km: height of the cloud top above sea level, km.
        ice: share of the light that meets ice crystals rather than droplets, 0–1.
        radius_um: effective radius of the particles, micrometres.
        outer: number of large structures across the frame.
        slope: exponent of the power spectral density of its texture.
        stretch: length of its structures along `angle` over their width.
        angle: direction of the long axis, radians from the column axis.
    """

    kind: str
    coverage: float
    thickness: float
    top_km: float
    ice: float
    radius_um: float
    outer: float
    slope: float
    stretch: float
    angle: float


def co_albedo(wavelength_nm: float, radius_um: float, phase: str) -> float:
    """Share of the light absorbed when it meets a cloud particle: 1 − ω.

    Weakly absorbing large spheres absorb in proportion to radius, 0.84 κ r with κ the absorption coefficient;
    very large ones at most half (the other half is diffracted and never enters).

    Args:
        wavelength_nm: wavelength, 400–2300 nm.
        radius_um: effective radius, micrometres.
        phase: "water" or "ice".

    Returns:
        Single-scattering co-albedo, 0–0.5.

    Source:
        Bohren & Huffman, Absorption and Scattering of Light by Small Particles (1983), chapter 7:
        Q_abs = (8/3) (2πr/λ) k [n³ − (n² − 1)^(3/2)] / n, with n = 1.32 and Q_ext = 2.

    Example:
        >>> round(co_albedo(1610, 10, "water"), 4), co_albedo(550, 10, "water") < 1e-6
        (0.0057, True)
    """
    path = 2 * 0.84 * absorption_coefficient(wavelength_nm, phase) * radius_um * 1e-6
    return float(0.5 * -np.expm1(-path))


def layer_optics(layer: CloudLayer, wavelength_nm: float) -> tuple[float, float]:
    """Mix the optics of a layer's droplets and crystals.

    Args:
        layer: the layer.
        wavelength_nm: wavelength, 400–2300 nm.

    Returns:
        Co-albedo, 0–0.5, and asymmetry.
    """
    ice = layer.ice
    mixed = (1 - ice) * co_albedo(wavelength_nm, layer.radius_um, "water")
    mixed += ice * co_albedo(wavelength_nm, layer.radius_um, "ice")
    return mixed, (1 - ice) * DROPLETS + ice * CRYSTALS


def shadow_offset(height_km: float, sun_zenith: float, sun_azimuth: float, pixel_m: float) -> tuple[int, int]:
    """Where the shadow of a cloud falls, seen from above.

    Args:
        height_km: height of the cloud above the ground, km.
        sun_zenith: angle of the sun from the vertical, degrees.
        sun_azimuth: direction of the sun, degrees clockwise from north (up in the image).
        pixel_m: size of a pixel, metres.

    Returns:
        Displacement (rows down, columns right) in whole pixels: h tan θ, away from the sun.

    Example:
        >>> shadow_offset(3.0, 45.0, 180.0, 100.0)     # sun in the south: shadow to the north, 30 pixels up
        (-30, 0)
    """
    length = 1000.0 * height_km * tan(radians(sun_zenith)) / pixel_m
    azimuth = radians(sun_azimuth)
    return round(length * cos(azimuth)), round(-length * sin(azimuth))


def cast(transmittance: np.ndarray, offset: tuple[int, int]) -> np.ndarray:
    """Move a cloud's transmittance to where its shadow falls; the frame repeats at its edges.

    Args:
        transmittance: (H, W).
        offset: rows down and columns right, pixels.

    Returns:
        (H, W): the share of direct sunlight that reaches each pixel of the ground.
    """
    return np.roll(transmittance, offset, axis=(0, 1))


def top_shading(thickness: np.ndarray, sun_zenith: float, sun_azimuth: float) -> np.ndarray:
    """Sunlit and shaded sides of cloud-top bumps.

    The top is taken to rise with the logarithm of the thickness; a slope towards the sun is brighter.

    Args:
        thickness: (H, W) optical thickness.
        sun_zenith: degrees.
        sun_azimuth: degrees clockwise from up.

    Returns:
        (H, W) factor on the layer's reflectance, 0.7–1.3; 1 where the cloud is flat or thin.
    """
    height = np.log1p(0.15 * thickness)
    azimuth, strength = radians(sun_azimuth), 0.6 * tan(radians(sun_zenith))
    uphill_rows = np.roll(height, -1, 0) - np.roll(height, 1, 0)
    uphill_columns = np.roll(height, -1, 1) - np.roll(height, 1, 1)
    rise = uphill_columns * (strength * sin(azimuth)) - uphill_rows * (strength * cos(azimuth))
    return 1.0 - np.clip(rise, -0.3, 0.3)


def _above(field: np.ndarray, coverage: float) -> np.ndarray:
    """How far a unit Gaussian field rises above the level that leaves `coverage` of it."""
    return np.maximum(field - float(ndtri(1 - coverage)), 0)


def _cumulus(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """Heaps of round bumps with dark creases between them; sizes follow a power law."""
    heaps = power_law(rng, size, layer.slope, layer.outer, layer.stretch, layer.angle)
    bumps = np.abs(power_law(rng, size, 3.6, 4 * layer.outer)) - 0.8
    field = 0.96 * heaps + 0.45 * bumps
    ragged = np.exp(0.5 * power_law(rng, size, 2.8, 8 * layer.outer))
    reach = min(rng.uniform(1.2, 1.8) * layer.coverage, 0.95)
    rags = rng.uniform(1.0, 4.0) * ragged * _above(field, reach)            # evaporating around the heaps
    return layer.thickness * _above(field, layer.coverage) * np.exp(0.5 * bumps) + rags


def _stratus(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """A sheet with log-normal thickness, torn where it does not cover the whole sky."""
    texture = power_law(rng, size, layer.slope, layer.outer, layer.stretch, layer.angle)
    sheet = layer.thickness * np.exp(0.4 * texture)
    if layer.coverage > 0.8:
        return sheet
    edge = power_law(rng, size, 3.2, 1.0)
    return sheet * step(edge + 0.15 * texture, float(ndtri(1 - layer.coverage)), 0.35)


def _cells(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """Stratocumulus: closed cells (thick middles), or rolls when stretched."""
    cells = band_pass(rng, size, size / (4 * layer.outer), 0.35, layer.stretch, layer.angle)
    broad = power_law(rng, size, layer.slope, 1.0)
    fine = power_law(rng, size, 3.0, 2 * layer.outer)
    excess = _above(0.7 * cells + 0.65 * broad + 0.3 * fine, layer.coverage)
    return layer.thickness * excess * np.exp(0.3 * fine)


def _cirrus(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """Fibres of ice drawn out by the wind, bent, and fading without an edge."""
    fibres = power_law(rng, size, layer.slope, layer.outer, layer.stretch, layer.angle)
    bend = power_law(rng, size, 4.0, 1.0) * (0.06 * size)
    fibres = warp(fibres, bend, bend)
    broad = power_law(rng, size, 3.4, 1.0)
    veil = step(broad + 0.4 * fibres, float(ndtri(1 - layer.coverage)), 1.6)
    return layer.thickness * veil * np.exp(0.55 * fibres)


def _anvil(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """A thick, smooth ice shield that thins out into streaks."""
    body = power_law(rng, size, 3.6, layer.outer)
    streaks = power_law(rng, size, 3.0, 3.0, layer.stretch, layer.angle)
    excess = _above(body + 0.12 * streaks, layer.coverage)
    return layer.thickness * excess**1.6 * np.exp(0.25 * streaks)


def _contrails(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """A few straight lines of ice, ragged along their length."""
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    thickness = np.zeros((size, size), np.float32)
    ragged = power_law(rng, size, 2.6, 4.0)
    for _ in range(int(rng.integers(1, 4))):
        angle = layer.angle + rng.normal(0, 0.25)
        distance = (columns - rng.uniform(0, size)) * np.sin(angle) - (rows - rng.uniform(0, size)) * np.cos(angle)
        width = rng.uniform(1.2, 4.0)
        thickness += np.exp(-0.5 * ((distance + 1.5 * ragged) / width) ** 2)
    return layer.thickness * thickness * np.exp(0.4 * ragged)


SHAPES = {
    "cumulus": _cumulus, "stratus": _stratus, "cells": _cells, "cirrus": _cirrus, "anvil": _anvil,
    "contrails": _contrails,
}


def optical_thickness(rng: np.random.Generator, size: int, layer: CloudLayer) -> np.ndarray:
    """Draw the optical thickness of one cloud layer.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        layer: what to draw.

    Returns:
        (size, size) float32, 0 where there is no cloud; periodic at the edges.
    """
    return SHAPES[layer.kind](rng, size, layer).astype(np.float32, copy=False)


def spread_light(thickness: np.ndarray, reach: float, share: float) -> np.ndarray:
    """Thickness that a cloud seems to have where light wanders sideways in it before it comes out again.

    Seen from above, a cloud's texture is smooth below some hundred metres and its edge fades. A share of what
    the cloud reflects is therefore spread by a Gaussian, and the thickness read back from the sum; the light
    reflected by the whole frame stays the same.

    Args:
        thickness: (H, W) optical thickness; the frame repeats at its edges.
        reach: standard deviation of the Gaussian, pixels.
        share: share of the reflected light that has wandered, 0–1.

    Returns:
        (H, W) apparent optical thickness.

    Source:
        Davis, Marshak, Cahalan & Wiscombe, Journal of the Atmospheric Sciences 54 (1997), 241: Landsat images of
        stratocumulus lose their fractal texture below about 200 m.

    Example:
        >>> even = spread_light(np.full((8, 8), 5.0), reach=2.0, share=0.5)
        >>> round(float(even[0, 0]), 6)
        5.0
    """
    reflected = two_stream(thickness)[0]
    reflected = (1 - share) * reflected + share * ndimage.gaussian_filter(reflected, reach, mode="wrap", truncate=3)
    once = (1 - DROPLETS) / 2       # share turned round in a unit of thickness: R = once τ / (1 + once τ)
    return reflected / (once * (1 - reflected))
