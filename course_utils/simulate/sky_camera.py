"""What a camera makes of radiance: stray light, blur, vignetting, exposure, white balance, tone, noise, 8 bits."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from course_utils.simulate.scenario import log_uniform

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)      # shares of red, green, blue: ITU-R BT.709


@dataclass(frozen=True)
class Camera:
    """A camera and the way it is set.

    Attributes:
        bright: what the exposure brings a middling part of the picture to; 1 is white.
        quantile: how bright that part is among all: this share of the picture is darker.
        balance: gains of red, green and blue.
        saturation: 1 leaves colours as they are, 0 makes them grey; many cameras deepen them, less so near white.
        gamma: exponent of the tone curve, about 1 / 2.2.
        contrast: strength of its S shape, 0 none.
        white: red, green and blue that a saturated pixel is stored as; bluish where colours are set afterwards.
        vignetting: share of the light lost in the corners.
        blur: standard deviation of the point-spread function, pixels.
        stray: light of sun or moon scattered in the lens: at angle γ (radians) stray / γ² per steradian.
        noise: of the electronics, as a share of white.
        photons: noise of the light itself at white, as a share of it.
    """

    bright: float
    quantile: float
    balance: tuple[float, float, float]
    saturation: float
    gamma: float
    contrast: float
    white: tuple[float, float, float]
    vignetting: float
    blur: float
    stray: float
    noise: float
    photons: float


def draw_camera(rng: np.random.Generator, night: bool = False) -> Camera:
    """Draw a camera and its settings.

    Args:
        rng: source of randomness.
        night: whether it is set for the night: longer exposures, more noise, a darker and paler picture.

    Returns:
        The camera.
    """
    warm, tint = rng.normal(-0.13, 0.13), rng.normal(0, 0.03)       # most are set to show clouds a little blue
    pale = max(float(rng.uniform(-0.12, 0.12)), 0.0)
    noise = log_uniform(rng, 0.004, 0.025) if night else rng.uniform(0.001, 0.008)
    return Camera(
        bright=float(rng.uniform(0.12, 0.5) if night else np.exp(rng.normal(np.log(0.5), 0.4))),
        quantile=float(rng.uniform(0.2, 0.95)),
        balance=(float(np.exp(tint + warm)), 1.0, float(np.exp(tint - warm))),
        saturation=float(rng.uniform(0.4, 1.2) if night else rng.uniform(0.8, 2.2)),
        gamma=float(rng.uniform(0.38, 0.55)),
        contrast=float(rng.uniform(0.0, 0.6)),
        white=(1 - pale, 1 - pale / 2, 1.0),
        vignetting=float(rng.uniform(0.0, 0.35)),
        blur=float(rng.uniform(0.4, 1.1)),
        stray=log_uniform(rng, 5e-5, 1e-3),
        noise=float(noise),
        photons=float(rng.uniform(0.002, 0.010) * (3 if night else 1)),
    )


def stray_light(cos_angle: np.ndarray, strength: float) -> np.ndarray:
    """Light of a small bright source that lens and dome scatter over the picture, per lux of it.

    Args:
        cos_angle: cosine of the angle from the source.
        strength: stray light at an angle of one radian, 1/sr.

    Returns:
        Same shape: strength / γ², level within half a degree of the source.
    """
    square = 2 * (1 - np.minimum(cos_angle, 1))             # γ² for small angles
    return strength / (square + np.float32(np.radians(0.5) ** 2))


def tone(linear: np.ndarray, camera: Camera) -> np.ndarray:
    """Turn exposure into the value that is stored: saturated colours, a gamma curve with an S shape, an end at white.

    Args:
        linear: (..., 3) exposure; 1 is white.
        camera: saturation, gamma, contrast and white are used.

    Returns:
        Same shape, 0–1; grey stays in proportion to `white`, and a brighter grey is never stored darker.
    """
    grey = (linear @ LUMINANCE)[..., None]
    deeper = 1 + (camera.saturation - 1) * (1 - 0.8 * np.clip(grey, 0, 1))
    value = np.clip(grey + deeper * (linear - grey), 0, 1) ** np.float32(camera.gamma)
    value += camera.contrast * (value * value * (3 - 2 * value) - value)
    return value * np.array(camera.white, np.float32)


def record(rng: np.random.Generator, radiance: np.ndarray, counted: np.ndarray, camera: Camera) -> np.ndarray:
    """Take the picture.

    Args:
        rng: source of randomness, for the noise.
        radiance: (H, W, 3) float32, any unit.
        counted: (H, W) bool, what the exposure is measured on.
        camera: the camera.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = counted.shape
    down, right = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = (1 - camera.vignetting * (down * down + right * right) / 2).astype(np.float32)[..., None]
    level = np.quantile((radiance[counted] @ LUMINANCE)[::7], camera.quantile)
    exposure = radiance * corners * np.array(camera.balance, np.float32) * np.float32(camera.bright / max(level, 1e-9))
    np.minimum(exposure, 30.0, out=exposure)
    exposure = ndimage.gaussian_filter(exposure, (camera.blur, camera.blur, 0), truncate=3)
    spread = np.sqrt(camera.noise**2 + camera.photons**2 * np.minimum(exposure, 1))
    exposure += spread * rng.standard_normal(exposure.shape, dtype=np.float32)
    return np.rint(255 * tone(np.maximum(exposure, 0), camera)).astype(np.uint8)
