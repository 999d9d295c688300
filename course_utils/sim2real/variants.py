"""Small U-Nets that differ in one thing each: the seed, the bands, the scaling, the random gains."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from course_utils.sensors import LANDSAT8
from course_utils.sim2real.training import Sim2Real, train_unet

# Small, so that eight of them take minutes: 400 steps each, in float32 on every machine.
SMALL = Sim2Real(
    block=1, width=6, depth=3, crop=64, crops_per_epoch=640, epochs=5, max_seconds=3600.0, loss="bce",
    mixed_precision=False,
)  # fmt: skip
MEMBERS = 4                         # trainings that differ in their seed only


class PerImage(nn.Module):
    """A network behind a scaling of its own for every image: mean 0 and spread 1 in each of its bands.

    Args:
        net: maps scaled images to its output.
        pixels: not looked at; here to be called as `Scaled` is.

    Source:
        Chapter 11, which shows what is lost.

    Example:
        >>> model = PerImage(nn.Identity())
        >>> image = torch.tensor([0.1, 0.2, 0.3, 0.4]).reshape(1, 1, 2, 2)
        >>> torch.allclose(model(image), model(2 * image + 0.1), atol=1e-5)
        True
    """

    def __init__(self, net: nn.Module, pixels: Tensor | None = None):
        super().__init__()
        self.net = net
        self.factor = getattr(net, "factor", 1)

    def forward(self, image: Tensor) -> Tensor:
        """Scale every image by itself, then ask the network.

        Args:
            image: (B, C, H, W) float32.

        Returns:
            What the network gives.
        """
        spread, mean = torch.std_mean(image, dim=(-2, -1), keepdim=True)
        return self.net((image - mean) / spread.clamp(min=1e-4))


def unscaled(net: nn.Module, pixels: Tensor) -> nn.Module:
    """Leave reflectances as they are.

    Args:
        net: the network.
        pixels: not looked at.

    Returns:
        The network.
    """
    return net


@dataclass(frozen=True)
class Variant:
    """One of the small U-Nets.

    Attributes:
        config: settings of its training.
        bands: what it looks at.
        scale: as in `train_unet`.
    """

    config: Sim2Real = SMALL
    bands: tuple[str, ...] = LANDSAT8.band_names
    scale: Callable[[nn.Module, Tensor], nn.Module] = Scaled

    def train(self, images: np.ndarray, codes: np.ndarray) -> nn.Module:
        """Train it on simulated scenes.

        Args:
            images: (N, 7, H, W) float32 reflectance in all bands of Landsat-8.
            codes: (N, H, W) uint8.

        Returns:
            The model, for images in `bands`.
        """
        rows = [LANDSAT8.index(band) for band in self.bands]
        return train_unet(images[:, rows], codes, self.config, self.scale)[0].eval()


VARIANTS = {f"member {seed}": Variant(replace(SMALL, seed=seed)) for seed in range(MEMBERS)} | {
    "red, green, blue": Variant(bands=("B4", "B3", "B2")),
    "not scaled": Variant(scale=unscaled),
    "scaled by image": Variant(scale=PerImage),
    "no random gains": Variant(replace(SMALL, gains=(0.0, 0.0))),
}


def empty_ensemble() -> nn.ModuleList:
    """Build the members without their training, to receive recorded weights.

    Returns:
        `MEMBERS` models for images in all bands of Landsat-8.
    """
    blank = torch.tensor([[0.0], [1.0]]).expand(2, len(LANDSAT8.bands))
    return nn.ModuleList(
        Scaled(UNet(len(LANDSAT8.bands), width=SMALL.width, depth=SMALL.depth), blank) for _ in range(MEMBERS)
    )
