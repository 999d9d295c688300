"""Where a sky camera looks: pixels, directions, and the places where lines of sight meet a cloud layer.

A direction is a unit vector (east, north, up). An all-sky picture has north at the top and, as one looks up, east on
the left. Zenith angles count from straight up, azimuths clockwise from north.
"""

from math import cos, radians, sin

import numpy as np

EARTH_KM = 6371.0
CIRCLE = 0.97       # radius of the image circle as a share of half the frame


def direction(zenith: np.ndarray | float, azimuth: np.ndarray | float) -> np.ndarray:
    """Turn angles into a unit vector.

    Args:
        zenith: angle from straight up, degrees, any shape.
        azimuth: clockwise from north, degrees, a shape that goes with it.

    Returns:
        (..., 3) east, north, up.

    Example:
        >>> direction(90.0, 90.0).round(6).tolist()
        [1.0, 0.0, 0.0]
    """
    zenith, azimuth = np.broadcast_arrays(np.radians(zenith), np.radians(azimuth))
    return np.stack([np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth), np.cos(zenith)], axis=-1)


def fisheye(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Say where each pixel of an all-sky picture looks: the distance from the centre grows with the zenith angle.

    Args:
        size: pixels along one side.

    Returns:
        Directions (size, size, 3) float32, and (size, size) bool, true inside the image circle, whose edge is the
        horizon.

    Source:
        The equidistant projection r = f θ: Hughes et al., Image and Vision Computing 28 (2010), 538.

    Example:
        >>> looks, inside = fisheye(101)
        >>> looks[50, 50, 2], bool(inside[0, 0])
        (np.float32(1.0), False)
    """
    place = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    down, right = np.meshgrid(place, place, indexing="ij")
    distance = np.hypot(down, right)
    zenith = distance * np.float32(np.pi / 2 / (CIRCLE * size / 2))
    sideways = np.sin(zenith) / np.maximum(distance, np.float32(1e-9))
    looks = np.stack([-right * sideways, -down * sideways, np.cos(zenith)], axis=-1)
    return looks, zenith <= np.pi / 2


def fisheye_place(looks: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Say where a direction lies in an all-sky picture: the inverse of `fisheye`.

    Args:
        looks: (..., 3) unit vectors.
        size: pixels along one side.

    Returns:
        Rows and columns, (...) float.

    Example:
        >>> rows, columns = fisheye_place(direction(0.0, 0.0), 101)
        >>> float(rows), float(columns)
        (50.0, 50.0)
    """
    east, north, up = np.moveaxis(np.asarray(looks), -1, 0)
    level = np.hypot(east, north)
    distance = np.arctan2(level, up) / (np.pi / 2) * CIRCLE * size / 2
    scale = distance / np.maximum(level, 1e-12)
    return (size - 1) / 2 - north * scale, (size - 1) / 2 - east * scale


def perspective(size: int, field_of_view: float, zenith: float, azimuth: float, roll: float = 0.0) -> np.ndarray:
    """Say where each pixel of an ordinary camera looks, which keeps straight lines straight.

    Args:
        size: pixels along one side.
        field_of_view: angle between the middles of two opposite sides, degrees, below 180.
        zenith: of the middle of the picture, degrees.
        azimuth: of the middle of the picture, degrees.
        roll: turn of the camera about its line of sight, degrees.

    Returns:
        (size, size, 3) float32 unit vectors.

    Example:
        >>> bool(np.allclose(perspective(3, 60, zenith=30, azimuth=90)[1, 1], direction(30, 90)))
        True
    """
    half = np.tan(np.radians(field_of_view / 2)) * (1 - 1 / size)
    place = np.linspace(-half, half, size)
    down, right = np.meshgrid(place, place, indexing="ij")
    turn = radians(roll)
    down, right = down * cos(turn) - right * sin(turn), down * sin(turn) + right * cos(turn)
    ahead, top = direction(zenith, azimuth), direction(zenith - 90, azimuth)
    looks = ahead - down[..., None] * top + right[..., None] * np.cross(ahead, top)
    return (looks / np.linalg.norm(looks, axis=-1, keepdims=True)).astype(np.float32)


def turned(looks: np.ndarray, minutes: float, latitude: float) -> np.ndarray:
    """Turn directions with the sky: about the celestial pole, once in 23 h 56 min.

    Args:
        looks: (..., 3) unit vectors towards stars, moon or sun.
        minutes: time that has passed.
        latitude: of the camera, degrees north.

    Returns:
        (..., 3): where they are now.

    Example:
        >>> turned(direction(40.0, 0.0), 700.0, latitude=50.0).round(6).tolist()     # the pole stays where it is
        [0.0, 0.642788, 0.766044]
    """
    pole = direction(90 - latitude, 0.0)
    angle = -2 * np.pi * minutes / 1436.07              # from east by south to west: clockwise, seen along the pole
    looks = np.asarray(looks)
    along = (looks @ pole)[..., None] * pole
    return along + (looks - along) * cos(angle) + np.cross(pole, looks) * sin(angle)


def airmass(cos_zenith: np.ndarray) -> np.ndarray:
    """How much air a line of sight crosses, in vertical atmospheres.

    Args:
        cos_zenith: cosine of the zenith angle, any shape; below the horizon counts as the horizon.

    Returns:
        Same shape: 1 overhead, 38 at the horizon.

    Source:
        Kasten & Young, Applied Optics 28 (1989), 4735, doi:10.1364/AO.28.004735.

    Example:
        >>> airmass(np.cos(np.radians([0.0, 60.0, 90.0]))).round(2).tolist()
        [1.0, 1.99, 37.92]
    """
    cosine = np.clip(cos_zenith, 0, 1)
    elevation = np.degrees(np.arcsin(cosine))
    return 1 / (cosine + 0.50572 * (elevation + 6.07995) ** -1.6364)


def meet_shell(looks: np.ndarray, height_km: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find where lines of sight meet a layer at one height above the round Earth.

    Args:
        looks: (..., 3) unit vectors at or above the horizon.
        height_km: height of the layer above the camera, km.

    Returns:
        East and north of the camera along the ground, km, and how much longer the path through the layer is than
        a vertical one; all (...). Near the zenith the distance is h tan z; at the horizon it is √(2 R h), not
        infinity.

    Example:
        >>> east, north, slant = meet_shell(direction(45.0, 90.0), 2.0)
        >>> round(float(east), 2), round(float(slant), 2)
        (2.0, 1.41)
    """
    east, north, up = np.moveaxis(np.asarray(looks), -1, 0)
    up, top = np.maximum(up, 0), EARTH_KM + height_km
    path = np.sqrt((EARTH_KM * up) ** 2 + top**2 - EARTH_KM**2) - EARTH_KM * up
    level = np.hypot(east, north)
    arc = EARTH_KM * np.arcsin(np.clip(path * level / top, 0, 1))
    scale = arc / np.maximum(level, 1e-9)
    slant = top / np.sqrt(np.maximum(top**2 - (EARTH_KM * level) ** 2, 1e-9))
    return east * scale, north * scale, slant
