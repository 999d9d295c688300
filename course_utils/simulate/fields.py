"""Random fields with a power-law spectrum: the texture of clouds, coasts and mountains."""

from functools import lru_cache

import numpy as np
from scipy.fft import irfft2, rfft2


@lru_cache(maxsize=64)
def wavenumbers(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Integer wavenumbers of a real 2-D transform.

    Args:
        size: pixels along one side.

    Returns:
        (size, 1) rows and (1, size // 2 + 1) columns, float32, in cycles per frame.
    """
    rows = np.fft.fftfreq(size, 1 / size).astype(np.float32)[:, None]
    columns = np.fft.rfftfreq(size, 1 / size).astype(np.float32)[None, :]
    return rows, columns


def stretched_wavenumber(size: int, stretch: float = 1.0, angle: float = 0.0) -> np.ndarray:
    """Length of the wavenumber vector after stretching the frame along one direction.

    Args:
        size: pixels along one side.
        stretch: how many times longer the structures are along `angle` than across it; 1 is isotropic.
        angle: direction of the long axis, radians from the column axis.

    Returns:
        (size, size // 2 + 1) float32, cycles per frame; area is kept, so `stretch` is only a shape.
    """
    rows, columns = wavenumbers(size)
    if stretch == 1.0:
        return np.hypot(rows, columns)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    return np.hypot(along * np.sqrt(stretch), across / np.sqrt(stretch)).astype(np.float32)


def _from_amplitude(rng: np.random.Generator, size: int, amplitude: np.ndarray) -> np.ndarray:
    """Colour white noise with an amplitude spectrum; zero mean, unit standard deviation."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    amplitude[0, 0] = 0.0
    field = irfft2(rfft2(white) * amplitude, s=(size, size))
    field /= field.std()
    return field


def power_law(
    rng: np.random.Generator,
    size: int,
    slope: float = 8 / 3,
    outer: float = 1.0,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> np.ndarray:
    """Draw a periodic Gaussian field whose power spectral density falls as wavenumber to the power −slope.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        slope: exponent of the two-dimensional density. A line through the field then has the
            one-dimensional exponent slope − 1: 8/3 gives the −5/3 that is observed in clouds.
        outer: wavenumber (cycles per frame) below which the spectrum is flat: the largest structures
            measure size / outer pixels.
        stretch: ratio of lengths along and across `angle`.
        angle: direction of the long axis, radians from the column axis.

    Returns:
        (size, size) float32, mean 0, standard deviation 1.

    Source:
        Cahalan & Snider, Remote Sensing of Environment 28 (1989), 95: brightness and liquid water of
        stratocumulus follow the −5/3 law above about 200 m; below it, brightness falls more steeply (−3).

    Example:
        >>> field = power_law(np.random.default_rng(0), 64, slope=3.0)
        >>> field.shape, round(float(field.std()), 3)
        ((64, 64), 1.0)
    """
    k = stretched_wavenumber(size, stretch, angle)
    return _from_amplitude(rng, size, np.maximum(k, outer) ** np.float32(-slope / 2))


def band_pass(
    rng: np.random.Generator,
    size: int,
    wavelength: float,
    width: float = 0.25,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> np.ndarray:
    """Draw a periodic Gaussian field with one preferred length: cells, ripples, dunes.

    Args:
        rng: source of randomness.
        size: pixels along one side.
        wavelength: preferred length in pixels.
        width: relative spread of the preferred wavenumber.
        stretch: ratio of lengths along and across `angle`; above about 3 the cells become rolls.
        angle: direction of the long axis, radians from the column axis.

    Returns:
        (size, size) float32, mean 0, standard deviation 1.

    Example:
        >>> band_pass(np.random.default_rng(0), 64, wavelength=8).dtype
        dtype('float32')
    """
    k = stretched_wavenumber(size, stretch, angle)
    k0 = size / wavelength
    return _from_amplitude(rng, size, np.exp(-0.5 * ((k - k0) / (width * k0)) ** 2))


def warp(field: np.ndarray, shift_rows: np.ndarray, shift_columns: np.ndarray) -> np.ndarray:
    """Displace a periodic field, pixel by pixel (nearest neighbour): straight lines begin to meander.

    Args:
        field: (H, W).
        shift_rows: (H, W) displacement down, pixels.
        shift_columns: (H, W) displacement to the right, pixels.

    Returns:
        (H, W), the field read at the displaced positions, wrapping round the edges.
    """
    height, width = field.shape
    rows = (np.arange(height)[:, None] + shift_rows.astype(np.int64)) % height
    columns = (np.arange(width)[None, :] + shift_columns.astype(np.int64)) % width
    return field[rows, columns]


def step(field: np.ndarray, threshold: float, width: float) -> np.ndarray:
    """Rise linearly from 0 to 1 where a field passes a threshold.

    Args:
        field: (H, W).
        threshold: where the result is one half.
        width: over how much of the field's range it rises.

    Returns:
        (H, W) in 0–1, of the field's type.

    Example:
        >>> step(np.array([0.0, 1.0, 2.0]), threshold=1.0, width=1.0)
        array([0. , 0.5, 1. ])
    """
    return np.clip((field - threshold) / width + 0.5, 0.0, 1.0)
