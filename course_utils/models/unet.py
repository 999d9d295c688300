"""The U-Net: see coarse to know where you are, see fine to draw the edge (chapter 10)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.inputs import check_image


def double_conv(n_in: int, n_out: int) -> nn.Sequential:
    """Stack two same-padded 3×3 convolutions, each with batch norm and ReLU.

    Args:
        n_in: channels that come in.
        n_out: channels that go out.

    Returns:
        Network that maps (B, n_in, H, W) to (B, n_out, H, W).
    """
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(),
        nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(),
    )  # fmt: skip


class UNet(nn.Module):
    """Encoder and decoder joined by skip connections; one logit per pixel.

    Any image size is accepted: edges are replicated up to the next multiple of `factor`, and the result is cropped.

    Args:
        channels: number of input channels C.
        width: channels at full resolution; each level down doubles them.
        depth: number of times the image is halved; `factor` is `2**depth`.
        skips: whether the decoder sees the encoder's features (chapter 10 measures what they buy).
        upsample: "transpose" (transposed convolution) or "bilinear" (interpolate, then a 3×3 convolution).

    Raises:
        ValueError: an unknown `upsample`.

    Source:
        Ronneberger, Fischer, Brox (2015), doi:10.1007/978-3-319-24574-4_28, with same padding and batch norm.

    Example:
        >>> import torch
        >>> UNet(12)(torch.zeros(2, 12, 60, 100)).shape
        torch.Size([2, 60, 100])
    """

    def __init__(self, channels: int, width: int = 16, depth: int = 3, skips: bool = True, upsample: str = "transpose"):
        super().__init__()
        if upsample not in ("transpose", "bilinear"):
            raise ValueError(f'found upsample={upsample!r}, expected "transpose" or "bilinear"')
        self.channels, self.skips, self.factor = channels, skips, 2**depth
        widths = [width * 2**level for level in range(depth + 1)]  # e.g. 16, 32, 64, 128
        self.encoders = nn.ModuleList(
            double_conv(n_in, n_out) for n_in, n_out in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for n_low, n_high in zip(widths[:0:-1], widths[-2::-1], strict=True):  # (128, 64), (64, 32), (32, 16)
            self.ups.append(self._up(n_low, n_high, upsample))
            self.decoders.append(double_conv(2 * n_high if skips else n_high, n_high))
        self.head = nn.Conv2d(width, 1, kernel_size=1)

    @staticmethod
    def _up(n_low: int, n_high: int, upsample: str) -> nn.Module:
        """Double the resolution and change the number of channels."""
        if upsample == "transpose":
            return nn.ConvTranspose2d(n_low, n_high, kernel_size=2, stride=2)
        return nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Conv2d(n_low, n_high, 3, padding=1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Give logits of cloud.

        Args:
            image: (B, C, H, W) float32, any H and W.

        Returns:
            (B, H, W) float32.

        Raises:
            ValueError: as `inputs.check_image`.
        """
        check_image(image, self.channels)
        height, width = image.shape[-2:]
        x = F.pad(image, (0, -width % self.factor, 0, -height % self.factor), mode="replicate")
        seen = []
        for encoder in self.encoders[:-1]:
            x = encoder(x)  # (B, w·2^level, H/2^level, W/2^level), w the width of the first level
            seen.append(x)
            x = F.max_pool2d(x, 2)
        x = self.encoders[-1](x)  # (B, w·2^depth, H/2^depth, W/2^depth)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            x = up(x)
            skip = seen.pop()
            x = decoder(torch.cat([skip, x], dim=1) if self.skips else x)
        return self.head(x).squeeze(1)[:, :height, :width]
