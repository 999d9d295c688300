"""Wrong answers to the exercises of chapter 09, each with words that its message must contain."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def own_weights(linear, channels, side):
    return nn.Conv2d(channels, linear.out_features, side)


def conv(linear, channels, side, shape=None, change=lambda weight: weight, bias=True, **options):
    layer = nn.Conv2d(channels, linear.out_features, side, bias=bias, **options)
    weight = linear.weight.detach().reshape(shape or (-1, channels, side, side))
    layer.weight.data = change(weight).contiguous()
    if bias:
        layer.bias.data = linear.bias.detach()
    return layer


def weighted(mask, valid, weigh, everywhere=False):
    place = np.arange(len(mask)) - (len(mask) - 1) / 2
    down, right = np.meshgrid(place, place, indexing="ij")
    zenith = np.maximum(np.hypot(down, right) * np.pi / (0.97 * len(mask)), 1e-9)
    weight = weigh(zenith)
    return (weight * mask).sum() / (weight.sum() if everywhere else weight[valid].sum())


def patchwise(classify, frame, above=(16, 16), mode="reflect"):
    height, width = frame.shape[1:]
    edges = (above[1], 31 - above[1], above[0], 31 - above[0])
    padded = F.pad(frame[None], edges, mode=mode)[0]
    rows = []
    for r in range(height):
        patches = torch.stack([padded[:, r:r + 32, c:c + 32] for c in range(width)])
        rows.append(classify(patches).T)
    return torch.stack(rows, dim=1)


def quantile(prob, mask, share=lambda cloud: 1 - cloud):
    return float(np.quantile(prob, share(mask.mean())))


WRONG = {
    "saved": [
        ((28, 10, 1, 1), "rows and columns"),
        ((1024, 196, 25, 1), "not of its input"),
        ((1, 1, 1, 1), "share nearly all their pixels"),
        ((784, 100), "four numbers in one tuple"),
    ],
    "places": [
        ((56, 16, 236), "one post more than gaps"),
        ((57, 15, 239), "rows count from 0"),
        ((57, 0, 224), "not their middles"),
        ((64, 0, 252), "nothing is padded"),
    ],
    "linear_to_conv": [
        (own_weights, "weights of its own"),
        (lambda linear, channels, side: conv(linear, channels, side, (-1, side, side, channels),
                                             lambda weight: weight.movedim(-1, 1)), "channels last to first"),
        (lambda linear, channels, side: conv(linear, channels, side, change=lambda weight: weight.transpose(2, 3)),
         "rows and columns of the kernel"),
        (lambda linear, channels, side: conv(linear, channels, side, change=lambda weight: weight.flip(2, 3)),
         "does not flip"),
        (lambda linear, channels, side: conv(linear, channels, side, bias=False), "the bias is missing"),
        (lambda linear, channels, side: conv(linear, channels, side, stride=side), "by one pixel at a time"),
        (lambda linear, channels, side: conv(linear, channels, side, padding=side // 2), "the padding"),
        (lambda linear, channels, side: linear.weight, "a convolution"),
    ],
    "cloud_fraction": [
        (lambda mask, valid: mask.sum() / valid.sum(), "the share of the picture"),
        (lambda mask, valid: weighted(mask, valid, np.sin), "only a part of its ring"),
        (lambda mask, valid: weighted(mask, valid, np.cos), "level ground"),
        (lambda mask, valid: weighted(mask, valid, lambda z: np.sin(z) / z, everywhere=True), "counted as clear sky"),
        (lambda mask, valid: weighted(mask, valid, lambda z: np.sin(z) / z), "cloud outside of the visible sky"),
        (lambda mask, valid: weighted(mask, valid, lambda z: 1 / z), "the zenith angle"),
    ],
    "threshold": [
        (lambda prob, mask: 0.5, "the more likely class"),
        (lambda prob, mask: quantile(prob, mask, lambda cloud: cloud), "the clear share lies below"),
        (lambda prob, mask: float(mask.mean()), "the share itself"),
        (lambda prob, mask: np.array([0.5, 0.5]), "one threshold for all pixels"),
    ],
    "bug_hunt": [
        (lambda classify, frame: patchwise(classify, frame, (15, 15)), "along both axes"),
        (lambda classify, frame: patchwise(classify, frame, (16, 15)), "the columns are still moved"),
        (lambda classify, frame: patchwise(classify, frame, (15, 16)), "the rows are still moved"),
        (lambda classify, frame: patchwise(classify, frame)[:, 1:], "one column of answers for each pixel"),
        (lambda classify, frame: patchwise(classify, frame, mode="constant"), "reflected beyond the frame's edge"),
        (lambda classify, frame: frame, "ask the classifier about each patch"),
    ],
}
