"""A perceptron that sees one pixel at a time (chapter 04)."""

from itertools import pairwise

from torch import Tensor, nn

from course_utils.models.inputs import check_image


class PixelMLP(nn.Module):
    """Multi-layer perceptron applied to every pixel alone: no pixel sees its neighbours.

    With `hidden=()` it is logistic regression (chapter 03).

    Args:
        channels: number of input channels C.
        hidden: width of each hidden layer.

    Source:
        Chapter 04.

    Example:
        >>> import torch
        >>> PixelMLP(12)(torch.zeros(2, 12, 64, 64)).shape
        torch.Size([2, 64, 64])
    """

    def __init__(self, channels: int, hidden: tuple[int, ...] = (32, 32, 32, 32, 32)):
        super().__init__()
        self.channels = channels
        widths = (channels, *hidden)
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, image: Tensor) -> Tensor:
        """Give logits of cloud.

        Args:
            image: (B, C, H, W) float32, or pixels (N, C).

        Returns:
            (B, H, W) float32, or (N,).

        Raises:
            ValueError: as `inputs.check_image`.
        """
        check_image(image, self.channels, pixels=True)
        pixels = image.movedim(1, -1)  # (B, H, W, C): a linear layer works on the last dimension
        return self.layers(pixels).squeeze(-1)  # (B, H, W)
