"""What every experiment shares: its settings, and a U-Net trained on random crops of simulated images."""

import copy
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, Dataset, RandomSampler
from tqdm import tqdm

from course_utils import losses
from course_utils.codes import IGNORE, is_cloud
from course_utils.models.coarse import Coarse
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, evaluate, fit, train_epoch

REHEARSED = 8       # batches that tell how fast a machine is


@dataclass(frozen=True)
class Sim2Real:
    """Settings of the experiment.

    Attributes:
        scenes: simulated scenes to train on.
        validation_scenes: further simulated scenes that choose the best epoch.
        seed: of the scenes, the weights and the training.
        block: pixels along one side of what is a pixel to the U-Net (`models.coarse`); 1 is full resolution.
        width: channels of the U-Net at its finest resolution.
        depth: how often it halves the image.
        crop: side of the training crops, pixels.
        crops_per_epoch: random crops in an epoch.
        epochs: how many epochs, or as many as fit into `max_seconds`.
        batch_size: crops in a batch.
        learning_rate: peak of the one-cycle schedule.
        max_seconds: what a training may take: on a slow machine fewer epochs are planned (`epochs_in_time`).
        gains: spread of the factors that scale a crop: of one for all bands, and of one for each.
        loss: which one of `course_utils.losses`, by name.
        mixed_precision: as in `train.FitConfig`.
    """

    scenes: int = 300
    validation_scenes: int = 20
    seed: int = 0
    block: int = 2
    width: int = 16
    depth: int = 3
    crop: int = 96
    crops_per_epoch: int = 1216
    epochs: int = 16
    batch_size: int = 8
    learning_rate: float = 4e-3
    max_seconds: float = 80.0
    gains: tuple[float, float] = (0.15, 0.10)
    loss: str = "bce_dice"
    mixed_precision: bool = True


class Crops(Dataset):
    """Square crops of simulated scenes, turned and flipped, each band scaled at random.

    Calibrations and spectra of real scenes differ from simulated ones, so the model must not rely on them.
    Item i is always the same crop; a training draws from them without running out.

    Args:
        images: (N, C, H, W) float32 reflectance.
        codes: (N, H, W) uint8.
        crop: side of a crop, pixels.
        seed: of the crops' places, turns and gains.
        gains: spread of the factors that scale a crop: of one for all bands, and of one for each.
    """

    PER_SCENE = 1000

    def __init__(self, images: np.ndarray, codes: np.ndarray, crop: int, seed: int,
                 gains: tuple[float, float] = Sim2Real.gains):
        self.images, self.codes = images, codes
        self.crop, self.seed, self.gains = crop, seed, gains

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
        gain = rng.normal(1, self.gains[0]) * rng.normal(1, self.gains[1], size=(len(image), 1, 1))
        image = torch.from_numpy(np.ascontiguousarray(image * gain, dtype=np.float32))
        return _sample(image, torch.from_numpy(codes.copy()))


def _sample(image: Tensor, codes: Tensor) -> dict[str, Tensor]:
    """What a segmentation task reads from a batch."""
    return {"image": image, "mask": is_cloud(codes), "valid": codes != IGNORE}


def train_unet(
    images: np.ndarray, codes: np.ndarray, config: Sim2Real, scale: Callable[[nn.Module, Tensor], nn.Module] = Scaled
) -> tuple[nn.Module, float]:
    """Train a U-Net on simulated scenes; the last `validation_scenes` of them choose the best epoch.

    Args:
        images: (N, C, H, W) float32 reflectance.
        codes: (N, H, W) uint8.
        config: see `Sim2Real`.
        scale: puts the network behind a scaling of its inputs, given some training pixels (N, C).

    Returns:
        The model, which scales its own inputs, and the seconds that its training took.
    """
    torch.manual_seed(config.seed)
    cut = len(images) - config.validation_scenes
    some = images[:cut, :, ::8, ::8].swapaxes(0, 1)[:, codes[:cut, ::8, ::8] != IGNORE]  # (C, N)
    model = scale(unet(images.shape[1], config), torch.from_numpy(some.T))
    model = model.to(memory_format=torch.channels_last)     # the layout that convolutions are fastest in
    crops = Crops(images[:cut], codes[:cut], config.crop, config.seed, config.gains)
    drawn = RandomSampler(crops, num_samples=config.crops_per_epoch, generator=torch.Generator())
    train = DataLoader(crops, config.batch_size, sampler=drawn, generator=drawn.generator)
    last = zip(torch.from_numpy(images[cut:]), torch.from_numpy(codes[cut:]), strict=True)
    held_out = [_sample(image, code) for image, code in last]
    task, validation = Segmentation(getattr(losses, config.loss)), DataLoader(held_out, 4)
    started = time.perf_counter()
    epochs = epochs_in_time(model, task, train, validation, config)
    fit(model, task, train, validation, FitConfig(
        epochs=epochs, learning_rate=config.learning_rate, weight_decay=1e-2, schedule="onecycle",
        max_seconds=config.max_seconds, mixed_precision=config.mixed_precision, seed=config.seed,
    ))  # fmt: skip
    return model, time.perf_counter() - started


def unet(channels: int, config: Sim2Real) -> nn.Module:
    """Build the U-Net of some settings.

    Args:
        channels: number of input channels.
        config: see `Sim2Real`.

    Returns:
        Network that maps (B, C, H, W) to logits (B, H, W).
    """
    if config.block == 1:
        return UNet(channels, width=config.width, depth=config.depth)
    inside = UNet(channels * config.block**2, width=config.width, depth=config.depth)
    return Coarse(inside, channels, config.block)


def epochs_in_time(
    model: nn.Module, task: Segmentation, train: DataLoader, validation: DataLoader, config: Sim2Real
) -> int:
    """Plan as many epochs as this machine can train in `config.max_seconds`, and say so if they are fewer than wished.

    One-cycle training ends with small steps; stopped halfway by the clock, it would end with steps near its largest.
    So a copy of the model rehearses some batches first. A machine that then slows down is still stopped by the clock.

    Args:
        model: what is to be trained; left as it is.
        task: as in `train.fit`.
        train: as in `train.fit`.
        validation: as in `train.fit`.
        config: see `Sim2Real`.

    Returns:
        Number of epochs, from 1 to `config.epochs`.
    """
    model = copy.deepcopy(model)
    optimizer = optim.AdamW(model.parameters(), lr=1e-4)
    still = optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    batches, seconds = iter(train), []
    for _ in range(min(REHEARSED, len(train))):
        started = time.perf_counter()
        train_epoch(model, task, islice(batches, 1), optimizer, still, config.mixed_precision)
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    evaluate(model, task, islice(validation, 1), config.mixed_precision)
    looked = time.perf_counter() - started
    epoch = len(train) * statistics.median(seconds) + len(validation) * looked
    epochs = int(np.clip(config.max_seconds / epoch, 1, config.epochs))
    if epochs < config.epochs:
        tqdm.write(f"this machine trains {epochs} of {config.epochs} epochs in {config.max_seconds:.0f} s", sys.stderr)
    return epochs
