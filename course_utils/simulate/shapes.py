"""Small pictures of ten shapes: a stand-in for photographs of ten classes where those are not at hand (chapter 14)."""

import operator
from collections.abc import Iterable

import numpy as np

from course_utils.simulate.ellipses import two_colours

SIDE = 32
CONTRAST = 0.3                      # between the two colours, the largest of the three differences, at least
NOISE = 0.08                        # standard deviation, on a scale of colours from 0 to 1

# Each shape as a rule for coordinates that run from −1 to 1 across it.
SHAPES = {
    "disc": lambda u, v: np.hypot(u, v) < 0.9,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.7) < 0.22,
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) < 0.8,
    "frame": lambda u, v: np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.65) < 0.2,
    "triangle": lambda u, v: (np.abs(u) < (v + 0.9) / 2) & (v < 0.8),
    "plus": lambda u, v: (np.minimum(np.abs(u), np.abs(v)) < 0.25) & (np.maximum(np.abs(u), np.abs(v)) < 0.95),
    "cross": lambda u, v: (np.abs(np.abs(u) - np.abs(v)) < 0.3) & (np.maximum(np.abs(u), np.abs(v)) < 0.9),
    "bars": lambda u, v: (np.maximum(np.abs(u), np.abs(v)) < 0.9) & (np.floor(3.3 * (u + 1)) % 2 == 0),
    "steps": lambda u, v: (np.maximum(np.abs(u), np.abs(v)) < 0.9) & (np.floor(3.3 * (v + 1)) % 2 == 0),
    "checks": lambda u, v: (np.maximum(np.abs(u), np.abs(v)) < 0.9) & (np.floor(2 * u) % 2 == np.floor(2 * v) % 2),
}


def shape(index: int, seed: int = 0) -> tuple[np.ndarray, int]:
    """Draw picture number `index`: a shape of random place, size and colour on a ground of another, with some noise.

    Args:
        index: number of the picture, from 0; the same number gives the same picture on any machine.
        seed: of the whole series.

    Returns:
        The picture, (3, 32, 32) uint8, and its class, the place of the shape in `SHAPES`.

    Raises:
        ValueError: the index or the seed is negative.

    Example:
        >>> image, label = shape(0)
        >>> image.shape, str(image.dtype), 0 <= label < 10
        ((3, 32, 32), 'uint8', True)
    """
    index, seed = operator.index(index), operator.index(seed)
    if index < 0 or seed < 0:
        raise ValueError(f"found index={index}, seed={seed}; expected numbers from 0")
    rng = np.random.default_rng((seed, index))
    label = int(rng.integers(len(SHAPES)))
    radius = rng.uniform(7.0, 13.0)
    row, column = rng.uniform(radius, SIDE - radius, size=2)
    v, u = (np.mgrid[:SIDE, :SIDE] + 0.5 - np.array([row, column])[:, None, None]) / radius
    inside = list(SHAPES.values())[label](u, v)
    figure, ground = two_colours(rng, CONTRAST)
    image = np.where(inside, figure[:, None, None], ground[:, None, None]) + rng.normal(0, NOISE, (3, SIDE, SIDE))
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8), label


def shapes(numbers: Iterable[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw several pictures, as `shape` draws each.

    Args:
        numbers: numbers of the pictures; at least one.
        seed: of the whole series.

    Returns:
        Pictures (N, 3, 32, 32) uint8 and classes (N,) int64.

    Raises:
        ValueError: there are no numbers, or as `shape`.

    Example:
        >>> shapes(range(3))[1].shape
        (3,)
    """
    drawn = [shape(number, seed) for number in numbers]
    if not drawn:
        raise ValueError("found no numbers, expected at least one, such as range(100)")
    return np.stack([image for image, _ in drawn]), np.array([label for _, label in drawn], dtype=np.int64)
