"""The light of a night: moon, airglow, towns below, stars. Units as in `sky_light`."""

import numpy as np

from course_utils.sensors import RGB
from course_utils.simulate.sky_light import MOLECULES, Haze
from course_utils.simulate.two_stream import two_stream

ZERO_MAGNITUDE_LUX = 2.54e-6    # a star of magnitude 0
NATURAL_NIGHT = 2.0e-4          # zenith of a moonless night far from any town: airglow and faint stars


def moon_lux(phase_angle: float) -> float:
    """Light of the moon outside the atmosphere.

    Args:
        phase_angle: angle between sun and Earth as seen from the moon, degrees: 0 full moon, 90 half, 180 new.

    Returns:
        Lux: magnitude −12.73 + 0.026 α + 4·10⁻⁹ α⁴.

    Source:
        Krisciunas & Schaefer, Publications of the Astronomical Society of the Pacific 103 (1991), 1033,
        doi:10.1086/132921.

    Example:
        >>> round(moon_lux(0.0), 2), round(moon_lux(0.0) / moon_lux(90.0), 1)    # half a moon: an eleventh of the light
        (0.31, 11.0)
    """
    magnitude = -12.73 + 0.026 * phase_angle + 4e-9 * phase_angle**4
    return float(ZERO_MAGNITUDE_LUX * 10 ** (-0.4 * magnitude))


def airglow(cos_zenith: np.ndarray) -> np.ndarray:
    """Natural light of a moonless night: a glowing layer at 130 km, thicker towards the horizon, and faint stars.

    Args:
        cos_zenith: cosine of the zenith angle.

    Returns:
        Same shape, cd/m²: 0.4 + 0.6 X times its value at the zenith, X = 1 / √(1 − 0.96 sin² z).

    Source:
        Patat, Astronomy & Astrophysics 400 (2003), 1183, appendix C, after Garstang (1989).
    """
    path = 1 / np.sqrt(1 - 0.96 * (1 - cos_zenith * cos_zenith))
    return NATURAL_NIGHT * (0.4 + 0.6 * path)


def town_glow(town_lux: float, slant: np.ndarray, haze: Haze) -> np.ndarray:
    """Light of towns that clear air sends back down.

    Args:
        town_lux: light that leaves the ground upward, lux.
        slant: (N,) air mass of the line of sight.
        haze: the particles.

    Returns:
        (N, 3) cd/m².
    """
    glow = np.empty((len(slant), 3), np.float32)
    for colour, (air, dust) in enumerate(zip(MOLECULES, haze.at(RGB.wavelengths), strict=True)):
        returned = two_stream(air, 0.0, 0.0)[0] + two_stream(dust, 0.0, haze.asymmetry)[0]
        deepening = -np.expm1(-(air + dust) * slant) / -np.expm1(-(air + dust))
        glow[:, colour] = town_lux / np.pi * returned * deepening
    return glow


def star_magnitudes(rng: np.random.Generator, faintest: float) -> np.ndarray:
    """Draw the magnitudes of all stars of half the sky: log₁₀ of their number rises by 0.49 per magnitude.

    Args:
        rng: source of randomness.
        faintest: magnitude of the faintest stars wanted.

    Returns:
        (N,) magnitudes; about 2,500 down to magnitude 6.

    Source:
        Counts of the Hipparcos catalogue (Perryman et al., Astronomy & Astrophysics 323, 1997, L49; OEIS A053406): 511
        stars brighter than magnitude 4, 1,600 than 5, 4,968 than 6, 15,328 than 7, in the whole sky.

    Example:
        >>> 2300 < len(star_magnitudes(np.random.default_rng(0), 6.0)) < 2700
        True
    """
    count = rng.poisson(2484 * 10 ** (0.49 * (faintest - 6)))
    return faintest + np.log10(rng.random(count)) / 0.49
