"""Any network at a coarser resolution, in a fraction of the time."""

from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.inputs import check_image


class Coarse(nn.Module):
    """A network to which a block of pixels is one pixel; all the block's values come in, as channels.

    Every layer computes `block`² times fewer numbers and sees `block` times as far. The logits are interpolated between
    the middles of the blocks, so an outline is about as fine as a block: enough for masks that a hand drew.

    Args:
        net: maps (B, block² · C, h, w) to logits (B, h, w).
        channels: number of input channels C.
        block: pixels along one side of a block.

    Source:
        Zhang, Zuo & Zhang (2018), arXiv:1710.04026, who remove noise from images so.

    Example:
        >>> import torch
        >>> from course_utils.models.unet import UNet
        >>> Coarse(UNet(4 * 12), channels=12)(torch.zeros(2, 12, 61, 100)).shape
        torch.Size([2, 61, 100])
    """

    def __init__(self, net: nn.Module, channels: int, block: int = 2):
        super().__init__()
        self.net, self.channels, self.block = net, channels, block
        self.factor = block * getattr(net, "factor", 1)  # `predict.tiled` asks for it

    def forward(self, image: Tensor) -> Tensor:
        """Give logits of cloud.

        Args:
            image: (B, C, H, W) float32, any H and W; edges are replicated up to the next multiple of `factor`.

        Returns:
            (B, H, W) float32.

        Raises:
            ValueError: as `inputs.check_image`.
        """
        check_image(image, self.channels)
        height, width = image.shape[-2:]
        whole = F.pad(image, (0, -width % self.factor, 0, -height % self.factor), mode="replicate")
        logits = self.net(F.pixel_unshuffle(whole, self.block))  # (B, H/block, W/block)
        fine = F.interpolate(logits[:, None], scale_factor=self.block, mode="bilinear", align_corners=False)
        return fine[:, 0, :height, :width]
