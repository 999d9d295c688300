"""A classifier for the pixel at the centre of a 32×32 patch (chapter 09)."""

from torch import Tensor, nn

from course_utils.models.inputs import check_image


class PatchClassifier(nn.Module):
    """Three unpadded 5×5 convolutions of 64 channels, two 2×2 poolings, and linear layers 384, 192, `classes`.

    A 32×32 patch shrinks 32 → 28 → 14 → 10 → 5 → 1, so the first linear layer reads one position. That is what lets
    `predict.to_dense` turn the same weights into a network for whole frames.

    Args:
        channels: number of input channels C.
        classes: number of classes.

    Source:
        Chapter 09.

    Example:
        >>> import torch
        >>> PatchClassifier(3)(torch.zeros(8, 3, 32, 32)).shape
        torch.Size([8, 2])
    """

    patch = 32

    def __init__(self, channels: int = 3, classes: int = 2):
        super().__init__()
        self.channels = channels
        self.features = nn.Sequential(
            nn.Conv2d(channels, 64, 5), nn.ReLU(), nn.MaxPool2d(2),  # (B, 64, 14, 14)
            nn.Conv2d(64, 64, 5), nn.ReLU(), nn.MaxPool2d(2),        # (B, 64, 5, 5)
            nn.Conv2d(64, 64, 5), nn.ReLU(),                         # (B, 64, 1, 1)
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Linear(64, 384), nn.ReLU(),
            nn.Linear(384, 192), nn.ReLU(),
            nn.Linear(192, classes),
        )  # fmt: skip

    def forward(self, patches: Tensor) -> Tensor:
        """Give one logit per class.

        Args:
            patches: (B, C, 32, 32) float32.

        Returns:
            (B, classes) float32.

        Raises:
            ValueError: the patches are not 32×32, or as `inputs.check_image`.
        """
        check_image(patches, self.channels)
        if patches.shape[-2:] != (self.patch, self.patch):
            raise ValueError(
                f"found patches of {patches.shape[-2]}×{patches.shape[-1]} pixels, expected {self.patch}×{self.patch}; "
                "cut them around each centre pixel, or use predict.dense for a whole frame"
            )
        return self.head(self.features(patches).flatten(1))
