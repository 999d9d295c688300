"""Cloud layers above a camera: drawn on a plane, seen in perspective, carried along by the wind."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from course_utils.simulate.clouds import CloudLayer, optical_thickness
from course_utils.simulate.fields import power_law
from course_utils.simulate.sky_geometry import meet_shell

FIELD = 512         # pixels along one side of a layer's map
FINER = 7           # the ragged detail is this many times finer than the map
MEMORY_MIN = 25.0   # minutes after which a layer's shapes are new


@dataclass(frozen=True, eq=False)
class SkyLayer:
    """A cloud layer above the camera.

    Attributes:
        cloud: shape, coverage, thickness; `top_km` is the height at which it is drawn.
        thickness: (FIELD, FIELD) float32 optical thickness, periodic.
        detail: (2, FIELD, FIELD) float32, how edges are frayed, in pixels of the map.
        width_km: side of the map.
        drift_km: how far the wind has carried it, east and north.
    """

    cloud: CloudLayer
    thickness: np.ndarray
    detail: np.ndarray
    width_km: float
    drift_km: tuple[float, float]

    def seen(self, looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the cloud in each line of sight.

        Args:
            looks: (N, 3) unit vectors above the horizon.

        Returns:
            (N,) optical thickness of the layer, counted vertically, and (N,) how much longer the line of sight
            through it is.
        """
        east, north, slant = meet_shell(looks, self.cloud.top_km)
        scale = FIELD / self.width_km
        place = np.stack([(self.drift_km[1] - north) * scale, (east - self.drift_km[0]) * scale]).astype(np.float32)
        distance = np.hypot(east, north) * scale
        nearby = np.clip(1.5 - distance / FIELD, 0, 1)        # far away a pixel spans more than the detail
        frayed = place + nearby * np.stack([_sample(field, FINER * place) for field in self.detail])
        return _sample(self.thickness, frayed), slant


def _sample(field: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Read a periodic map between its pixels."""
    return ndimage.map_coordinates(field, place, order=1, mode="grid-wrap", prefilter=False)


class ChangingNoise:
    """A source of randomness whose white noise changes slowly with time; all else it draws stays the same.

    Every `MEMORY_MIN` minutes there is a new field of noise. In between, it is cos φ times the one before plus sin φ
    times the next, which keeps its variance 1: shapes drawn from it grow and dissolve.

    Args:
        key: numbers that name this source.
        minutes: time.
    """

    def __init__(self, key: tuple[int, ...], minutes: float):
        step, part = divmod(minutes / MEMORY_MIN, 1.0)
        self._before, self._next = (np.random.default_rng((*key, 1 + int(step) + k)) for k in (0, 1))
        self._weights = np.float32(np.cos(part * np.pi / 2)), np.float32(np.sin(part * np.pi / 2))
        steady = np.random.default_rng((*key, 0))
        self.uniform, self.normal, self.integers = steady.uniform, steady.normal, steady.integers

    def standard_normal(self, size: tuple[int, int], dtype: type = np.float32) -> np.ndarray:
        """Draw white noise of this moment.

        Args:
            size: shape wanted.
            dtype: type wanted.

        Returns:
            Array of that shape, mean 0, variance 1.
        """
        before, after = (rng.standard_normal(size, dtype=dtype) for rng in (self._before, self._next))
        return self._weights[0] * before + self._weights[1] * after


def draw_layer(key: tuple[int, ...], cloud: CloudLayer, width_km: float, wind_ms: tuple[float, float],
               minutes: float) -> SkyLayer:
    """Draw a cloud layer as it is at one moment.

    Args:
        key: numbers that name its source of randomness.
        cloud: what to draw.
        width_km: side of its map.
        wind_ms: wind towards the east and towards the north, m/s.
        minutes: time since the beginning.

    Returns:
        The layer.
    """
    thickness = optical_thickness(ChangingNoise((*key, 0), minutes), FIELD, cloud)
    rng = np.random.default_rng((*key, 1))
    fray = np.float32(rng.uniform(0.1, 0.4) if cloud.kind in ("cirrus", "contrails") else rng.uniform(0.3, 2.0))
    slope = rng.uniform(2.6, 3.4)
    detail = np.stack([fray * power_law(rng, FIELD, slope, 4.0) for _ in range(2)])
    drift = tuple(0.06 * minutes * speed for speed in wind_ms)
    return SkyLayer(cloud, thickness, detail, width_km, drift)
