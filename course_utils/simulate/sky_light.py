"""How bright the sky is: sunlight and moonlight that air and cloud scatter.

Radiance is in lux per steradian (cd/m²), the same scale for the three colours of a camera; light outside the atmosphere
is white.
"""

from dataclasses import dataclass

import numpy as np

from course_utils.sensors import RGB
from course_utils.simulate.atmosphere import SCALE_HEIGHT_KM, gas_transmittance, rayleigh_thickness
from course_utils.simulate.sky_geometry import EARTH_KM
from course_utils.simulate.two_stream import two_stream

SUN_LUX = 1.28e5                # sunlight outside the atmosphere
MOLECULES = np.array([rayleigh_thickness(wavelength) for wavelength in RGB.wavelengths])
GRAZING = 76.0                  # vertical atmospheres that a ray at the ground crosses, in and out again


@dataclass(frozen=True)
class Haze:
    """Particles in clear air.

    Attributes:
        thickness: optical thickness at 550 nm.
        exponent: Ångström exponent: thickness falls as λ to minus this power; small for dust and sea salt.
        asymmetry: mean cosine of the scattering angle.
    """

    thickness: float
    exponent: float = 1.3
    asymmetry: float = 0.7

    def at(self, wavelengths: np.ndarray) -> np.ndarray:
        """Optical thickness at other wavelengths.

        Args:
            wavelengths: nm, any shape.

        Returns:
            Same shape.
        """
        return self.thickness * (np.asarray(wavelengths) / 550.0) ** -self.exponent


def rayleigh_phase(cosine: np.ndarray) -> np.ndarray:
    """How molecules scatter: ¾ (1 + cos²γ), with mean 1 over all directions.

    Args:
        cosine: of the angle by which light is turned.

    Returns:
        Same shape.
    """
    return 0.75 * (1 + cosine * cosine)


def henyey_greenstein(cosine: np.ndarray, asymmetry: float) -> np.ndarray:
    """How particles scatter, mostly forward: (1 − g²) / (1 + g² − 2 g cos γ)^(3/2), with mean 1 over all directions.

    Args:
        cosine: of the angle by which light is turned.
        asymmetry: g, mean of that cosine.

    Returns:
        Same shape.

    Source:
        Henyey & Greenstein, Astrophysical Journal 93 (1941), 70.
    """
    square = asymmetry * asymmetry
    base = 1 + square - 2 * asymmetry * cosine
    return (1 - square) / (base * np.sqrt(base))


def beam_transmittance(thickness: np.ndarray | float, cos_sun: float, asymmetry: float) -> np.ndarray:
    """Share of a slanting beam that comes out below a layer that absorbs nothing, straight or scattered.

    Args:
        thickness: optical thickness τ ≥ 0, any shape.
        cos_sun: μ, cosine of the sun's zenith angle, above 0.
        asymmetry: g; 0 for molecules, 0.85 for droplets.

    Returns:
        Same shape, 0–1: [2 + 3μ + (2 − 3μ) exp(−τ′/μ)] / [4 + 3 (1 − g) τ] with τ′ = (1 − g²) τ.

    Source:
        Delta-Eddington: Joseph, Wiscombe & Weinman, Journal of the Atmospheric Sciences 33 (1976), 2452.

    Example:
        >>> float(beam_transmittance(0.0, 0.5, 0.85)), round(float(beam_transmittance(20.0, 0.5, 0.85)), 2)
        (1.0, 0.27)
    """
    peak = np.exp(-(1 - asymmetry * asymmetry) * thickness / cos_sun)
    return (2 + 3 * cos_sun + (2 - 3 * cos_sun) * peak) / (4 + 3 * (1 - asymmetry) * thickness)


def scattered_once(thickness: np.ndarray | float, slant: np.ndarray, slant_sun: float) -> np.ndarray:
    """Share of sunlight that a layer scatters once on its way down to the eye, before its direction is asked for.

    m (exp(−τ m₀) − exp(−τ m)) / (m − m₀), the integral over the layer of what arrives at each depth times what
    of it comes through; τ m exp(−τ m) where the paths m and m₀ are equal.

    Args:
        thickness: optical thickness τ.
        slant: m, length of the line of sight through the layer over its depth.
        slant_sun: m₀, the same for the sun's rays.

    Returns:
        Shape of `thickness` and `slant` together.

    Source:
        Hansen & Travis, Space Science Reviews 16 (1974), doi:10.1007/BF00168069.
    """
    difference = np.abs(thickness * (slant - slant_sun))
    small = difference < 1e-3
    mean = np.where(small, 1 - difference / 2, -np.expm1(-difference) / np.where(small, 1, difference))
    return slant * thickness * np.exp(-thickness * np.minimum(slant, slant_sun)) * mean


def scattered_often(thickness: np.ndarray | float, cos_sun: float, asymmetry: float) -> np.ndarray:
    """What a layer scatters down more than once: all that comes through, less what was scattered never or once.

    Args:
        thickness: optical thickness τ.
        cos_sun: cosine of the sun's zenith angle, above 0.
        asymmetry: g, mean cosine of the scattering angle.

    Returns:
        Irradiance on level ground per sunlight, 0–1. Of what is scattered once, (1 + g) / 2 goes down.
    """
    straight = np.exp(-thickness / cos_sun)
    rest = cos_sun * (beam_transmittance(thickness, cos_sun, asymmetry) - straight)
    return np.maximum(rest - (1 + asymmetry) / 2 * thickness * straight, 0)


def clear_sky(cos_zenith: np.ndarray, slant: np.ndarray, cos_angle: np.ndarray, cos_sun: float, slant_sun: float,
              haze: Haze) -> np.ndarray:
    """Radiance of cloudless air, per lux of sunlight (or moonlight) outside the atmosphere.

    Args:
        cos_zenith: (N,) cosine of the zenith angle of each line of sight.
        slant: (N,) its air mass.
        cos_angle: (N,) cosine of its angle from the sun.
        cos_sun: cosine of the sun's zenith angle.
        slant_sun: the sun's air mass.
        haze: the particles.

    Returns:
        (N, 3) red, green, blue, 1/sr.
    """
    low = max(cos_sun, 0.03)
    molecular, particles = rayleigh_phase(cos_angle), henyey_greenstein(cos_angle, haze.asymmetry)
    radiance = np.empty((len(slant), 3), np.float32)
    for colour, (air, dust) in enumerate(zip(MOLECULES, haze.at(RGB.wavelengths), strict=True)):
        total = air + dust
        phase = (air * molecular + dust * particles) / total
        often = scattered_often(total, low, haze.asymmetry * dust / total)
        often = often * (1.6 - 0.9 * cos_zenith)            # longer paths gather more; the mean over the sky is 1
        radiance[:, colour] = phase / (4 * np.pi) * scattered_once(total, slant, slant_sun) + often / np.pi
    return radiance


def ozone(cos_sun: float) -> np.ndarray:
    """What the ozone layer leaves of sunlight: it takes yellow and red on long paths, so a low sun's sky stays blue.

    Args:
        cos_sun: cosine of the sun's zenith angle; below the horizon counts as the horizon.

    Returns:
        (3,) transmittance for red, green, blue; 300 Dobson units at 22 km.

    Source:
        Bird & Riordan 1984, doi:10.2172/5986936, for the absorption and the path (1 + h/R) / √(cos² z + 2h/R).

    Example:
        >>> ozone(1.0).round(2).tolist(), ozone(0.0).round(2).tolist()
        ([0.97, 0.98, 1.0], [0.68, 0.77, 0.97])
    """
    ratio = 22.0 / EARTH_KM
    path = (1 + ratio) / np.sqrt(max(cos_sun, 0.0) ** 2 + 2 * ratio)
    return np.array([gas_transmittance(wavelength, 0.0, path, pressure=0.0) for wavelength in RGB.wavelengths])


def twilight(looks: np.ndarray, slant: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """Radiance of the sky after sunset, per lux of sunlight that ozone leaves.

    Only air above the Earth's shadow is lit: from h = R δ² / 2 / (1 + δ x) upward, with δ how far the sun is below the
    horizon and x how far towards it, per height, one looks. Rays graze the Earth on their way, through 76 vertical
    atmospheres at the ground and exponentially less above. With the density of the air falling likewise, scale height
    H, what is scattered once towards the eye is a vertical integral in closed form, (1 − exp(−76 τ exp(−h/H))) / 76.
    High up blue light survives; near the horizon the long path to the eye leaves red.

    Args:
        looks: (N, 3) unit vectors above the horizon.
        slant: (N,) their air mass.
        sun: (3,) unit vector towards the sun, at or below the horizon.

    Returns:
        (N, 3) red, green, blue, 1/sr.
    """
    depression = -np.arcsin(sun[2])
    level = sun[:2] / np.linalg.norm(sun[:2])
    towards = np.clip(looks[:, :2] @ level / np.maximum(looks[:, 2], 0.05), -10, 10)
    shadow_km = EARTH_KM * depression**2 / 2 / np.maximum(1 + depression * towards, 0.2)
    density = np.exp(-shadow_km / SCALE_HEIGHT_KM)
    phase = rayleigh_phase(looks @ sun) / (4 * np.pi)
    path = -np.expm1(-MOLECULES * slant[:, None]) / MOLECULES           # slant, less what the path itself loses
    return (phase[:, None] * path * -np.expm1(-GRAZING * MOLECULES * density[:, None]) / GRAZING).astype(np.float32)


def cloud_light(thickness: np.ndarray, slant: np.ndarray, cos_zenith: np.ndarray, cos_angle: np.ndarray,
                cos_sun: float, asymmetry: float, ground: float) -> np.ndarray:
    """Radiance of a cloud seen from below, per lux of sunlight that reaches its top.

    Thin cloud scatters forward, so it shines around the sun and has a bright rim; thick cloud lets little through, so
    its base is grey. Light that the ground reflects comes back from thick cloud.

    Args:
        thickness: (N,) optical thickness of the layer.
        slant: (N,) how much longer the line of sight through it is than a vertical one.
        cos_zenith: (N,) cosine of the zenith angle of the line of sight.
        cos_angle: (N,) cosine of its angle from the sun.
        cos_sun: cosine of the sun's zenith angle.
        asymmetry: g of the cloud's particles.
        ground: light that the ground sends up, per lux of that sunlight.

    Returns:
        (N,) 1/sr.

    Source:
        What is scattered often leaves as from an overcast sky, ∝ 1 + 2 cos z: Moon & Spencer (1942), the CIE
        overcast sky, ISO 15469.
    """
    low = max(cos_sun, 0.03)
    once = henyey_greenstein(cos_angle, asymmetry) / (4 * np.pi) * scattered_once(thickness, slant, 1 / low)
    often = scattered_often(thickness, low, asymmetry) * (3 / 7) * (1 + 2 * cos_zenith) / np.pi
    return once + often + two_stream(thickness, 0.0, asymmetry)[0] * ground / np.pi
