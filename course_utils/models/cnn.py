"""A plain convolutional network that keeps the image's size (chapter 08)."""

from torch import Tensor, nn

from course_utils.models.inputs import check_image


class SimpleCNN(nn.Module):
    """A stack of same-padded 3×3 convolutions, batch norm after every second one, and a 1×1 convolution to one logit.

    Each 3×3 layer widens what a pixel sees by one pixel on every side: 10 layers see 21×21 pixels.

    Args:
        channels: number of input channels C.
        width: channels of every hidden layer.
        layers: number of 3×3 convolutions.

    Source:
        Chapter 08.

    Example:
        >>> import torch
        >>> SimpleCNN(12)(torch.zeros(2, 12, 64, 64)).shape
        torch.Size([2, 64, 64])
    """

    def __init__(self, channels: int, width: int = 16, layers: int = 10):
        super().__init__()
        self.channels = channels
        stack = []
        for i in range(layers):
            stack.append(nn.Conv2d(channels if i == 0 else width, width, kernel_size=3, padding=1))
            if i % 2 == 1:
                stack.append(nn.BatchNorm2d(width))
            stack.append(nn.ReLU())
        self.layers = nn.Sequential(*stack, nn.Conv2d(width, 1, kernel_size=1))

    def forward(self, image: Tensor) -> Tensor:
        """Give logits of cloud.

        Args:
            image: (B, C, H, W) float32.

        Returns:
            (B, H, W) float32.

        Raises:
            ValueError: as `inputs.check_image`.
        """
        check_image(image, self.channels)
        return self.layers(image).squeeze(1)
