"""One formula for everything that scatters: molecules, aerosol, cloud droplets, ice crystals."""

from math import sqrt

import numpy as np


def two_stream(
    thickness: np.ndarray | float, co_albedo: float = 0.0, asymmetry: float = 0.85
) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance and transmittance of a scattering layer over a black surface.

    Light goes up or down only. Per unit of optical thickness a share b = ω (1 − g) / 2 turns round and a
    share a = 1 − ω (1 + g) / 2 leaves its direction (turned round or absorbed); with K² = a² − b²,

        R = b t / (1 + a t),   T = sech(Kτ) / (1 + a t),   t = tanh(Kτ) / K.

    Without absorption K → 0, t → τ: R = (1 − g) τ / (2 + (1 − g) τ) and T = 1 − R.

    Args:
        thickness: optical thickness τ ≥ 0, any shape.
        co_albedo: 1 − ω, the share of each collision that is absorbed, 0–1.
        asymmetry: g, mean cosine of the scattering angle; 0 for molecules, 0.85 for droplets.

    Returns:
        R and T, same shape, 0–1; R + T = 1 when nothing is absorbed.

    Source:
        Bohren, American Journal of Physics 55 (1987), doi:10.1119/1.15109.

    Example:
        >>> reflectance, transmittance = two_stream(10.0)
        >>> round(float(reflectance), 3), round(float(transmittance), 3)
        (0.429, 0.571)
    """
    albedo = 1.0 - co_albedo
    back = albedo * (1.0 - asymmetry) / 2.0
    lost = 1.0 - albedo * (1.0 + asymmetry) / 2.0
    k = sqrt(max(lost * lost - back * back, 0.0))
    if k < 1e-3:
        passed = 1.0 / (1.0 + lost * thickness)
        return back * thickness * passed, passed
    decay = np.exp(-k * thickness)
    square = decay * decay
    scale = 1.0 / ((k + lost) + (k - lost) * square)
    return back * (1.0 - square) * scale, 2.0 * k * decay * scale


def over(
    reflectance: np.ndarray, down: np.ndarray, up: np.ndarray, below: np.ndarray
) -> np.ndarray:
    """Put a layer over whatever lies below it, counting every reflection between the two.

    R + T↓ T↑ A / (1 − R A): light passes the layer, is reflected, and part of it bounces again.

    Args:
        reflectance: of the layer.
        down: the layer's transmittance for the light that comes down.
        up: the layer's transmittance for the light that goes up.
        below: reflectance A of everything under the layer. A slope that faces the sun may exceed 1; light that
            has bounced comes from all sides, so the later reflections count at most 0.98.

    Returns:
        Reflectance of the two together.

    Source:
        The adding method: van de Hulst 1963; Hansen & Travis, Space Science Reviews 16 (1974),
        doi:10.1007/BF00168069.

    Example:
        >>> round(float(over(0.5, 0.5, 0.5, 0.98)), 2)     # a white surface sends nearly everything back
        0.98
    """
    return reflectance + down * up * below / (1.0 - reflectance * np.minimum(below, 0.98))
