"""What surfaces reflect, and how strongly ice and water absorb."""

import numpy as np

# Reflectance of pure materials, rounded, at these wavelengths (nm).
# Sources. Vegetation and soils: canopy and soil spectra distributed with PROSAIL (Jacquemoud et al., Remote
# Sensing of Environment 113, 2009). Dry vegetation, rock, asphalt, concrete, roofs: typical of the ECOSTRESS /
# ASTER libraries (Baldridge et al., Remote Sensing of Environment 113, 2009). Sand: the Libya 4 calibration
# site as seen by Landsat-8. Gypsum: White Sands, 0.75 at 1.1 µm (American Mineralogist 58, 1973, p. 1062).
# Water: water-leaving reflectance for clear, green and sediment-laden water; Bowker et al., NASA RP-1139, 1985.
_WAVELENGTHS = (400, 443, 490, 555, 650, 705, 740, 865, 940, 1250, 1380, 1610, 2130, 2200, 2300)
_TABLE = {
    "clear_water": (.030, .027, .020, .008, .002, .001, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "green_water": (.010, .013, .020, .030, .012, .009, .004, .002, .001, 0, 0, 0, 0, 0, 0),
    "turbid_water": (.035, .050, .075, .120, .120, .105, .060, .040, .020, .002, 0, 0, 0, 0, 0),
    "vegetation": (.018, .020, .021, .055, .026, .092, .330, .450, .450, .430, .280, .237, .110, .130, .100),
    "conifer": (.015, .017, .020, .036, .022, .055, .170, .230, .225, .200, .110, .100, .045, .050, .038),
    "dry_vegetation": (.050, .060, .080, .120, .170, .210, .240, .290, .310, .360, .300, .330, .220, .230, .180),
    "dark_soil": (.032, .027, .025, .027, .034, .041, .047, .066, .075, .100, .090, .118, .113, .115, .086),
    "bright_soil": (.120, .140, .160, .210, .265, .290, .305, .355, .375, .440, .430, .480, .460, .460, .440),
    "sand": (.120, .160, .215, .320, .440, .475, .495, .550, .565, .620, .620, .660, .620, .600, .570),
    "gypsum": (.560, .610, .650, .700, .730, .740, .745, .750, .740, .720, .640, .580, .430, .380, .430),
    "rock": (.080, .095, .110, .135, .165, .175, .180, .200, .205, .225, .225, .240, .230, .220, .210),
    "asphalt": (.055, .060, .070, .085, .100, .110, .115, .130, .135, .155, .155, .170, .170, .165, .160),
    "concrete": (.140, .170, .200, .245, .285, .300, .310, .340, .350, .380, .370, .400, .380, .370, .350),
    "white_roof": (.300, .480, .560, .600, .620, .620, .620, .610, .600, .560, .520, .480, .360, .340, .300),
}
MATERIALS = (*_TABLE, "fine_snow", "coarse_snow", "bare_ice")

# What the class map calls each material.
SURFACES = ("water", "turbid water", "vegetation", "dry vegetation", "soil", "sand", "rock", "built-up",
            "snow", "ice")
SURFACE_OF = {
    "clear_water": 0, "green_water": 0, "turbid_water": 1, "vegetation": 2, "conifer": 2, "dry_vegetation": 3,
    "dark_soil": 4, "bright_soil": 4, "sand": 5, "gypsum": 5, "rock": 6, "asphalt": 7, "concrete": 7,
    "white_roof": 7, "fine_snow": 8, "coarse_snow": 8, "bare_ice": 9,
}

# Imaginary part of the refractive index. Ice: Warren & Brandt, Journal of Geophysical Research 113, D14220
# (2008), doi:10.1029/2007JD009744. Water: Hale & Querry, Applied Optics 12, 555 (1973), doi:10.1364/AO.12.000555.
_ICE = np.array([
    (400, 2.365e-11), (450, 9.239e-11), (500, 5.889e-10), (550, 2.289e-9), (600, 5.730e-9), (650, 1.430e-8),
    (700, 2.900e-8), (750, 5.870e-8), (800, 1.340e-7), (840, 1.510e-7), (870, 2.650e-7), (900, 4.200e-7),
    (940, 5.530e-7), (1000, 1.620e-6), (1040, 2.330e-6), (1100, 1.700e-6), (1150, 2.290e-6), (1200, 6.710e-6),
    (1250, 1.290e-5), (1300, 1.320e-5), (1380, 1.580e-5), (1400, 1.980e-5), (1449, 2.030e-4), (1493, 5.532e-4),
    (1538, 4.594e-4), (1587, 3.105e-4), (1613, 2.659e-4), (1650, 2.361e-4), (1700, 1.875e-4), (1800, 1.411e-4),
    (1850, 1.339e-4), (1905, 4.081e-4), (1961, 1.442e-3), (2000, 1.640e-3), (2062, 1.267e-3), (2105, 7.586e-4),
    (2130, 5.255e-4), (2170, 3.235e-4), (2220, 2.228e-4), (2250, 2.035e-4), (2310, 3.138e-4), (2350, 4.591e-4),
]).T
_WATER = np.array([
    (400, 1.86e-9), (500, 1.00e-9), (550, 1.96e-9), (600, 1.09e-8), (650, 1.64e-8), (700, 3.35e-8),
    (750, 1.56e-7), (800, 1.25e-7), (850, 2.93e-7), (900, 4.86e-7), (950, 2.93e-6), (1000, 2.89e-6),
    (1200, 9.89e-6), (1400, 1.38e-4), (1600, 8.55e-5), (1800, 1.15e-4), (2000, 1.10e-3), (2200, 2.89e-4),
    (2400, 9.56e-4),
]).T


def absorption_coefficient(wavelength_nm: float, phase: str) -> float:
    """How strongly solid ice or liquid water absorbs light: 4πk / λ.

    Args:
        wavelength_nm: wavelength, 400–2300 nm.
        phase: "ice" or "water".

    Returns:
        Absorption coefficient in 1/m. The imaginary index k is interpolated in its logarithm.

    Source:
        Ice: Warren & Brandt 2008, doi:10.1029/2007JD009744. Water: Hale & Querry 1973,
        doi:10.1364/AO.12.000555.

    Example:
        >>> absorption_coefficient(1613, "ice") > absorption_coefficient(1613, "water") > 500
        True
    """
    wavelengths, index = {"ice": _ICE, "water": _WATER}[phase]
    k = np.exp(np.interp(wavelength_nm, wavelengths, np.log(index)))
    return float(4e9 * np.pi * k / wavelength_nm)


def snow_reflectance(wavelength_nm: float, grain_mm: float, impurity: float = 0.0) -> float:
    """Albedo of deep snow: exp(−3.62 √(γ d)).

    γ = 4πk / λ is the absorption coefficient of the ice and its impurities, d the diameter of the grains. Visible
    light passes a grain almost unhindered, so snow of any age is white; in the short-wave infrared ice absorbs,
    and the longer path through coarse grains makes old snow darker than fresh snow.

    Args:
        wavelength_nm: wavelength, 400–2300 nm.
        grain_mm: optical grain diameter d: 0.1 mm fresh, 0.5 mm settled, 2 mm melting.
        impurity: absorption that soot and dust add at 550 nm, 1/m; 0 is clean, 1 is visibly grey.

    Returns:
        Reflectance 0–1.

    Source:
        Asymptotic theory: Kokhanovsky & Zege, Applied Optics 43 (2004), 1589; its factor as used by Negi &
        Kokhanovsky, The Cryosphere 5 (2011), 203. Compare Wiscombe & Warren, Journal of the Atmospheric
        Sciences 37 (1980), 2712.

    Example:
        >>> fresh, old = snow_reflectance(1610, 0.1), snow_reflectance(1610, 1.0)
        >>> round(fresh, 2), round(old, 3)
        (0.19, 0.005)
    """
    gamma = absorption_coefficient(wavelength_nm, "ice") + impurity * 550.0 / wavelength_nm
    return float(np.exp(-3.62 * np.sqrt(gamma * grain_mm * 1e-3)))


def material_reflectance(
    name: str, wavelength_nm: float, fine_mm: float = 0.1, coarse_mm: float = 1.0, impurity: float = 0.0
) -> float:
    """Reflectance of a pure material.

    Args:
        name: one of `MATERIALS`.
        wavelength_nm: wavelength, 400–2300 nm.
        fine_mm: grain diameter of "fine_snow", mm.
        coarse_mm: grain diameter of "coarse_snow", mm.
        impurity: absorption by soot and dust in the snow, 1/m at 550 nm.

    Returns:
        Reflectance 0–1.

    Raises:
        KeyError: the material is not known.

    Example:
        >>> material_reflectance("vegetation", 865) / material_reflectance("vegetation", 650) > 10
        True
    """
    if name == "fine_snow":
        return snow_reflectance(wavelength_nm, fine_mm, impurity)
    if name == "coarse_snow":
        return snow_reflectance(wavelength_nm, coarse_mm, impurity)
    if name == "bare_ice":      # few bubbles scatter: darker than snow, and as if of very coarse grain
        return 0.6 * snow_reflectance(wavelength_nm, 10.0, impurity)
    return float(np.interp(wavelength_nm, _WAVELENGTHS, _TABLE[name]))
