"""Air: molecules, haze, absorbing gases, and the glint of the sea."""

from dataclasses import dataclass
from math import cos, pi, radians, sin, sqrt

import numpy as np

SCALE_HEIGHT_KM = 8.0           # air pressure
VAPOUR_SCALE_HEIGHT_KM = 1.6    # water vapour keeps much closer to the ground

# Absorption coefficients of water vapour (1/cm), ozone (1/atm-cm) and the mixed gases, by wavelength in nm:
# the rows of Bird & Riordan, NREL report TR-215-2436 (1984), doi:10.2172/5986936, that the bands fall in. At
# 1378 nm, where narrow cirrus channels sit in the band's core, twice the value of their broad row at 1395 nm.
_GASES = np.array([
    (400, 0, 0, 0), (440, 0, 0, 0), (470, 0, .009, 0), (490, 0, .021, 0), (520, 0, .048, 0), (550, 0, .085, 0),
    (593, .075, .119, 0), (630, 0, .090, 0), (656, 0, .065, 0), (740, .061, .010, 0), (800, .036, 0, 0),
    (840, .155, 0, 0), (860, .00001, 0, 0), (880, .0026, 0, 0), (925, 5., 0, 0), (937, 55., 0, 0),
    (948, 45., 0, 0), (980, 1.48, 0, 0), (1040, .00001, 0, 0), (1240, .002, 0, .05), (1270, .002, 0, .3),
    (1320, 4., 0, .0002), (1360, 1500., 0, .0001), (1378, 2000., 0, .0001), (1395, 1000., 0, .0001),
    (1520, .16, 0, .005), (1592, .0001, 0, .13), (1610, .0001, 0, .05), (1646, .01, 0, .001), (1740, 1.1, 0, 0),
    (2100, .22, 0, .1), (2148, .25, 0, .02), (2198, .33, 0, .002), (2270, .5, 0, .01), (2300, 1., 0, .02),
]).T


@dataclass(frozen=True)
class Aerosol:
    """Particles in the lowest air: optical thickness at 550 nm and how it changes with colour.

    Attributes:
        kind: "marine", "haze", "smoke" or "dust".
        thickness: typical optical thickness at 550 nm.
        exponent: Ångström exponent α; thickness falls as λ to the power −α. Large for fine smoke, near 0 for dust.
        co_albedo_blue: share absorbed per collision at 450 nm.
        co_albedo_red: the same at 850 nm and beyond.
        asymmetry: mean cosine of the scattering angle.
        patchiness: standard deviation of the logarithm of the thickness over the scene.
    """

    kind: str
    thickness: float
    exponent: float
    co_albedo_blue: float
    co_albedo_red: float
    asymmetry: float
    patchiness: float

    def at(self, wavelength_nm: float) -> tuple[float, float]:
        """Describe the particles at another wavelength.

        Args:
            wavelength_nm: wavelength, nm.

        Returns:
            Optical thickness relative to that at 550 nm, and the co-albedo, 0–1.
        """
        relative = (wavelength_nm / 550.0) ** -self.exponent
        span = np.interp(wavelength_nm, (450.0, 850.0), (0.0, 1.0))
        co_albedo = (1 - span) * self.co_albedo_blue + span * self.co_albedo_red
        return float(relative), float(co_albedo)


def rayleigh_thickness(wavelength_nm: float) -> float:
    """Optical thickness of all the molecules above sea level: nearly λ⁻⁴.

    Args:
        wavelength_nm: wavelength, 250–2500 nm.

    Returns:
        Optical thickness at 1013.25 hPa.

    Source:
        Bodhaine et al., Journal of Atmospheric and Oceanic Technology 16 (1999), 1854, equation 30.

    Example:
        >>> round(rayleigh_thickness(550), 3)
        0.097
    """
    square = (wavelength_nm / 1000.0) ** 2
    top = 1.0455996 - 341.29061 / square - 0.90230850 * square
    bottom = 1.0 + 0.0027059889 / square - 85.968563 * square
    return float(0.0021520 * top / bottom)


def air_above(height_km: float) -> float:
    """Share of the atmosphere's molecules above a height.

    Args:
        height_km: height above sea level, km.

    Returns:
        Share, 0–1.

    Example:
        >>> air_above(0.0)
        1.0
    """
    return float(np.exp(-height_km / SCALE_HEIGHT_KM))


def vapour_above(column_cm: float, height_km: float) -> float:
    """Column of water vapour left above a height.

    Args:
        column_cm: precipitable water above sea level, cm.
        height_km: height above sea level, km.

    Returns:
        Precipitable water, cm.

    Example:
        >>> vapour_above(3.0, 10.0) < 0.02       # a cirrus cloud lies above nearly all of it
        True
    """
    return float(column_cm * np.exp(-height_km / VAPOUR_SCALE_HEIGHT_KM))


def gas_transmittance(wavelength_nm: float, vapour_cm: float, airmass: float, ozone: float = 0.3,
                      pressure: float = 1.0) -> float:
    """What absorbing gases let through on the way down and up again.

    Args:
        wavelength_nm: wavelength, 400–2300 nm.
        vapour_cm: precipitable water above the reflecting level, cm.
        airmass: length of both paths together, in vertical atmospheres (2 for a sun overhead).
        ozone: ozone column, atm-cm (0.3 = 300 Dobson units).
        pressure: share of the mixed gases above the reflecting level.

    Returns:
        Transmittance 0–1.

    Source:
        Bird & Riordan 1984, equations 2-8, 2-9 and 2-11, doi:10.2172/5986936. At 1.38 µm almost nothing
        returns from below 5 km: Gao, Goetz & Wiscombe, Geophysical Research Letters 20 (1993), 301.

    Example:
        >>> gas_transmittance(1378, 3.0, 2.0) < 0.01 < 0.9 < gas_transmittance(865, 3.0, 2.0)
        True
    """
    water, ozone_k, mixed = (np.interp(wavelength_nm, _GASES[0], row) for row in _GASES[1:])
    w = water * vapour_cm * airmass
    u = mixed * pressure * airmass
    return float(np.exp(-0.2385 * w / (1 + 20.07 * w) ** 0.45 - ozone_k * ozone * airmass
                        - 1.41 * u / (1 + 118.3 * u) ** 0.45))


def glint_reflectance(sun_zenith: float, view_zenith: float, azimuth: float, wind_ms: np.ndarray | float) -> np.ndarray:
    """Sunlight mirrored by the facets of a wind-roughened sea.

    Args:
        sun_zenith: degrees.
        view_zenith: degrees.
        azimuth: angle between the sun's and the viewer's azimuths, degrees; 180 looks towards the sun's mirror
            image.
        wind_ms: wind speed, m/s, any shape.

    Returns:
        Reflectance factor, same shape as `wind_ms`; the same in every band.

    Source:
        Cox & Munk, Journal of the Optical Society of America 44 (1954), 838, doi:10.1364/JOSA.44.000838:
        facet slopes are Gaussian with variance 0.003 + 0.00512 W. Fresnel reflection is taken as 0.02.

    Example:
        >>> float(glint_reflectance(20, 20, 180, 3.0)) > 10 * float(glint_reflectance(60, 0, 0, 3.0))
        True
    """
    sun, view = radians(sun_zenith), radians(view_zenith)
    mu0, mu = cos(sun), cos(view)
    cos_twice = mu0 * mu + sin(sun) * sin(view) * cos(radians(azimuth))
    cos_tilt = (mu0 + mu) / sqrt(2.0 + 2.0 * cos_twice)
    tan_square = 1.0 / cos_tilt**2 - 1.0
    variance = 0.003 + 0.00512 * wind_ms
    density = np.exp(-tan_square / variance) / (pi * variance)
    return density * (pi * 0.02 / (4.0 * mu0 * mu * cos_tilt**4))
