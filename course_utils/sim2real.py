"""From simulation to real images: train a U-Net on simulated scenes only, score it on labelled satellite images."""

import math
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from course_utils import metrics, simulate
from course_utils.data.errors import LayoutError
from course_utils.data.real import LabelledScene, read_labelled_npz
from course_utils.models.threshold import AllOf
from course_utils.models.unet import UNet
from course_utils.predict import tiled
from course_utils.sensors import LANDSAT8, Sensor
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit

# Bands of the threshold baseline (bright in the blue and at 1.6 µm), and of the snow test, by Landsat-8 name.
BASELINE_BANDS = ("B2", "B6")
GREEN, NIR, SWIR1 = "B3", "B5", "B6"
SCORES = ("accuracy", "cloud_iou", "clear_iou", "mean_iou", "thin_recall", "snow_false_alarms")


@dataclass(frozen=True)
class Sim2Real:
    """Settings of the experiment.

    Attributes:
        scenes: simulated scenes to train on.
        validation_scenes: further simulated scenes that choose the best epoch.
        seed: of the scenes, the weights and the training.
        width: channels of the U-Net at full resolution.
        depth: how often it halves the image.
        crop: side of the training crops, pixels.
        crops_per_epoch: random crops in an epoch.
        epochs: how many epochs.
        batch_size: crops in a batch.
        learning_rate: peak of the one-cycle schedule.
        max_seconds: training stops after the first epoch that ends later.
    """

    scenes: int = 300
    validation_scenes: int = 20
    seed: int = 0
    width: int = 10
    depth: int = 4
    crop: int = 128
    crops_per_epoch: int = 320
    epochs: int = 10
    batch_size: int = 8
    learning_rate: float = 4e-3
    max_seconds: float = 75.0


class Crops(Dataset):
    """Square crops of simulated scenes, turned and flipped, each band scaled at random.

    Calibrations and spectra of real scenes differ from simulated ones, so the model must not rely on them.
    Item i is always the same crop; a training draws from them without running out.

    Args:
        images: (N, C, H, W) float32 reflectance.
        codes: (N, H, W) uint8.
        crop: side of a crop, pixels.
        seed: of the crops' places, turns and gains.
    """

    PER_SCENE = 1000

    def __init__(self, images: np.ndarray, codes: np.ndarray, crop: int, seed: int):
        self.images, self.codes = images, codes
        self.crop, self.seed = crop, seed

    def __len__(self) -> int:
        return len(self.images) * self.PER_SCENE

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, index])
        scene = index // self.PER_SCENE
        r, c = rng.integers(0, self.images.shape[-1] - self.crop + 1, size=2)
        image = self.images[scene, :, r : r + self.crop, c : c + self.crop]
        codes = self.codes[scene, r : r + self.crop, c : c + self.crop]
        turns, flip = rng.integers(4), rng.integers(2)
        image, codes = np.rot90(image, turns, axes=(1, 2)), np.rot90(codes, turns)
        if flip:
            image, codes = image[:, :, ::-1], codes[:, ::-1]
        gain = rng.normal(1, 0.15) * rng.normal(1, 0.10, size=(len(image), 1, 1))
        image = torch.from_numpy(np.ascontiguousarray(image * gain, dtype=np.float32))
        return _sample(image, torch.from_numpy(codes.copy()))


def _sample(image: Tensor, codes: Tensor) -> dict[str, Tensor]:
    """What a segmentation task reads from a batch."""
    mask = (codes == metrics.THICK) | (codes == metrics.THIN)
    return {"image": image, "mask": mask, "valid": codes != metrics.IGNORE}


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


def train_unet(images: np.ndarray, codes: np.ndarray, config: Sim2Real) -> tuple[UNet, float]:
    """Train a U-Net on simulated scenes; the last `validation_scenes` of them choose the best epoch.

    Args:
        images: (N, C, H, W) float32 reflectance.
        codes: (N, H, W) uint8.
        config: see `Sim2Real`.

    Returns:
        The model, and the seconds that its training took.
    """
    torch.manual_seed(config.seed)
    model = UNet(images.shape[1], width=config.width, depth=config.depth)
    cut = len(images) - config.validation_scenes
    crops = Crops(images[:cut], codes[:cut], config.crop, config.seed)
    drawn = RandomSampler(crops, num_samples=config.crops_per_epoch, generator=torch.Generator())
    train = DataLoader(crops, config.batch_size, sampler=drawn, generator=drawn.generator)
    last = zip(torch.from_numpy(images[cut:]), torch.from_numpy(codes[cut:]), strict=True)
    held_out = [_sample(image, code) for image, code in last]
    started = time.perf_counter()
    fit(model, Segmentation(), train, DataLoader(held_out, 4), FitConfig(
        epochs=config.epochs, learning_rate=config.learning_rate, weight_decay=1e-2, schedule="onecycle",
        max_seconds=config.max_seconds, seed=config.seed,
    ))  # fmt: skip
    return model, time.perf_counter() - started


def score(predict: Callable[[np.ndarray], np.ndarray], scenes: Iterable[LabelledScene], bands: Sequence[str]) -> dict:
    """Score a mask maker on labelled images, all pixels pooled.

    Args:
        predict: maps an image (C, H, W) in `bands` to a mask (H, W) bool.
        scenes: labelled images that have at least `bands`.
        bands: what `predict` looks at.

    Returns:
        Scores by name, each in 0–1: accuracy, cloud_iou, clear_iou, mean_iou, thin_recall (share of thin cloud that was
        found), snow_false_alarms (share of the clear, snow-covered pixels called cloud). None where there is nothing to
        score.
    """
    everywhere = thin = snow = metrics.Counts()
    for scene in scenes:
        pred = predict(scene.image[[scene.bands.index(band) for band in bands]])
        everywhere += metrics.count(pred, scene.mask, scene.valid)
        thin += metrics.count(pred, scene.mask, scene.codes == metrics.THIN)
        snow += metrics.count(pred, scene.mask, is_snow(scene) & (scene.codes == metrics.CLEAR))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", metrics.UndefinedScore)
        values = (
            metrics.accuracy(everywhere), metrics.iou(everywhere), metrics.clear_iou(everywhere),
            metrics.mean_iou(everywhere), metrics.recall(thin), metrics.false_alarm_rate(snow),
        )  # fmt: skip
    return {name: None if math.isnan(value) else value for name, value in zip(SCORES, values, strict=True)}


def is_snow(scene: LabelledScene) -> np.ndarray:
    """Where a scene looks like snow: NDSI above 0.4 and NIR reflectance above 0.11; nowhere if a band is missing.

    Args:
        scene: a labelled image.

    Returns:
        (H, W) bool.

    Source:
        Hall, Riggs, Salomonson (1995), doi:10.1016/0034-4257(95)00137-P.
    """
    if not {GREEN, NIR, SWIR1} <= set(scene.bands):
        return np.zeros(scene.codes.shape, bool)
    green, nir, swir1 = (scene.image[scene.bands.index(band)] for band in (GREEN, NIR, SWIR1))
    total = green + swir1
    ndsi = np.divide(green - swir1, total, out=np.zeros_like(total), where=total > 0)
    return (ndsi > 0.4) & (nir > 0.11)


def landsat8(path: str | Path, bands: Sequence[str] | None = None, config: Sim2Real | None = None) -> dict:
    """Simulate, train, and score a file of labelled images: the U-Net beside the threshold baseline.

    Args:
        path: labelled images in the interchange format of `data.real`.
        bands: names of the bands to use; None takes all that the file has.
        config: see `Sim2Real`; None takes the defaults.

    Returns:
        The scores of `score`, with train_seconds, seed, and under "baseline" the same keys for the threshold rule.

    Raises:
        MissingDataError: there is no such file.
        LayoutError: as `read_labelled_npz`, or the file does not have a band.
        InvalidReflectanceError: as `read_labelled_npz`.

    Source:
        Chapter 11.
    """
    config = config or Sim2Real()
    scenes = read_labelled_npz(path)
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
    unet = score(lambda image: tiled(model, image, tile=512, overlap=128) >= 0.5, scenes, bands)
    return unet | {"train_seconds": seconds, "seed": config.seed, "baseline": baseline | {"seed": config.seed}}


def threshold_rule(images: np.ndarray, codes: np.ndarray, bands: Sequence[str]) -> AllOf:
    """Fit the thresholds in blue and at 1.6 µm that mask simulated scenes best; the first band's without those.

    Args:
        images: (N, C, H, W) float32 reflectance.
        codes: (N, H, W) uint8.
        bands: name of each channel.

    Returns:
        The rule.
    """
    used = [bands.index(band) for band in BASELINE_BANDS if band in bands] or [0]
    valid = codes != metrics.IGNORE
    return AllOf.fit(tuple(used), images, (codes != metrics.CLEAR) & valid, valid)
