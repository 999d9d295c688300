"""Where each surface lies: one function per kind of landscape.

A landscape is a dictionary of material fractions (they sum to one in every pixel), a land mask, an elevation
and a brightness texture. No spectra and no sensor here: only geography.

Each public function draws one landscape:

Args:
    rng: source of randomness.
    size: pixels along one side.

Returns:
    the landscape, (size, size) pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from course_utils.simulate.fields import band_pass, power_law, step, warp
from course_utils.simulate.patterns import parcels, per_parcel, ridges, river, with_slope

Fractions = dict[str, np.ndarray]


@dataclass
class Landscape:
    """What lies on the ground.

    Attributes:
        fractions: material name → (H, W) float32 share of each pixel.
        land: (H, W) bool, false on open water and sea ice.
        elevation: (H, W) float32 height of the ground in pixels (height over pixel size), or None where level.
        texture: (H, W) float32 factor on the ground's reflectance, about 1; or one number.
        wind: (H, W) float32 factor on the wind speed over water; or one number.
    """

    fractions: Fractions
    land: np.ndarray
    elevation: np.ndarray | None = None
    texture: np.ndarray | float = 1.0
    wind: np.ndarray | float = 1.0


def _level(share: float) -> float:
    """Level that a unit Gaussian field exceeds over `share` of the frame."""
    return float(ndtri(1 - share))


def _grain(rng: np.random.Generator, size: int, strength: float, slope: float = 2.6) -> np.ndarray:
    """Brightness texture: log-normal, with structure down to the pixel."""
    return np.exp(np.float32(strength) * power_law(rng, size, slope, 2.0))


def _hills(rng: np.random.Generator, size: int, steepness: float) -> np.ndarray:
    """Rolling ground whose slopes have a root-mean-square tangent of `steepness`."""
    return with_slope(power_law(rng, size, 3.6, 3.0), steepness)


def _lay(fractions: Fractions, name: str, share: np.ndarray) -> None:
    """Cover a share of every pixel with a material, in place; what lay there shrinks."""
    for known in fractions:
        fractions[known] = fractions[known] * (1 - share)
    fractions[name] = fractions.get(name, 0) + share


def _blend(first: str, second: str, share: np.ndarray) -> Fractions:
    """Two materials: `second` covers `share`, `first` the rest."""
    return {first: 1 - share, second: share}


def _sea(rng: np.random.Generator, size: int, murk: float = 0.0) -> Fractions:
    """Open water: clear, green with plankton, in eddies."""
    eddies = warp(power_law(rng, size, 3.4, 2.0), *(2 * [power_law(rng, size, 3.6, 1.0) * size * 0.05]))
    return _blend("clear_water", "green_water", np.clip(murk + 0.3 * eddies, 0, 1))


def ocean(rng: np.random.Generator, size: int) -> Landscape:
    """Open sea with eddies, and wind that comes in patches."""
    wind = np.clip(1 + 0.25 * power_law(rng, size, 3.0, 1.5), 0.3, 2)
    return Landscape(_sea(rng, size, rng.uniform(0, 0.6)), np.zeros((size, size), bool),
                     texture=_grain(rng, size, 0.02), wind=wind)


def _green_land(rng: np.random.Generator, size: int) -> Fractions:
    """Mixed woods and grass for the land part of a coast or valley."""
    woods = step(power_law(rng, size, 3.0, 3.0), rng.uniform(-0.8, 0.8), 0.8)
    fractions = _blend("vegetation", "conifer", woods)
    _lay(fractions, "dry_vegetation", np.clip(0.25 + 0.25 * power_law(rng, size, 2.8, 4.0), 0, 0.9))
    _lay(fractions, "bright_soil", np.float32(rng.uniform(0, 0.3)) * step(power_law(rng, size, 2.4, 6.0), 0.8, 1.0))
    return fractions


def coast(rng: np.random.Generator, size: int) -> Landscape:
    """A fractal coastline with beaches, plumes of sediment, and land behind."""
    height = power_law(rng, size, rng.uniform(2.8, 3.6), 1.0)
    level = _level(rng.uniform(0.25, 0.7))
    land = step(height, level, 0.03)
    fractions = _green_land(rng, size)
    if rng.random() < 0.6:
        beach = step(-np.abs(height - level - 0.05), -rng.uniform(0.03, 0.12), 0.04)
        _lay(fractions, "sand", beach * land)
    water = _sea(rng, size, rng.uniform(0, 0.8))
    plume = rng.uniform(0, 1.2) * (0.6 + 0.4 * power_law(rng, size, 3.0, 2.0))
    _lay(water, "turbid_water", np.clip(plume * np.exp(3 * np.minimum(height - level, 0)), 0, 1))
    for name in fractions:
        fractions[name] = fractions[name] * land
    for name, share in water.items():
        fractions[name] = share * (1 - land)
    texture = np.where(land > 0.5, _grain(rng, size, 0.16), 1.0).astype(np.float32)
    return Landscape(fractions, land > 0.5, texture=texture)


def forest(rng: np.random.Generator, size: int) -> Landscape:
    """Closed forest with clearings, roads and a river."""
    kind = np.clip(0.5 + 0.5 * power_law(rng, size, 2.8, 4.0) + rng.normal(0, 0.5), 0, 1)
    fractions = _blend("vegetation", "conifer", kind)
    cut = step(power_law(rng, size, 3.0, 5.0), _level(rng.uniform(0.02, 0.25)), 0.3)
    _lay(fractions, "bright_soil" if rng.random() < 0.5 else "dry_vegetation", 0.7 * cut)
    channel = river(rng, size, rng.uniform(0.5, 4), 4.0)
    _lay(fractions, "turbid_water", channel)
    return Landscape(fractions, channel < 0.5, _hills(rng, size, rng.uniform(0, 0.15)), _grain(rng, size, 0.14, 2.2))


def cropland(rng: np.random.Generator, size: int) -> Landscape:
    """A mosaic of fields in every stage, hedges, roads, villages."""
    number, edge = parcels(rng, size, rng.uniform(8, 30), rng.uniform(0, np.pi))
    stage = per_parcel(rng, number, -rng.uniform(0, 0.6), 1 + rng.uniform(0, 0.6))
    fractions = _blend("vegetation", "dry_vegetation" if rng.random() < 0.5 else "bright_soil",
                       np.clip(stage, 0.02, 0.98))
    _lay(fractions, "dark_soil", np.clip(per_parcel(rng, number, -0.8, 0.9), 0, 1))
    _lay(fractions, "conifer", 0.6 * step(-edge, -1.0, 1.0))
    woods = step(power_law(rng, size, 3.0, 3.0), _level(rng.uniform(0.03, 0.3)), 0.2)
    _lay(fractions, "conifer", woods)
    village = step(power_law(rng, size, 2.8, 8.0), _level(0.02), 0.5) * rng.uniform(0, 1)
    _lay(fractions, "concrete", village)
    texture = per_parcel(rng, number, 0.75, 1.25) * _grain(rng, size, 0.08)
    return Landscape(fractions, np.ones((size, size), bool), texture=texture)


def savanna(rng: np.random.Generator, size: int) -> Landscape:
    """Dry grass and shrubs over soil, with speckle down to the pixel and dry river beds."""
    grass = np.clip(0.5 + 0.35 * power_law(rng, size, 2.8, 3.0), 0, 1)
    fractions = _blend("bright_soil", "dry_vegetation", grass)
    bush = np.clip(rng.uniform(0, 0.5) + 0.25 * power_law(rng, size, 1.7, 4.0), 0, 0.9)
    _lay(fractions, "vegetation", bush * rng.uniform(0.2, 1.0))
    if rng.random() < 0.5:
        _lay(fractions, "rock", step(power_law(rng, size, 3.0, 3.0), _level(0.25), 1.0))
    _lay(fractions, "sand", 0.8 * river(rng, size, rng.uniform(0.5, 3), 3.8))
    relief = _hills(rng, size, rng.uniform(0, 0.12))
    return Landscape(fractions, np.ones((size, size), bool), relief, _grain(rng, size, 0.12, 2.2))


def desert(rng: np.random.Generator, size: int) -> Landscape:
    """Sand sheets, dunes in rows, dark rock, and now and then a bright salt or gypsum pan."""
    rows = band_pass(rng, size, rng.uniform(5, 25), 0.3, rng.uniform(1.5, 5), rng.uniform(0, np.pi))
    field_of_dunes = step(power_law(rng, size, 3.2, 1.0), rng.uniform(-1, 1), 0.6)
    rock = step(power_law(rng, size, 3.0, 2.0), _level(rng.uniform(0.02, 0.45)), 0.5)
    fractions = _blend("sand", "bright_soil", np.clip(0.3 + 0.3 * power_law(rng, size, 3.0, 1.5), 0, 1))
    _lay(fractions, "rock", rock * 0.9)
    if rng.random() < 0.35:
        pan = power_law(rng, size, 3.2, 2.0)
        _lay(fractions, "gypsum", 0.9 * step(pan, _level(rng.uniform(0.02, 0.2)), 0.15) * (1 - rock))
    texture = (1 + 0.10 * rows * field_of_dunes) * _grain(rng, size, 0.05) * rng.uniform(0.7, 1.15)
    return Landscape(fractions, np.ones((size, size), bool), None, texture.astype(np.float32))


def urban(rng: np.random.Generator, size: int) -> Landscape:
    """A city: streets, blocks, roofs bright and dark, gardens, suburbs thinning out into fields."""
    fractions = _green_land(rng, size)
    density = np.clip(0.5 + 0.4 * power_law(rng, size, 3.2, 1.5) + rng.uniform(-0.2, 0.4), 0, 1)
    angle = rng.uniform(0, np.pi)
    block, edge = parcels(rng, size, rng.uniform(6, 14), angle)
    lot, _ = parcels(rng, size, rng.uniform(2, 4), angle)
    built = (per_parcel(rng, lot, 0, 1) < density).astype(np.float32)
    roof = per_parcel(rng, lot, 0, 1)
    bright = rng.uniform(0.02, 0.12)
    _lay(fractions, "concrete", 0.75 * built * (roof > 0.35))
    _lay(fractions, "asphalt", 0.8 * built * (roof <= 0.35))
    _lay(fractions, "white_roof", 0.95 * built * (roof > 1 - bright))
    park = per_parcel(rng, block, 0, 1) > 0.88
    _lay(fractions, "vegetation", 0.9 * park.astype(np.float32))
    _lay(fractions, "asphalt", 0.7 * step(-edge, -0.8, 0.8) * step(density, 0.35, 0.3))
    channel = river(rng, size, rng.uniform(0, 7), 4.0)
    _lay(fractions, "green_water", channel)
    return Landscape(fractions, channel < 0.5, texture=_grain(rng, size, 0.12, 1.8))


def wetland(rng: np.random.Generator, size: int) -> Landscape:
    """Marsh: pools, winding creeks and reeds on wet soil."""
    reeds = np.clip(0.5 + 0.4 * power_law(rng, size, 2.8, 4.0), 0, 1)
    fractions = _blend("dark_soil", "vegetation", reeds)
    _lay(fractions, "dry_vegetation", np.clip(0.3 * power_law(rng, size, 2.6, 3.0) + rng.uniform(0, 0.4), 0, 1))
    pools = step(power_law(rng, size, 3.0, 3.0), _level(rng.uniform(0.1, 0.5)), 0.15)
    water = np.maximum(pools, np.maximum(river(rng, size, 3.0, 3.0), river(rng, size, 1.5, 2.8)))
    _lay(fractions, "green_water", water)
    _lay(fractions, "turbid_water", np.float32(rng.uniform(0, 0.6)) * water)
    return Landscape(fractions, water < 0.5, texture=_grain(rng, size, 0.12, 2.2))


def snow_mountains(rng: np.random.Generator, size: int) -> Landscape:
    """Mountains: woods below, bare rock on steep ground, snow above an uneven line, shaded by relief."""
    unit = ridges(rng, size, rng.uniform(1.2, 3.0))
    relief = with_slope(unit, rng.uniform(0.15, 0.5))
    steep = np.hypot(*np.gradient(relief))
    ragged = 0.10 * power_law(rng, size, 2.4, 4.0)
    fractions = _blend("conifer", "dry_vegetation", np.clip(2.0 * unit - 0.3 + ragged, 0, 1))
    _lay(fractions, "rock", np.clip(2.2 * unit - 0.7 + ragged, 0, 1))
    snow = step(unit - 0.5 * np.clip(steep - 0.7, 0, 1) + ragged, rng.uniform(0.0, 0.65), 0.18)
    old = np.clip(0.5 + (rng.uniform(0.2, 0.9) - unit) + ragged, 0, 1)
    _lay(fractions, "coarse_snow", snow * old)
    _lay(fractions, "fine_snow", snow * (1 - old) / np.maximum(1 - snow * old, 1e-3))
    return Landscape(fractions, np.ones((size, size), bool), relief, _grain(rng, size, 0.05))


def snow_plain(rng: np.random.Generator, size: int) -> Landscape:
    """Winter in the north: snow on fields and frozen lakes, dark forest between, tracks and ploughed roads."""
    patch = power_law(rng, size, 2.9, 3.0)
    old = np.clip(rng.uniform(0, 1) + 0.25 * power_law(rng, size, 3.0, 3.0), 0, 1)
    fractions = _blend("fine_snow", "coarse_snow", old)
    thin = np.clip(rng.uniform(-0.3, 0.7) + 0.25 * power_law(rng, size, 2.3, 3.0), 0, 0.95)
    _lay(fractions, "dry_vegetation", thin)
    trees = step(patch, _level(rng.uniform(0.1, 0.95)), 0.8) * rng.uniform(0.3, 0.9)
    _lay(fractions, "conifer", trees)
    _lay(fractions, "fine_snow", river(rng, size, rng.uniform(0, 6)))
    number, edge = parcels(rng, size, rng.uniform(20, 60), rng.uniform(0, np.pi))
    _lay(fractions, "asphalt", 0.5 * step(-edge, -0.5, 0.5) * step(per_parcel(rng, number, 0, 1), 0.7, 0.1))
    relief = _hills(rng, size, rng.uniform(0, 0.1))
    return Landscape(fractions, np.ones((size, size), bool), relief, _grain(rng, size, 0.05, 2.2))


def ice_sheet(rng: np.random.Generator, size: int) -> Landscape:
    """A high plateau of snow with wind-packed ripples and patches of blue ice."""
    old = np.clip(rng.uniform(0, 1) + 0.2 * power_law(rng, size, 2.8, 2.0, 3.0, rng.uniform(0, np.pi)), 0, 1)
    fractions = _blend("fine_snow", "coarse_snow", old)
    if rng.random() < 0.5:
        _lay(fractions, "bare_ice", step(power_law(rng, size, 3.2, 2.0), _level(rng.uniform(0.02, 0.3)), 0.4))
    ripples = band_pass(rng, size, rng.uniform(6, 30), 0.5, 4.0, rng.uniform(0, np.pi))
    relief = with_slope(ripples, rng.uniform(0, 0.04)) + _hills(rng, size, rng.uniform(0, 0.05))
    return Landscape(fractions, np.ones((size, size), bool), relief, _grain(rng, size, 0.02))


def sea_ice(rng: np.random.Generator, size: int) -> Landscape:
    """Floes with snow on them, cracks and leads of open water, thin grey ice, melt ponds."""
    floes = power_law(rng, size, 3.0, 3.0)
    fractions = _blend("coarse_snow", "fine_snow", np.clip(0.5 + 0.4 * floes, 0, 1))
    _lay(fractions, "bare_ice", np.clip(rng.uniform(-0.2, 0.6) + 0.3 * power_law(rng, size, 2.6, 4.0), 0, 1))
    cracks = np.maximum(river(rng, size, rng.uniform(0.5, 4), 2.8), river(rng, size, rng.uniform(0.5, 2), 3.0))
    open_water = step(power_law(rng, size, 3.0, 2.0), _level(rng.uniform(0.02, 0.6)), 0.06)
    _lay(fractions, "clear_water", np.maximum(cracks, open_water))
    return Landscape(fractions, np.zeros((size, size), bool), texture=_grain(rng, size, 0.04))


BUILDERS: dict[str, Callable[[np.random.Generator, int], Landscape]] = {
    function.__name__: function
    for function in (ocean, coast, forest, cropland, savanna, desert, urban, wetland, snow_mountains, snow_plain,
                     ice_sheet, sea_ice)
}
