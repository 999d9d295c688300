"""Changes that leave the truth true: batches that are never twice the same (built in chapter 10)."""

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader

Batch = dict[str, Tensor]
Change = Callable[[Batch, Generator], Batch]

GRIDS = ("image", "mask", "valid", "codes")         # the entries of a sample whose last two axes are rows and columns


class Augmented:
    """A loader whose batches are changed at random, each time anew.

    All randomness comes from the loader's own generator, which `train.fit` seeds in every epoch: a resumed training
    meets the same batches.

    Args:
        loader: DataLoader of dictionaries, with a generator.
        changes: each is called as change(batch, generator) and gives the changed batch; applied in order.

    Raises:
        ValueError: the loader has no generator.

    Source:
        Chapter 10.

    Example:
        >>> batches = [{"image": torch.rand(1, 4, 4)}] * 6
        >>> loader = DataLoader(batches, batch_size=2, shuffle=True, generator=torch.Generator().manual_seed(0))
        >>> [batch["image"].shape for batch in Augmented(loader, turned)][-1]
        torch.Size([2, 1, 4, 4])
    """

    def __init__(self, loader: DataLoader, *changes: Change):
        if loader.generator is None:
            raise ValueError("found a loader without a generator, expected one: DataLoader(..., generator=...)")
        self.loader, self.changes, self.generator = loader, changes, loader.generator

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.loader:
            for change in self.changes:
                batch = change(batch, self.generator)
            yield batch


def turned(batch: Batch, generator: Generator) -> Batch:
    """Turn a batch by a random quarter turn and perhaps flip it: image, mask, valid and codes together.

    A satellite image has no top, so each of the eight results is as likely as the original.

    Args:
        batch: entries of square images, (B, C, H, H) or (B, H, H); others are passed on.
        generator: source of the two draws.

    Returns:
        A new batch; the whole of it is turned in the same way.

    Raises:
        ValueError: the images are not square, so that a quarter turn would change their shape.

    Example:
        >>> batch = {"image": torch.zeros(2, 3, 8, 8), "mask": torch.zeros(2, 8, 8), "scene": torch.arange(2)}
        >>> {name: tuple(value.shape) for name, value in turned(batch, Generator().manual_seed(0)).items()}
        {'image': (2, 3, 8, 8), 'mask': (2, 8, 8), 'scene': (2,)}
    """
    height, width = batch["image"].shape[-2:]
    if height != width:
        raise ValueError(f"found images of {height}×{width} pixels, expected square ones; crop them first")
    turns = int(torch.randint(4, (), generator=generator))
    flip = int(torch.randint(2, (), generator=generator))

    def change(grid: Tensor) -> Tensor:
        grid = torch.rot90(grid, turns, dims=(-2, -1))
        return grid.flip(-1) if flip else grid

    return {name: change(value) if name in GRIDS else value for name, value in batch.items()}


def brightened(batch: Batch, generator: Generator, overall: float = 0.10, band: float = 0.05) -> Batch:
    """Multiply each image by a random factor, and each of its bands by another one.

    Calibrations, sun angles and spectra differ, so a model should not rely on the exact brightness.

    Args:
        batch: "image" is (B, C, H, W) float32; other entries are passed on.
        generator: source of the factors.
        overall: standard deviation of the factor of a whole image, around 1.
        band: standard deviation of the factor of one of its bands, around 1.

    Returns:
        A new batch.

    Example:
        >>> bright = brightened({"image": torch.ones(1, 2, 4, 4)}, Generator().manual_seed(0))["image"]
        >>> bool((bright[0, 0] == bright[0, 0, 0, 0]).all()), bool((bright[0, 0] == bright[0, 1]).any())
        (True, False)
    """
    image = batch["image"]
    whole = 1 + overall * torch.randn(len(image), 1, 1, 1, generator=generator)
    each = 1 + band * torch.randn(*image.shape[:2], 1, 1, generator=generator)
    return {**batch, "image": image * (whole * each).to(image.device)}
