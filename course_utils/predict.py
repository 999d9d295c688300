"""Predictions for images larger than a patch: `tiled` for whole granules, `dense` for a patch classifier on a frame."""

from itertools import product

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.inputs import check_image
from course_utils.models.patch_classifier import PatchClassifier


@torch.no_grad()
def tiled(
    model: nn.Module, image: np.ndarray, tile: int = 256, overlap: int = 64, margin: int = 0, batch_size: int = 4
) -> np.ndarray:
    """Probability of cloud for an image of any size, predicted tile by tile and blended where tiles overlap.

    A pixel near a tile's edge sees less of its surroundings than the model would like. Its weight in the blend is 0
    within `margin` pixels of an inner edge and grows linearly to 1 across the overlap. With `margin` at least the
    radius of the model's receptive field, the result is that of predicting the whole image at once.

    Where a band is not a finite number nothing was measured: the model sees zeros there, as in the course's data, and
    the result is nan, there and nowhere else.

    Args:
        model: maps images (B, C, h, w) to logits (B, h, w); its attribute `factor`, if any, is the multiple by which
            it pools, and tiles are laid on that grid. Put into eval mode.
        image: float32 (C, H, W), also memory-mapped: only one batch of tiles is read at a time.
        tile: side of a tile in pixels, a multiple of `factor`.
        overlap: pixels shared by neighbouring tiles, a multiple of `factor`, smaller than the tile; 0 shows the seams.
        margin: pixels ignored along every inner edge of a tile, less than half the overlap.
        batch_size: tiles predicted at once; beyond the result, memory grows with tile², not with the image.

    Returns:
        float32 (H, W) in 0–1; nan where nothing was measured.

    Raises:
        ValueError: the image is not (C, H, W) of floating-point numbers, or the sizes do not fit together; the message
            names sizes that do.

    Source:
        Chapter 11.

    Example:
        >>> from course_utils.models.unet import UNet
        >>> tiled(UNet(3, width=4), np.zeros((3, 300, 500), np.float32)).shape
        (300, 500)
    """
    factor, image = getattr(model, "factor", 1), np.asarray(image)
    _check_image(image)
    _check_tiling(tile, overlap, margin, factor, batch_size)
    rows = _Axis(image.shape[1], tile, overlap, margin, factor)
    columns = _Axis(image.shape[2], tile, overlap, margin, factor)
    device = next(model.parameters()).device
    model.eval()

    total = np.zeros(image.shape[1:], np.float32)
    tiles = list(product(rows.tiles, columns.tiles))
    for first in range(0, len(tiles), batch_size):
        places = tiles[first : first + batch_size]
        pieces = np.stack(
            [_padded(image[:, r.start : r.stop, c.start : c.stop], rows.side, columns.side) for r, c in places]
        )
        measured = np.isfinite(pieces).all(axis=1)  # (b, tile, tile)
        pieces = np.where(measured[:, None], pieces, np.float32(0))
        prob = model(torch.from_numpy(pieces).to(device)).sigmoid().cpu().numpy()  # (b, tile, tile)
        prob = np.where(measured, prob, np.float32(np.nan))
        for p, (r, c) in zip(prob, places, strict=True):
            weight = np.outer(rows.weight(r), columns.weight(c))  # (h, w)
            total[r.start : r.stop, c.start : c.stop] += p[: len(r), : len(c)] * weight
    return total / np.outer(rows.total_weight(), columns.total_weight())


class _Axis:
    """Where tiles lie along one axis of an image, and how much each of their pixels counts."""

    def __init__(self, length: int, tile: int, overlap: int, margin: int, factor: int):
        self.length, self.overlap, self.margin = length, overlap, margin
        self.side = min(tile, -(-length // factor) * factor)  # an image smaller than a tile is one tile
        last = -(-max(length - self.side, 0) // factor) * factor
        starts = [*range(0, last, tile - overlap), last]
        self.tiles = [range(start, min(start + self.side, length)) for start in starts]

    def weight(self, tile: range) -> np.ndarray:
        """Weight of each pixel of a tile: 1 inside, falling to 0 towards edges that are not the image's own."""
        middle = np.arange(tile.start, tile.stop) + 0.5
        before = middle - tile.start if tile.start > 0 else np.inf
        after = tile.stop - middle if tile.stop < self.length else np.inf
        ramp = max(self.overlap - 2 * self.margin, 1e-6)
        return np.clip((np.minimum(before, after) - self.margin) / ramp, 0, 1) * np.ones(len(tile))

    def total_weight(self) -> np.ndarray:
        """Sum of all tiles' weights along the axis."""
        total = np.zeros(self.length)
        for tile in self.tiles:
            total[tile.start : tile.stop] += self.weight(tile)
        return total.astype(np.float32)


def _padded(piece: np.ndarray, height: int, width: int) -> np.ndarray:
    """The piece with its last row and column repeated up to the size, as a model that pools would pad it."""
    missing = ((0, 0), (0, height - piece.shape[1]), (0, width - piece.shape[2]))
    return np.pad(np.asarray(piece, dtype=np.float32), missing, mode="edge")


def _check_image(image: np.ndarray) -> None:
    """Refuse what is no image of reflectances."""
    if image.ndim != 3 or 0 in image.shape:
        raise ValueError(f"found an image of shape {image.shape}, expected (C, H, W), none of them 0")
    if image.dtype.kind != "f":
        raise ValueError(
            f"found an image of {image.dtype}, expected float32 reflectance; "
            "turn bytes into reflectance with data.patches.decode"
        )


def _check_tiling(tile: int, overlap: int, margin: int, factor: int, batch_size: int) -> None:
    """Refuse sizes that do not fit together, and name the next that do."""
    if batch_size < 1:
        raise ValueError(f"found batch_size={batch_size}, expected 1 or more")
    if tile % factor or overlap % factor or tile <= 0:
        fit_tile, fit_overlap = (max(-(-n // factor), 0) * factor for n in (tile, overlap))
        raise ValueError(
            f"found tile={tile}, overlap={overlap}, expected multiples of the model's factor {factor}; "
            f"the next are tile={max(fit_tile, factor)}, overlap={fit_overlap}"
        )
    if not 0 <= overlap < tile:
        raise ValueError(
            f"found tile={tile}, overlap={overlap}, expected 0 ≤ overlap < tile; "
            f"an overlap of {max(overlap, 0)} needs a tile of {(max(overlap, 0) // factor + 1) * factor} or more"
        )
    if margin < 0 or (margin and 2 * margin >= overlap):
        raise ValueError(
            f"found overlap={overlap}, margin={margin}, expected 0 ≤ 2·margin < overlap; "
            f"a margin of {margin} needs an overlap of {(2 * max(margin, 0) // factor + 1) * factor} or more"
        )


def to_dense(classifier: PatchClassifier) -> nn.Sequential:
    """The same weights as a network for whole frames: one output for every position of the 32×32 patch.

    Linear layers become 1×1 convolutions. Pooling keeps every position (stride 1); what it would have skipped is
    skipped by the layers behind it instead, whose dilation doubles with each pooling.

    Args:
        classifier: a patch classifier, trained or not; its weights are shared, not copied.

    Returns:
        Network that maps (B, C, H, W) to logits (B, classes, H − 31, W − 31).

    Source:
        Chapter 09; Li, Zhao, Wang (2014), arXiv:1412.4526, who call dilated kernels d-regularly sparse.
    """
    layers, dilation = [], 1
    for layer in classifier.features:
        if isinstance(layer, nn.Conv2d):
            conv = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, dilation=dilation)
            conv.weight, conv.bias = layer.weight, layer.bias
            layers.append(conv)
        elif isinstance(layer, nn.MaxPool2d):
            layers.append(nn.MaxPool2d(layer.kernel_size, stride=1, dilation=dilation))
            dilation *= layer.stride
        else:
            layers.append(layer)
    for layer in classifier.head:
        if isinstance(layer, nn.Linear):
            conv = nn.Conv2d(layer.in_features, layer.out_features, kernel_size=1)
            conv.weight, conv.bias = nn.Parameter(layer.weight[:, :, None, None]), layer.bias
            layers.append(conv)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


@torch.no_grad()
def dense(classifier: PatchClassifier, frame: Tensor, strip: int = 64) -> Tensor:
    """What a patch classifier says of every pixel of a frame, computed for all pixels together.

    The pixel at row r, column c is the centre of the patch of rows r − 16 … r + 15 and columns c − 16 … c + 15; beyond
    the frame's edge the frame is reflected.

    Args:
        classifier: put into eval mode.
        frame: float (C, H, W), at least 17×17.
        strip: rows computed at once; memory grows with strip × W.

    Returns:
        Logits (classes, H, W), on the frame's device.

    Raises:
        ValueError: the frame is not (C, H, W), too small to be reflected, or holds a number that is not finite;
            or a strip has no row.

    Source:
        Chapter 09.

    Example:
        >>> dense(PatchClassifier(3), torch.zeros(3, 100, 120)).shape
        torch.Size([2, 100, 120])
    """
    half = classifier.patch // 2
    if strip < 1:
        raise ValueError(f"found strip={strip}, expected 1 row or more")
    if frame.ndim != 3 or min(frame.shape[1:]) <= half:
        raise ValueError(f"found a frame of shape {tuple(frame.shape)}, expected (C, H, W) with H and W above {half}")
    check_image(frame[None], classifier.channels)
    if not frame.isfinite().all():
        raise ValueError(
            f"found {int((~frame.isfinite()).sum())} numbers in the frame that are not finite, expected none; "
            "set them to 0, and leave their surroundings out of what you count"
        )
    network = to_dense(classifier).eval()
    padded = F.pad(frame[None], (half, half - 1, half, half - 1), mode="reflect")  # (1, C, H + 31, W + 31)
    strips = [
        network(padded[:, :, top : top + strip + classifier.patch - 1]) for top in range(0, frame.shape[1], strip)
    ]
    return torch.cat(strips, dim=2)[0]  # (classes, H, W)
