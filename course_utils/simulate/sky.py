"""Numbered sky pictures, with the truth about every pixel: all-sky frames and photographs."""

from dataclasses import dataclass

import numpy as np

from course_utils.codes import CLEAR, CLOUD, IGNORE, OUTSIDE, SKY
from course_utils.simulate.label import analyst_codes
from course_utils.simulate.sky_camera import Camera, draw_camera, record
from course_utils.simulate.sky_geometry import CIRCLE, fisheye, fisheye_place, perspective
from course_utils.simulate.sky_picture import LabelledSky
from course_utils.simulate.sky_state import SkyState, at_site, draw_sky, sky_stream
from course_utils.simulate.sky_view import look, starlight

SKY_VERSION = "1"           # part of the key of every stored copy: raise it when a pixel changes
PHOTOS_PER_SKY = 4
AWAY_FROM_SUN = 0.6         # share of the photographs whose photographer turns the back to the sun
PHOTO_WIDTH = 4.0           # side of a cloud layer's map over its height, for photographs


@dataclass(frozen=True, eq=False)
class SkyFrame(LabelledSky):
    """A picture of the sky with the truth about every pixel.

    Attributes:
        state: the sky.
        camera: the camera and its settings.
        picture: (H, W, 3) uint8 red, green, blue, as it is stored.
        codes: (H, W) uint8, 100 sky, 255 cloud, 0 outside: beyond the image circle, or an object on the ground.
        thickness: (H, W) float32, optical thickness of all cloud along the line of sight; 0 outside.
        minutes: time since the beginning of a series.
    """

    state: SkyState
    camera: Camera
    picture: np.ndarray
    codes: np.ndarray
    thickness: np.ndarray
    minutes: float = 0.0


def sky_frame(number: int, seed: int = 0, time: str | None = None, size: int = 512, sky: str | None = None,
              minutes: float = 0.0, site: int | None = None) -> SkyFrame:
    """Simulate a numbered all-sky frame.

    Args:
        number: which sky, 0 or more; the same number and seed always give the same frame.
        seed: which series of skies, 0 or more.
        time: "day" or "night"; None leaves it to the number.
        size: pixels along one side.
        sky: force the clouds by name, one of `sky_state.SKIES`.
        minutes: time since the sky's beginning.
        site: one place with one camera, for all skies over it; None draws a place and a camera with each sky.

    Returns:
        The frame: the horizon is a circle, north is up and east on the left.

    Raises:
        UnknownScenarioError: a forced name is not known.
        ValueError: a negative number, seed, time or site, or a size below 32.

    Example:
        >>> frame = sky_frame(7, size=64)
        >>> frame.picture.shape, frame.picture.dtype, frame.mask.dtype
        ((64, 64, 3), dtype('uint8'), dtype('bool'))
    """
    if size < 32:
        raise ValueError(f"found size={size}, expected at least 32 pixels")
    state = draw_sky(number, seed, time, sky, minutes)
    if site is not None:
        state = at_site(state, site)
    camera = draw_camera(sky_stream(seed, number if site is None else site, "camera"), state.time == "night")
    looks, inside = fisheye(size)
    sight = look(state, looks[inside], camera.stray)
    radiance = np.zeros((size, size, 3), np.float32)
    radiance[inside] = sight.radiance
    if state.time == "night":
        _add_stars(state, radiance)
    thickness, valid = np.zeros((size, size), np.float32), inside.copy()
    thickness[inside], valid[inside] = sight.thickness, ~sight.outside
    noise = sky_stream(seed, number, "noise", round(60 * minutes))
    picture = record(noise, radiance, valid, camera)
    picture[~inside] //= 16                             # a trace of light in the black around the circle
    return SkyFrame(state, camera, picture, sky_codes(thickness, valid), thickness * valid, minutes)


def sky_photo(number: int, seed: int = 0, size: int = 256) -> SkyFrame:
    """Simulate a numbered photograph of the daytime sky, as an ordinary camera takes it.

    Args:
        number: which photograph, 0 or more; four in a row show one sky, each with its own camera and direction.
        seed: which series of skies, 0 or more.
        size: pixels along one side.

    Returns:
        The photograph; objects on the ground are "outside".

    Raises:
        ValueError: a negative number or seed, or a size below 32.

    Example:
        >>> sky_photo(3, size=64).codes.shape
        (64, 64)
    """
    if size < 32:
        raise ValueError(f"found size={size}, expected at least 32 pixels")
    state = draw_sky(number // PHOTOS_PER_SKY, seed, "day", width=PHOTO_WIDTH)
    camera = draw_camera(sky_stream(seed, number, "camera"))
    view = sky_stream(seed, number, "view")
    azimuth = view.uniform(0, 360)
    if view.random() < AWAY_FROM_SUN:
        azimuth = np.degrees(np.arctan2(*state.source[:2])) + 180 + view.normal(0, 50)
    looks = perspective(size, view.uniform(35, 75), abs(view.normal(0, 30)), azimuth, view.uniform(0, 360))
    sight = look(state, looks.reshape(-1, 3), camera.stray)
    radiance, thickness = sight.radiance.reshape(size, size, 3), sight.thickness.reshape(size, size)
    valid = ~sight.outside.reshape(size, size)
    picture = record(sky_stream(seed, number, "noise"), radiance, valid, camera)
    return SkyFrame(state, camera, picture, sky_codes(thickness, valid), thickness * valid)


def sky_codes(thickness: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Label a picture of the sky by the rule of `label.analyst_codes`, on the thickness along the line of sight.

    Args:
        thickness: (H, W) float32.
        valid: (H, W) bool, true where the sky is seen.

    Returns:
        (H, W) uint8: 100 sky, 255 cloud, 0 outside.

    Example:
        >>> sky_codes(np.full((8, 8), 2.0, np.float32), np.ones((8, 8), bool))[0, 0]
        np.uint8(255)
    """
    codes = analyst_codes(thickness, valid)
    return np.select([codes == IGNORE, codes == CLEAR], [np.uint8(OUTSIDE), np.uint8(SKY)], np.uint8(CLOUD))


def _add_stars(state: SkyState, radiance: np.ndarray) -> None:
    """Put the stars into an all-sky picture, in place: each into the pixel it falls on."""
    size = len(radiance)
    up, lux = starlight(state)
    rows, columns = (np.rint(place).astype(int) for place in fisheye_place(state.stars[up], size))
    pixel_sr = (np.pi / (CIRCLE * size)) ** 2           # at the zenith; at the horizon 2 / π of it
    np.add.at(radiance, (rows, columns), (lux / pixel_sr)[:, None].astype(np.float32))
