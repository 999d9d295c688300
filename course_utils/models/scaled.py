"""Inputs of like size for any network (built in chapter 06)."""

from torch import Tensor, nn


class Scaled(nn.Module):
    """A network behind its own scaling: from each channel the mean is taken, and what remains divided by the spread.

    Mean and spread are buffers: saved with the weights, moved with them, never trained. So nobody can forget them, or
    scale other images in another way.

    Args:
        net: maps scaled images to its output.
        pixels: (N, C) float32 pixels of the training part; every channel has at least two different values.

    Raises:
        ValueError: a channel of `pixels` is constant, or `pixels` is no list of pixels.

    Source:
        Chapter 06.

    Example:
        >>> import torch
        >>> from course_utils.models.mlp import PixelMLP
        >>> model = Scaled(PixelMLP(3), torch.rand(100, 3))
        >>> model(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 8, 8])
    """

    def __init__(self, net: nn.Module, pixels: Tensor):
        super().__init__()
        if pixels.ndim != 2 or len(pixels) < 2:
            raise ValueError(f"found pixels of shape {tuple(pixels.shape)}, expected (N, C) with at least two pixels")
        spread = pixels.std(dim=0)
        if not (spread > 0).all():
            flat = (~(spread > 0)).nonzero().flatten().tolist()
            raise ValueError(f"found channels without spread: {flat}; expected values that differ; leave these out")
        self.net = net
        self.factor = getattr(net, "factor", 1)  # of a U-Net: `predict.tiled` asks for it
        self.register_buffer("mean", pixels.mean(dim=0)[:, None, None])  # (C, 1, 1)
        self.register_buffer("spread", spread[:, None, None])  # (C, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Scale, then ask the network.

        Args:
            image: (B, C, H, W) float32.

        Returns:
            What the network gives.
        """
        return self.net((image - self.mean) / self.spread)
