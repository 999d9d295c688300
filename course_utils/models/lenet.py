"""LeNet's shape for small colour pictures: the network of the tuning challenge (chapter 14)."""

from torch import Tensor, nn

from course_utils.models.inputs import check_image

SIDE = 32


class LeNet(nn.Module):
    """Two convolutions of 5×5 with 6 and 16 channels, each pooled; then linear layers of 120, 84 and the classes.

    Args:
        channels: of a picture.
        classes: how many there are.

    Source:
        LeCun, Bottou, Bengio, Haffner (1998), doi:10.1109/5.726791; with ReLU, max pooling and full connections.

    Example:
        >>> import torch
        >>> LeNet()(torch.zeros(4, 3, 32, 32)).shape, sum(p.numel() for p in LeNet().parameters())
        (torch.Size([4, 10]), 62006)
    """

    def __init__(self, channels: int = 3, classes: int = 10):
        super().__init__()
        self.channels = channels
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Give the logits of each picture.

        Args:
            image: (B, C, 32, 32) float32.

        Returns:
            (B, classes) float32.

        Raises:
            ValueError: as `inputs.check_image`, also where the pictures have another size.
        """
        check_image(image, self.channels, side=SIDE)
        return self.classifier(self.features(image))  # (B, 6, 14, 14), then (B, 16, 5, 5), then (B, classes)
