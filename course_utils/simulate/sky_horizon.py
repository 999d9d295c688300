"""What stands around a sky camera: hills, trees, buildings, masts."""

from dataclasses import dataclass

import numpy as np

BINS = 2048         # directions around the horizon
REFLECTANCE = {     # red, green, blue
    "hills": (0.07, 0.09, 0.08), "trees": (0.035, 0.055, 0.025), "buildings": (0.22, 0.20, 0.18),
    "mast": (0.30, 0.30, 0.31),
}
KINDS = tuple(REFLECTANCE)


@dataclass(frozen=True, eq=False)
class Skyline:
    """How high the objects around the camera reach.

    Attributes:
        elevation: (BINS,) float32, degrees above the horizon, by azimuth from north clockwise.
        kind: (BINS,) uint8, position in `KINDS` of what stands there.
    """

    elevation: np.ndarray
    kind: np.ndarray

    def hides(self, looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Say which lines of sight end at an object.

        Args:
            looks: (N, 3) unit vectors.

        Returns:
            (N,) bool, and (N,) the object's kind, as a position in `KINDS`.
        """
        azimuth = np.arctan2(looks[..., 0], looks[..., 1]) / (2 * np.pi) % 1
        place = np.minimum((azimuth * BINS).astype(np.int64), BINS - 1)
        return looks[..., 2] < np.sin(np.radians(self.elevation))[place], self.kind[place]


def _rough(rng: np.random.Generator, slope: float, waves: int) -> np.ndarray:
    """A periodic random line with a power-law spectrum, mean 0, standard deviation 1."""
    wave = np.arange(1, waves + 1)
    line = np.zeros(BINS // 2 + 1, complex)
    line[wave] = wave ** (-slope / 2) * np.exp(2j * np.pi * rng.random(waves))
    rough = np.fft.irfft(line, BINS)
    return rough / rough.std()


def draw_skyline(rng: np.random.Generator, town: float) -> Skyline:
    """Draw what stands around the camera.

    Args:
        rng: source of randomness.
        town: 0 open country, 1 the middle of a town.

    Returns:
        The skyline.
    """
    elevation = np.maximum(rng.uniform(0.5, 4) * (1 + 0.6 * _rough(rng, 3.0, 20)), 0.2)
    kind = np.full(BINS, KINDS.index("hills"), np.uint8)

    groves = _rough(rng, 1.6, 12) > rng.normal(0.3 + town / 2, 0.5)
    crowns = rng.uniform(3, 14) * (1 + 0.45 * _rough(rng, 1.2, 400))
    _raise(elevation, kind, np.where(groves, crowns, 0), "trees")

    houses = np.zeros(BINS)
    for _ in range(rng.poisson(14 * town)):
        start, width = rng.integers(BINS), int(rng.integers(15, 130))
        houses[np.arange(start, start + width) % BINS] = rng.uniform(3, 10 + 14 * town)
    _raise(elevation, kind, houses, "buildings")

    masts = np.zeros(BINS)
    for _ in range(rng.poisson(0.8)):
        start = rng.integers(BINS)
        masts[np.arange(start, start + rng.integers(3, 9)) % BINS] = rng.uniform(12, 45)
    _raise(elevation, kind, masts, "mast")
    return Skyline(elevation.astype(np.float32), kind)


def _raise(elevation: np.ndarray, kind: np.ndarray, objects: np.ndarray, name: str) -> None:
    """Put objects in front of what stands there, in place."""
    higher = objects > elevation
    elevation[higher] = objects[higher]
    kind[higher] = KINDS.index(name)


def object_colours() -> np.ndarray:
    """Reflectance of every kind of object.

    Returns:
        (len(KINDS), 3) float32 red, green, blue.
    """
    return np.array([REFLECTANCE[name] for name in KINDS], np.float32)
