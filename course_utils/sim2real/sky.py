"""Pictures of the sky: simulated photographs and all-sky frames to train on, a folder of labelled ones to score."""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.codes import CLEAR, CLOUD, IGNORE, OUTSIDE, THICK
from course_utils.data.real import LabelledScene
from course_utils.data.sky import SkyPicture, read_sky_folder, simulate_pictures
from course_utils.models.threshold import Threshold
from course_utils.sensors import RGB
from course_utils.sim2real.scores import score
from course_utils.sim2real.training import Sim2Real, train_unet

SIDE = 96                   # pixels along the longer side of what the model looks at
EVEN = 0.5                  # probability from which a pixel is cloud: in a cloud fraction both mistakes weigh the same
# Cameras are drawn with every picture, so crops are scaled little: red beside blue is what tells cloud from sky.
SKY = Sim2Real(
    scenes=480, validation_scenes=32, block=1, width=8, depth=4, crop=80, crops_per_epoch=512, epochs=14,
    gains=(0.05, 0.02), loss="bce",
)  # fmt: skip


def training_codes(codes: np.ndarray) -> np.ndarray:
    """Translate the codes of sky pictures into those that all trainings and scores use.

    Args:
        codes: (H, W) uint8, 100 sky, 255 cloud, 0 outside.

    Returns:
        (H, W) uint8, 0 clear, 1 thick cloud, 255 ignore.
    """
    return np.select([codes == CLOUD, codes == OUTSIDE], [np.uint8(THICK), np.uint8(IGNORE)], np.uint8(CLEAR))


def simulated_pictures(count: int, seed: int, workers: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Simulate pictures as arrays.

    Args:
        count: how many.
        seed: which series.
        workers: processes that share the work.

    Returns:
        Images (N, 3, SIDE, SIDE) float32, 0–1, and codes (N, SIDE, SIDE) uint8: 0 clear, 1 cloud, 255 outside.
    """
    pictures = simulate_pictures(range(count), seed, SIDE, workers, progress=True)
    return np.stack([one.image for one in pictures]), np.stack([training_codes(one.codes) for one in pictures])


def red_blue_ratio(image: np.ndarray) -> np.ndarray:
    """How red a pixel is beside its blue: near 1 for cloud, which is white, and less for the sky.

    Args:
        image: (3, H, W) or (B, 3, H, W), 0–1: red, green, blue.

    Returns:
        (1, H, W) or (B, 1, H, W); 1 where there is no blue.

    Source:
        Long, Sabburg, Calbó & Pagès, Journal of Atmospheric and Oceanic Technology 23 (2006), 633.
    """
    red, blue = image[..., :1, :, :], image[..., 2:, :, :]
    return np.divide(red, blue, out=np.ones_like(red), where=blue > 0)


@torch.no_grad()
def predict_picture(model: nn.Module, image: np.ndarray) -> np.ndarray:
    """Probability of cloud for a picture of any size: shrunk to `SIDE`, predicted, and enlarged again.

    Args:
        model: maps (B, 3, h, w) to logits (B, h, w). Put into eval mode.
        image: (3, H, W) float32, 0–1.

    Returns:
        (H, W) float32, 0–1.
    """
    model.eval()
    height, width = image.shape[1:]
    scale = SIDE / max(height, width)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    small = F.interpolate(torch.from_numpy(image)[None], size, mode="bilinear", antialias=True, align_corners=False)
    prob = model(small).sigmoid()[None]
    return F.interpolate(prob, size=(height, width), mode="bilinear", align_corners=False)[0, 0].numpy()


def sky(folder: str | Path, config: Sim2Real | None = None) -> dict:
    """Simulate, train, and score a folder of labelled sky pictures: the U-Net beside the red–blue ratio.

    Args:
        folder: labelled pictures in the layout of `data.sky`.
        config: see `Sim2Real`; None takes `SKY`.

    Returns:
        As `landsat8`; ``thin_recall`` and ``snow_false_alarms`` are None, because the pictures' codes tell neither.

    Raises:
        MissingDataError: as `read_sky_folder`.
        LayoutError: as `read_sky_folder`.

    Source:
        Chapter 09.
    """
    config = config or SKY
    scenes = [_labelled(picture) for picture in read_sky_folder(folder)]
    images, codes = simulated_pictures(config.scenes + config.validation_scenes, config.seed)

    started = time.perf_counter()
    rule = ratio_rule(images, codes)
    baseline = score(lambda image: rule.predict(red_blue_ratio(image)), scenes, RGB.band_names)
    baseline |= {"train_seconds": time.perf_counter() - started, "seed": config.seed}
    model, seconds = train_unet(images, codes, config)
    unet = score(lambda image: predict_picture(model, image) >= EVEN, scenes, RGB.band_names)
    return unet | {"train_seconds": seconds, "seed": config.seed, "baseline": baseline}


def ratio_rule(images: np.ndarray, codes: np.ndarray) -> Threshold:
    """Fit the red–blue ratio above which simulated pictures are cloud; every fourth row and column is looked at.

    Args:
        images: (N, 3, H, W) float32.
        codes: (N, H, W) uint8, 0 clear, 1 cloud, 255 ignore.

    Returns:
        The rule, for what `red_blue_ratio` gives.
    """
    some = codes[:, ::4, ::4]
    return Threshold.fit(0, red_blue_ratio(images[..., ::4, ::4]), some == THICK, some != IGNORE)


def _labelled(picture: SkyPicture) -> LabelledScene:
    """A picture as the scores want it."""
    return LabelledScene(picture.name, picture.image, training_codes(picture.codes), RGB.name, RGB.band_names)
