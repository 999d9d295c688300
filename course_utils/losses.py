"""Losses for masks. Each takes logits, not probabilities, and averages over valid pixels only.

All share one form: `loss(logits, mask, valid=None)` with logits float (B, H, W) or (N,), and mask (true = cloud) and
valid bool of the same shape; the result is a scalar. Where nothing is valid the loss is zero, its gradient is zero, and
a warning says so.
"""

import warnings

import torch
from torch import Tensor
from torch.nn import functional as F


class NothingValid(UserWarning):
    """A batch held no valid pixel, so it could teach nothing."""


def _check(logits: Tensor, mask: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
    """The mask and the validity as floats, of the logits' shape."""
    if valid is None:
        valid = torch.ones_like(mask, dtype=torch.bool)
    if not logits.shape == mask.shape == valid.shape:
        raise ValueError(
            f"found logits {tuple(logits.shape)}, mask {tuple(mask.shape)}, valid {tuple(valid.shape)}; "
            "expected one shape for all three (a channel dimension of 1 is removed with squeeze(1))"
        )
    if not valid.any():
        warnings.warn("found no valid pixel in this batch; the loss is set to 0", NothingValid, stacklevel=3)
    return mask.to(logits.dtype), valid.to(logits.dtype)


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean over valid pixels; invalid values are replaced before the sum, so that a NaN there cannot spread."""
    return torch.where(valid > 0, values, 0.0).sum() / valid.sum().clamp(min=1)


def bce(logits: Tensor, mask: Tensor, valid: Tensor | None = None, pos_weight: float = 1.0) -> Tensor:
    """Binary cross-entropy, −[w·y·log p + (1 − y)·log(1 − p)] with p = sigmoid(logit), averaged over valid pixels.

    Args:
        logits: float (B, H, W) or (N,).
        mask: bool, same shape; true = cloud.
        valid: bool, same shape; None means all valid.
        pos_weight: w, how much more a missed cloud costs than a false alarm.

    Returns:
        Scalar, in nats per pixel; 0 where nothing is valid.

    Raises:
        ValueError: the shapes differ.

    Source:
        Chapter 03, derived from the Bernoulli likelihood.

    Example:
        >>> bce(torch.zeros(4), torch.tensor([True, False, True, False]))   # log 2
        tensor(0.6931)
    """
    return _bce(logits, *_check(logits, mask, valid), pos_weight)


def _bce(logits: Tensor, y: Tensor, w: Tensor, pos_weight: float = 1.0) -> Tensor:
    """Binary cross-entropy of what has been checked."""
    per_pixel = F.binary_cross_entropy_with_logits(
        logits, y, reduction="none", pos_weight=logits.new_tensor(pos_weight)
    )
    return _mean(per_pixel, w)


def dice(logits: Tensor, mask: Tensor, valid: Tensor | None = None) -> Tensor:
    """Soft Dice loss, 1 − (2·Σ p·y + 1) / (Σ p + Σ y + 1), with sums over all valid pixels of the batch.

    The ones keep it defined, and equal to 0, where there is no cloud and none is predicted.

    Args:
        logits: float (B, H, W) or (N,).
        mask: bool, same shape; true = cloud.
        valid: bool, same shape; None means all valid.

    Returns:
        Scalar between 0 (perfect) and 1; 0 where nothing is valid.

    Raises:
        ValueError: the shapes differ.

    Source:
        Milletari, Navab, Ahmadi (2016), doi:10.1109/3DV.2016.79, with p in place of p² in the denominator.

    Example:
        >>> dice(torch.tensor([20.0, -20.0]), torch.tensor([True, False])).item() < 1e-6
        True
    """
    y, w = _check(logits, mask, valid)
    p = torch.where(w > 0, logits.sigmoid(), 0.0)
    y = y * w
    return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


def bce_dice(logits: Tensor, mask: Tensor, valid: Tensor | None = None) -> Tensor:
    """Binary cross-entropy plus the mean of the images' Dice losses, so that an image with little cloud counts as much.

    Args:
        logits: float (B, H, W).
        mask: bool, same shape; true = cloud.
        valid: bool, same shape; None means all valid.

    Returns:
        Scalar; 0 where nothing is valid.

    Raises:
        ValueError: the shapes differ, or there is no batch of images.

    Source:
        Chapter 10.

    Example:
        >>> logits, mask = torch.tensor([[[20.0, -20.0]]]), torch.tensor([[[True, False]]])
        >>> bce_dice(logits, mask).item() < 1e-6, bce_dice(-logits, mask).item() > 20
        (True, True)
    """
    y, w = _check(logits, mask, valid)
    if logits.ndim != 3:
        raise ValueError(f"found logits {tuple(logits.shape)}, expected (B, H, W): Dice is taken image by image")
    p = torch.where(w > 0, logits.sigmoid(), 0.0)
    both, each = (p * y).sum(dim=(1, 2)), (p + y * w).sum(dim=(1, 2))  # (B,)
    return _bce(logits, y, w) + (1 - (2 * both + 1) / (each + 1)).mean()


def focal(logits: Tensor, mask: Tensor, valid: Tensor | None = None, gamma: float = 2.0) -> Tensor:
    """Focal loss, −(1 − q)^γ·log q with q the probability given to the true class: easy pixels count less.

    Args:
        logits: float (B, H, W) or (N,).
        mask: bool, same shape; true = cloud.
        valid: bool, same shape; None means all valid.
        gamma: γ ≥ 0; 0 is binary cross-entropy.

    Returns:
        Scalar, averaged over valid pixels; 0 where nothing is valid.

    Raises:
        ValueError: the shapes differ, or gamma is negative.

    Source:
        Lin, Goyal, Girshick, He, Dollár (2017), doi:10.1109/ICCV.2017.324, without its class weight.

    Example:
        >>> focal(torch.zeros(1), torch.tensor([True]))   # (1 − ½)²·log 2
        tensor(0.1733)
    """
    if gamma < 0:
        raise ValueError(f"found gamma={gamma}, expected 0 or more")
    y, w = _check(logits, mask, valid)
    towards_truth = torch.where(y > 0, logits, -logits)
    log_q, log_rest = F.logsigmoid(towards_truth), F.logsigmoid(-towards_truth)  # log_rest = log(1 − q)
    return _mean(-torch.exp(gamma * log_rest) * log_q, w)
