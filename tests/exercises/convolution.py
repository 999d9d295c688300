"""Planted wrong answers of chapter 07, and the words that each must be told."""

import torch
from torch import nn
from torch.nn import functional as F


def conv_vjp(image, kernel, grad, turn_kernel=True, turn_grad=False, mean=False, swap=False, pad=True):
    K, L = kernel.shape
    grad_kernel = F.conv2d(image[None, None], grad[None, None])[0, 0]
    if turn_grad:
        grad_kernel = grad_kernel.flip(0, 1)
    if mean:
        grad_kernel = grad_kernel / grad.numel()
    padded = F.pad(grad[None, None], (L - 1, L - 1, K - 1, K - 1)) if pad else grad[None, None]
    weights = kernel.flip(0, 1) if turn_kernel else kernel
    if not pad:
        weights = weights[:1, :1]
    grad_image = F.conv2d(padded, weights[None, None])[0, 0]
    return (grad_kernel, grad_image) if swap else (grad_image, grad_kernel)


def vjp(**slip):
    return lambda image, kernel, grad: conv_vjp(image, kernel, grad, **slip)


def by_autograd(image, kernel, grad):
    image, kernel = image.requires_grad_(), kernel.requires_grad_()
    return torch.autograd.grad(F.conv2d(image[None, None], kernel[None, None])[0, 0], (image, kernel), grad)


def edges(image, pad="replicate", scale=8, combine=lambda gx, gy: (gx**2 + gy**2).sqrt()):
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / scale
    pair = torch.stack([kernel, kernel.T])[:, None]
    padded = F.pad(image[None, None], (1, 1, 1, 1), mode=pad)
    return combine(*F.conv2d(padded, pair)[0])


def slopes(**slip):
    return lambda image: edges(image, **slip)


def simple_differences(image):
    dx = F.pad((image[:, 2:] - image[:, :-2]) / 2, (1, 1))
    dy = F.pad((image[2:] - image[:-2]) / 2, (0, 0, 1, 1))
    return (dx**2 + dy**2).sqrt()


def stack(*dilations, padding=None):
    return nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=padding or d, dilation=d) for d in dilations])


DIAGONAL = torch.eye(5) - 1 / 5
SPIKES = torch.zeros(5, 5)      # rows, columns and rising diagonals of it all sum to 0
for place, sign in (((0, 2), 1), ((0, 1), -1), ((1, 0), 1), ((2, 0), -1), ((2, 1), 1), ((1, 2), -1)):
    SPIKES[place] += sign
SPIKES += SPIKES.flip(0, 1)
LEANING = DIAGONAL.clone()
LEANING[0, 0] += 0.1
LEANING[0, 4] -= 0.1
ROWS_ONLY = torch.eye(5) - torch.ones(5, 5) / 5
ROWS_ONLY[:, 0] += 0.3
ROWS_ONLY[:, 4] += 0.3
ROWS_ONLY[:, 2] -= 0.6

WRONG = {
    "turned": [
        (([1, 2], [1, 2], 6, "b"), "numpy turns the kernel"),
        (([-1, -2], [-1, -2], 6, "b"), "PyTorch does not turn"),
        (([-1, -2], [1, 2], 2, "b"), "wholly inside"),
        (([-1, -2], [1, 2], 7, "b"), "share one place"),
        (([-1, -2], [1, 2], 6, "a"), "its signs are exchanged"),
        (([-1, -2], [1, 2]), "4 answers in order"),
    ],
    "sizes": [
        ((59, 30, 30, 15, 6), "counted from 0"),
        ((60, 59, 30, 15, 6), "stride 1"),
        ((60, 30, 32, 15, 6), "spans 5 pixels, not 3"),
        ((60, 30, 28, 15, 6), "both sides"),
        ((60, 30, 26, 15, 6), "padding is missing"),
        ((60, 30, 30, 15.5, 6), "half a place is none"),
        ((60, 30, 30, 14, 6), "padding is missing"),
        ((60, 30, 30, 15, 3), "spans 13 pixels, not 7"),
        ((60, 30, 30, 15, 12), "half of it on each side"),
    ],
    "line": [
        (torch.eye(5), "do not sum to 0"),
        (LEANING, "does not mirror the other"),
        (DIAGONAL.flip(1), "other diagonal"),
        (-DIAGONAL, "dark lines"),
        (DIAGONAL / 10, "too small"),
        (ROWS_ONLY, "wherever it lies"),
        (DIAGONAL + 5 * SPIKES, "one weight alone"),
        (torch.eye(3), "shape (5, 5)"),
        ("diagonal", "a tensor of shape"),
    ],
    "backward": [
        (vjp(turn_kernel=False), "has to be turned round"),
        (vjp(turn_grad=True), "nothing is turned"),
        (vjp(mean=True), "add, do not average"),
        (vjp(swap=True), "the two are exchanged"),
        (vjp(pad=False), "pad `grad`"),
        (by_autograd, "does not require grad"),
        (lambda image, kernel, grad: grad, "two gradients"),
    ],
    "see_far": [
        (stack(1, 2, 4, 8, padding=1), "as large as its dilation"),
        (stack(1, 1, 1, 1), "twice its dilation"),
        (stack(3, 4, 4, 4), "no holes"),
        (stack(5, 5, 5), "no holes"),
        (stack(*[1] * 15), "at most four"),
        (nn.Sequential(nn.Conv2d(1, 1, 31, padding=15)), "only `nn.Conv2d(1, 1, 3, ...)`"),
        (nn.Conv2d(1, 1, 3), "an `nn.Sequential`"),
    ],
    "edges": [
        (slopes(pad="constant"), "sudden change of brightness"),
        (slopes(pad="circular"), "not what is on the other side"),
        (slopes(combine=lambda gx, gy: (gx + gy).abs()), "cancel or add up"),
        (slopes(combine=lambda gx, gy: gx.abs() + gy.abs()), "length is another thing"),
        (slopes(combine=lambda gx, gy: gx**2 + gy**2), "the root is missing"),
        (slopes(scale=1), "not divided by 8"),
        (lambda image: edges(image)[1:-1, 1:-1], "has the size of the image"),
        (simple_differences, "change no more"),
    ],
}
