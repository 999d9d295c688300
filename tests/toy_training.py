"""A training of a second, for tests: small images whose mask is a line through two channels, and a small network."""

import torch
from torch.utils.data import DataLoader

from course_utils.models.mlp import PixelMLP
from course_utils.tasks import Segmentation


def samples(n, seed=0, size=6, channels=3):
    """Images whose mask is a line through two channels, with some invalid pixels, unequal from item to item."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(n, channels, size, size, generator=generator)
    mask = image[:, 0] + image[:, 1] > 1
    valid = torch.rand(n, size, size, generator=generator) < torch.linspace(0.2, 1, n)[:, None, None]
    return [{"image": image[i], "mask": mask[i], "valid": valid[i]} for i in range(n)]


def loaders(batch_size=4):
    """Eighteen images to train on, shuffled, and seven to validate."""
    generator = torch.Generator()
    return (
        DataLoader(samples(18), batch_size, shuffle=True, generator=generator),
        DataLoader(samples(7, seed=1), batch_size),
    )


def model(seed=0, **options):
    """A network with the weights that belong to a seed."""
    torch.manual_seed(seed)
    return PixelMLP(3, hidden=(8,), **options)


def same_weights(a, b):
    """Whether two networks are equal bit for bit."""
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


class Interrupted(Segmentation):
    """A task that is killed at one call of its loss; an epoch of `loaders` has 5 to train and 2 to validate."""

    def __init__(self, at):
        super().__init__()
        self.left = at

    def loss(self, output, batch):
        self.left -= 1
        return super().loss(output, batch) if self.left else self.disturb()

    def disturb(self):
        raise KeyboardInterrupt
