"""What the instrument does to the picture: blur, misregistration, noise, calibration, the swath's edge, 8 bits."""

import numpy as np

REFLECTANCE_MAX = 1.25      # reflectance stored as 255


def blur_kernels(rng: np.random.Generator, channels: int) -> np.ndarray:
    """Draw each band's point-spread function: three taps along rows, three along columns.

    A Gaussian of standard deviation 0.45–0.7 pixels, off its centre by the band's misregistration of about 0.1 pixel.

    Args:
        rng: source of randomness.
        channels: number of bands C.

    Returns:
        (2, C, 3) float32; each three sum to 1.
    """
    sigma = rng.uniform(0.45, 0.7)
    centre = rng.normal(0, 0.1, (2, channels, 1))
    taps = np.exp(-0.5 * ((np.array([-1.0, 0.0, 1.0]) - centre) / sigma) ** 2)
    return (taps / taps.sum(axis=2, keepdims=True)).astype(np.float32)


def blur(band: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Blur one band with its separable kernel.

    Args:
        band: (H, W) float32.
        kernel: (2, 3) float32, the band's part of `blur_kernels`: taps along rows, then along columns.

    Returns:
        (H, W) float32; edges are repeated outward.
    """
    padded = np.pad(band, 1, mode="edge")
    (above, here, under), (left, centre, right) = kernel
    mixed = above * padded[:-2] + here * padded[1:-1] + under * padded[2:]
    return left * mixed[:, :-2] + centre * mixed[:, 1:-1] + right * mixed[:, 2:]


def measure(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Turn the reflectance that arrives into the reflectance that is recorded.

    Blur and misregistration, a calibration error of 2 % per band, and noise whose variance has a constant
    part (electronics) and a part proportional to the signal (photons).

    Args:
        rng: source of randomness.
        image: (C, H, W) float32 reflectance, at least 0.

    Returns:
        (C, H, W) float32, at least 0.
    """
    kernels = blur_kernels(rng, image.shape[0])
    gains = rng.normal(1, 0.02, image.shape[0]).astype(np.float32)
    dark, photon = np.float32(rng.uniform(1e-4, 8e-4)), np.float32(rng.uniform(1e-6, 8e-6))
    recorded = np.empty_like(image)
    for channel, band in enumerate(image):
        seen = blur(band, kernels[:, channel]) * gains[channel]
        noise = rng.standard_normal(seen.shape, dtype=np.float32)
        noise *= np.sqrt(dark * dark + photon * seen)
        recorded[channel] = np.maximum(seen + noise, 0)
    return recorded


def swath_mask(size: int, lost: float, angle: float) -> np.ndarray:
    """Where a measurement exists, when the edge of the swath crosses the frame.

    Args:
        size: pixels along one side.
        lost: share of the frame's width beyond the edge; 0 keeps everything.
        angle: direction of the missing side, radians.

    Returns:
        (size, size) bool.

    Example:
        >>> bool(swath_mask(8, 0.0, 1.0).all())
        True
    """
    if lost <= 0:
        return np.ones((size, size), bool)
    position = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    along = np.float32(np.cos(angle)) * position[None, :] + np.float32(np.sin(angle)) * position[:, None]
    reach = 0.5 * (abs(np.cos(angle)) + abs(np.sin(angle)))
    return along < reach * (1 - 2 * lost)


def encode_uint8(reflectance: np.ndarray) -> np.ndarray:
    """Store reflectance in 8 bits: 255 · √(ρ / 1.25), rounded.

    The square root makes a step of storage grow with brightness, as photon noise does, so that thin cirrus
    (ρ = 0.01 at 1.38 µm) and bright cloud both keep their detail.

    Args:
        reflectance: any shape, finite; values outside 0–1.25 are clipped.

    Returns:
        uint8, same shape.

    Raises:
        ValueError: a value is not finite.

    Example:
        >>> encode_uint8(np.array([0.0, 0.01, 1.25]))
        array([  0,  23, 255], dtype=uint8)
    """
    reflectance = np.asarray(reflectance)
    if not np.isfinite(reflectance).all():
        raise ValueError("found reflectance that is not finite; expected numbers from 0 to 1.25; "
                         "set invalid pixels to 0 before storing")
    scaled = np.sqrt(np.clip(reflectance, 0, REFLECTANCE_MAX) / REFLECTANCE_MAX)
    return np.rint(255 * scaled).astype(np.uint8)


def decode_uint8(stored: np.ndarray) -> np.ndarray:
    """Turn 8-bit storage back into reflectance: 1.25 · (code / 255)².

    Args:
        stored: uint8, any shape.

    Returns:
        float32, same shape, 0–1.25; differs from what was stored by at most half a step, where a step is the
        difference between neighbouring codes (0.00002 at black, 0.0098 at white).

    Example:
        >>> float(decode_uint8(np.array(255, np.uint8)))
        1.25
    """
    table = (REFLECTANCE_MAX * (np.arange(256) / 255.0) ** 2).astype(np.float32)
    return table[stored]
