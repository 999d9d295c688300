"""A convolutional network that sees a whole picture and answers with a few numbers (chapter 08)."""

from itertools import pairwise

from torch import Tensor, nn

from course_utils.models.inputs import check_image

HEADS = ("flatten", "average")


class PictureCNN(nn.Module):
    """Blocks of 3×3 convolution, batch norm, ReLU and 2×2 pooling; then one linear layer.

    Args:
        channels: number of input channels C.
        size: rows and columns of a picture, a multiple of 2 to the number of blocks.
        outputs: how many numbers are asked for: logits of classes, or values.
        widths: channels of each block.
        head: "flatten" gives the linear layer every position of every channel, "average" the mean of each channel.

    Raises:
        ValueError: the size cannot be halved so often, or an unknown head.

    Source:
        Chapter 08.

    Example:
        >>> import torch
        >>> PictureCNN(1, 8, 10)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(self, channels: int, size: int, outputs: int, widths: tuple[int, ...] = (16, 32),
                 head: str = "flatten"):
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"found head={head!r}, expected one of {', '.join(HEADS)}")
        if size % 2 ** len(widths):
            raise ValueError(f"found pictures of {size}×{size} for {len(widths)} poolings, expected a multiple of "
                             f"{2 ** len(widths)}; pad the pictures, or use fewer blocks")
        self.channels, self.size = channels, size
        blocks = []
        for n_in, n_out in pairwise((channels, *widths)):
            blocks += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*blocks)
        left = size // 2 ** len(widths) if head == "flatten" else 1
        self.summary = nn.Flatten() if head == "flatten" else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.linear = nn.Linear(widths[-1] * left**2, outputs)

    def forward(self, image: Tensor) -> Tensor:
        """Give the outputs of each picture.

        Args:
            image: (B, C, size, size) float32.

        Returns:
            (B, outputs) float32.

        Raises:
            ValueError: as `inputs.check_image`, also where the pictures have another size.
        """
        check_image(image, self.channels, side=self.size)
        maps = self.features(image)             # (B, widths[-1], size / 2ⁿ, size / 2ⁿ)
        return self.linear(self.summary(maps))  # (B, outputs)
