"""Satellite scenes: simulated as Landsat-8 sees them, scored on a file of labelled ones."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course_utils import simulate
from course_utils.codes import IGNORE, is_cloud
from course_utils.data.errors import LayoutError
from course_utils.data.real import read_labelled_npz
from course_utils.models.threshold import AllOf
from course_utils.predict import tiled
from course_utils.sensors import LANDSAT8, Sensor
from course_utils.sim2real.scores import score
from course_utils.sim2real.training import Sim2Real, train_unet

BASELINE_BANDS = ("B2", "B6")       # of the threshold rule: bright in the blue and at 1.6 µm
# Probability from which a pixel is cloud: the one with the best mean IoU on scenes of another set, which stand in no
# score here (`ukis`; the record `landsat8` has the counts).
CUT = 0.5


def simulated(numbers: Sequence[int], seed: int, sensor: Sensor, bands: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Simulate scenes as arrays.

    Args:
        numbers: which scenes.
        seed: which series of scenes.
        sensor: the instrument that looks.
        bands: names of its bands, in the order wanted.

    Returns:
        Images (N, C, 256, 256) float32 reflectance and codes (N, 256, 256) uint8.
    """
    rows = [sensor.index(band) for band in bands]
    images, codes = [], []
    for scene in simulate.scenes(numbers, seed=seed, sensor=sensor, workers=2, progress=True):
        images.append(scene.image[rows])
        codes.append(scene.codes)
    return np.stack(images), np.stack(codes)


def landsat8(path: str | Path, bands: Sequence[str] | None = None, config: Sim2Real | None = None) -> dict:
    """Simulate, train, and score a file of labelled images: the U-Net beside the threshold baseline.

    Args:
        path: labelled images in the interchange format of `data.real`.
        bands: names of the bands to use; None takes all that the file has.
        config: see `Sim2Real`; None takes the defaults.

    Returns:
        The scores of `score`, with ``train_seconds``, ``seed``, and under ``baseline`` the same for the threshold rule.

    Raises:
        MissingDataError: there is no such file.
        LayoutError: as `read_labelled_npz`, the bands are another sensor's, or the file does not have one.
        InvalidReflectanceError: as `read_labelled_npz`.

    Source:
        Chapter 11.
    """
    config = config or Sim2Real()
    scenes = read_labelled_npz(path)
    if scenes[0].sensor != LANDSAT8.name:
        raise LayoutError(f"found the bands of {scenes[0].sensor} in {path}, expected some of {LANDSAT8.name}: "
                          f"{', '.join(LANDSAT8.band_names)}")
    bands = tuple(bands or scenes[0].bands)
    absent = [band for band in bands if band not in scenes[0].bands]
    if absent:
        known = ", ".join(scenes[0].bands)
        raise LayoutError(f"found no band {', '.join(absent)} in {path}, expected some of {known}")
    images, codes = simulated(range(config.scenes + config.validation_scenes), config.seed, LANDSAT8, bands)

    started = time.perf_counter()
    rule = threshold_rule(images, codes, bands)
    baseline = score(rule.predict, scenes, bands) | {"train_seconds": time.perf_counter() - started}
    model, seconds = train_unet(images, codes, config)
    unet = score(lambda image: tiled(model, image, tile=512, overlap=128) >= CUT, scenes, bands)
    return unet | {"train_seconds": seconds, "seed": config.seed, "baseline": baseline | {"seed": config.seed}}


def threshold_rule(images: np.ndarray, codes: np.ndarray, bands: Sequence[str]) -> AllOf:
    """Fit the thresholds in blue and at 1.6 µm that mask simulated scenes best.

    Where only one of the two bands is there, that one is used; where neither is, the first.

    Args:
        images: (N, C, H, W) float32 reflectance.
        codes: (N, H, W) uint8.
        bands: name of each channel.

    Returns:
        The rule.
    """
    used = [bands.index(band) for band in BASELINE_BANDS if band in bands] or [0]
    return AllOf.fit(tuple(used), images, is_cloud(codes), codes != IGNORE)
