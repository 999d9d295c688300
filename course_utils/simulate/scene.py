"""A numbered scene, as a sensor sees it, with the truth about every pixel."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from course_utils.codes import CLEAR, is_cloud
from course_utils.sensors import PACE_OCI, Sensor
from course_utils.simulate.instrument import measure
from course_utils.simulate.label import analyst_codes
from course_utils.simulate.landscape import Landscape
from course_utils.simulate.radiance import sunlight, top_of_atmosphere
from course_utils.simulate.scenario import Scenario
from course_utils.simulate.spectra import SURFACE_OF
from course_utils.simulate.state import draw_state, stream

VERSION = "8"       # part of the key of every stored copy: raise it when a pixel changes


@dataclass(frozen=True, eq=False)
class Scene:
    """A simulated scene as one sensor sees it, with the truth about every pixel.

    Attributes:
        number: which scene.
        seed: which series of scenes.
        sensor: the instrument.
        scenario: everything drawn for the scene.
        image: (C, H, W) float32 top-of-atmosphere reflectance; 0 where not valid.
        codes: (H, W) uint8, 0 clear, 1 thick cloud, 2 thin cloud, 255 outside the swath.
        valid: (H, W) bool, a measurement exists.
        land: (H, W) bool.
        surface: (H, W) uint8, position in `SURFACES`.
        optical_thickness: (H, W) float32, all cloud layers together, as it appears (`clouds.spread_light`).
        shadow: (H, W) bool, clear ground that a cloud robs of at least 40 % of its direct sunlight.
    """

    number: int
    seed: int
    sensor: Sensor
    scenario: Scenario
    image: np.ndarray
    codes: np.ndarray
    valid: np.ndarray
    land: np.ndarray
    surface: np.ndarray
    optical_thickness: np.ndarray
    shadow: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, true = cloud, thick or thin, as an analyst would draw it."""
        return is_cloud(self.codes)

    @property
    def sun_zenith(self) -> float:
        """Angle of the sun from the vertical, degrees."""
        return self.scenario.sun_zenith


def _surface_codes(ground: Landscape) -> np.ndarray:
    """Class with the largest share in each pixel."""
    shares: dict[int, np.ndarray] = {}
    for name, share in ground.fractions.items():
        shares[SURFACE_OF[name]] = shares.get(SURFACE_OF[name], 0) + share
    codes = np.zeros(ground.land.shape, np.uint8)
    largest = np.zeros(ground.land.shape, np.float32)
    for code, share in sorted(shares.items()):
        codes[share > largest] = code
        np.maximum(largest, share, out=largest)
    return codes


def scene(
    number: int,
    seed: int = 0,
    sensor: Sensor = PACE_OCI,
    size: int = 256,
    surface: str | None = None,
    cloud: str | None = None,
) -> Scene:
    """Simulate a numbered scene.

    Args:
        number: which scene, 0 or more; the same number and seed always give the same scene.
        seed: which series of scenes, 0 or more.
        sensor: the instrument that looks; the clouds and the ground do not depend on it.
        size: pixels along one side.
        surface: force a landscape, one of `SURFACE_SCENARIOS`.
        cloud: force a sky, one of `CLOUD_SCENARIOS`.

    Returns:
        The scene.

    Raises:
        UnknownScenarioError: a forced name is not known.
        ValueError: a negative number or seed, or a size below 32.

    Example:
        >>> view = scene(7, size=64)
        >>> view.image.shape, view.mask.dtype
        ((11, 64, 64), dtype('bool'))
    """
    if number < 0 or seed < 0 or size < 32:
        raise ValueError(f"found number={number}, seed={seed}, size={size}; expected number and seed of 0 or more "
                         "and a size of at least 32 pixels")
    state = draw_state(number, seed, size, surface, cloud)
    arriving = np.empty((len(sensor.bands), size, size), np.float32)
    for channel, wavelength in enumerate(sensor.wavelengths):
        arriving[channel] = top_of_atmosphere(state, wavelength)
    image = measure(stream(seed, number, "sensor"), arriving)
    image *= state.valid
    total = sum(state.clouds, start=np.zeros((size, size), np.float32))
    codes = analyst_codes(total, state.valid)
    return Scene(number, seed, sensor, state.scenario, image, codes, state.valid, state.ground.land & state.valid,
                 _surface_codes(state.ground), total, (sunlight(state) < 0.6) & (codes == CLEAR))


def scenes(
    numbers: Iterable[int],
    seed: int = 0,
    sensor: Sensor = PACE_OCI,
    size: int = 256,
    workers: int = 1,
    progress: bool = False,
) -> Iterator[Scene]:
    """Simulate many scenes, in order.

    Args:
        numbers: which scenes.
        seed: which series of scenes.
        sensor: the instrument.
        size: pixels along one side.
        workers: processes that share the work; the result is the same for any number. A script that asks for
            more than one guards its main part with `if __name__ == "__main__":`, as Python's processes require.
        progress: show a bar on stderr.

    Yields:
        The scenes, in the order of `numbers`.

    Example:
        >>> [view.number for view in scenes([3, 1], size=32)]
        [3, 1]
    """
    numbers = list(numbers)
    make = partial(scene, seed=seed, sensor=sensor, size=size)
    hidden = {} if progress else {"disable": True}           # leave it to TQDM_DISABLE otherwise
    bar = partial(tqdm, total=len(numbers), desc="simulating", unit="scene", **hidden)
    if workers <= 1:
        yield from bar(map(make, numbers))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from bar(_in_order(pool, make, numbers, ahead=4 * workers))


def _in_order(pool: Executor, make: Callable[[int], Scene], numbers: list[int], ahead: int) -> Iterator[Scene]:
    """Results in order, with at most `ahead` scenes waiting, so that a slow reader does not fill the memory."""
    waiting: deque[Future[Scene]] = deque()
    for number in numbers:
        waiting.append(pool.submit(make, number))
        if len(waiting) == ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
