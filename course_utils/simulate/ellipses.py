"""Pictures of one filled ellipse each, with its centre and radii known: a task of regression (chapter 08)."""

import operator
from collections.abc import Iterable

import numpy as np

SIZE = 64
TARGETS = ("xc", "yc", "rx", "ry")
RADII = (5.0, 18.0)                 # pixels
MARGIN = 1.0                        # pixels between the ellipse and the edge of the picture, at least
CONTRAST = 0.25                     # between the two colours, the largest of the three differences, at least
NOISE = 0.05                        # standard deviation, on a scale of colours from 0 to 1
SUBROWS = 4                         # of a pixel; along each, the share that is covered is exact


def ellipse(index: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw picture number `index`: an ellipse of one random colour on a ground of another, with some noise.

    Radii are drawn first, then the centre, anywhere where the whole ellipse fits. Column 0 and row 0 have their
    centre at 0, so a point at the middle of the picture is at 31.5.

    Args:
        index: number of the picture, from 0; the same number gives the same picture on any machine.
        seed: of the whole series; pictures of another seed are others.

    Returns:
        The picture, (3, 64, 64) float32 in 0–1, and xc, yc (column and row of the centre), rx, ry (half-axes along the
        columns and along the rows), (4,) float32, in pixels.

    Raises:
        ValueError: the index or the seed is negative.

    Example:
        >>> image, target = ellipse(0)
        >>> image.shape, target.shape
        ((3, 64, 64), (4,))
    """
    index, seed = operator.index(index), operator.index(seed)
    if index < 0 or seed < 0:
        raise ValueError(f"found index={index}, seed={seed}; expected numbers from 0")
    rng = np.random.default_rng((seed, index))
    radii = rng.uniform(*RADII, size=2)
    centre = rng.uniform(radii + MARGIN - 0.5, SIZE - 0.5 - MARGIN - radii)
    figure, ground = two_colours(rng, CONTRAST)
    share = coverage(*centre, *radii)
    image = ground[:, None, None] + share * (figure - ground)[:, None, None]
    image = image + rng.normal(0, NOISE, image.shape)
    return np.clip(image, 0, 1).astype(np.float32), np.array([*centre, *radii], np.float32)


def coverage(xc: float, yc: float, rx: float, ry: float) -> np.ndarray:
    """Compute which share of each pixel an ellipse covers, so that its edge has no steps.

    Args:
        xc: column of the centre, in pixels; may lie between two.
        yc: row of the centre, in pixels.
        rx: half-axis along the columns, in pixels.
        ry: half-axis along the rows, in pixels.

    Returns:
        (64, 64) float64 in 0–1; its sum is close to π·rx·ry if the ellipse lies in the picture.

    Example:
        >>> bool(abs(coverage(31.5, 31.5, 10, 5).sum() / (np.pi * 50) - 1) < 0.01)
        True
    """
    rows = (np.arange(SIZE * SUBROWS) + 0.5) / SUBROWS - 0.5
    half = rx * np.sqrt(np.clip(1 - ((rows - yc) / ry) ** 2, 0, None))[:, None]     # half the chord in each subrow
    columns = np.arange(SIZE)
    share = np.minimum(columns + 0.5, xc + half) - np.maximum(columns - 0.5, xc - half)
    return np.clip(share, 0, 1).reshape(SIZE, SUBROWS, SIZE).mean(axis=1)


def two_colours(rng: np.random.Generator, contrast: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw two colours that can be told apart.

    Args:
        rng: where they are drawn from.
        contrast: between the two, the largest of the three differences, at least.

    Returns:
        Colour of a figure and of its ground, (3,) each, red, green, blue in 0–1.
    """
    while True:
        figure, ground = rng.uniform(0, 1, size=(2, 3))
        if np.abs(figure - ground).max() >= contrast:
            return figure, ground


def ellipses(numbers: Iterable[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw several pictures, as `ellipse` draws each.

    Args:
        numbers: numbers of the pictures; at least one.
        seed: of the whole series.

    Returns:
        Pictures (N, 3, 64, 64) float32 and targets (N, 4) float32.

    Raises:
        ValueError: there are no numbers, or as `ellipse`.

    Example:
        >>> pictures, targets = ellipses(range(2))
        >>> bool((pictures[1] == ellipse(1)[0]).all())
        True
    """
    numbers = list(numbers)
    if not numbers:
        raise ValueError("found no numbers, expected at least one, such as range(100)")
    images = np.empty((len(numbers), 3, SIZE, SIZE), np.float32)
    targets = np.empty((len(numbers), len(TARGETS)), np.float32)
    for row, number in enumerate(numbers):
        images[row], targets[row] = ellipse(number, seed)
    return images, targets
