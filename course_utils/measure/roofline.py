"""What limits a layer, its arithmetic or its memory traffic: the roofline of chapter 12.

A machine has a peak (operations a second) and a bandwidth (bytes a second to and from its memory). A layer has an
intensity: operations per byte. Below the ridge, where intensity × bandwidth equals the peak, it waits for bytes.

Work is counted as if each number were fetched from memory once and stored once, in 4 bytes. A multiplication and an
addition are two operations.

Source: S. Williams, A. Waterman, D. Patterson (2009), doi:10.1145/1498765.1498785.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from course_utils.measure.clock import seconds
from course_utils.runtime import pick_device

__all__ = ["Machine", "Work", "layers", "matmul", "measure_layer", "measure_machine"]

NUMBER = 4                                                  # bytes of a float32


@dataclass(frozen=True)
class Work:
    """What a layer has to do in one forward pass.

    Attributes:
        flops: additions and multiplications.
        bytes: read and written, at least.
    """

    flops: int
    bytes: int

    @property
    def intensity(self) -> float:
        """Operations per byte."""
        return self.flops / self.bytes


@dataclass(frozen=True)
class Machine:
    """What a device can do at most.

    Attributes:
        name: for the figure.
        peak: operations a second.
        bandwidth: bytes a second.
    """

    name: str
    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """The intensity, in operations per byte, from which on arithmetic is the limit."""
        return self.peak / self.bandwidth

    def roof(self, intensity: float) -> float:
        """The most operations a second that work of some intensity can reach.

        Args:
            intensity: operations per byte.

        Returns:
            The smaller of the peak and what the bandwidth lets through.

        Example:
            >>> Machine("toy", peak=100.0, bandwidth=10.0).roof(2.0)
            20.0
        """
        return min(self.peak, intensity * self.bandwidth)


def matmul(rows: int, inner: int, columns: int) -> Work:
    """Count a matrix product: (rows, inner) times (inner, columns).

    Args:
        rows: of the first matrix.
        inner: columns of the first, rows of the second.
        columns: of the second.

    Returns:
        Two operations for each of rows × inner × columns products; three matrices moved.

    Example:
        >>> matmul(100, 100, 100)
        Work(flops=2000000, bytes=120000)
    """
    return Work(2 * rows * inner * columns, NUMBER * (rows * inner + inner * columns + rows * columns))


# Operations per number of the input of layers that treat it number by number, and how often they read it. Batch
# normalisation in training: 1 for the mean, 3 for the variance, 2 to scale and shift; read once for the statistics and
# once more to be normalised.
_POINTWISE = {nn.ReLU: (1, 1), nn.BatchNorm2d: (6, 2)}


def layers(model: nn.Module, shape: tuple[int, ...]) -> dict[str, tuple[nn.Module, tuple[int, ...], Work]]:
    """Count the work of a network's convolutions, linear layers, batch norms and ReLUs, without running it.

    Args:
        model: takes an image; it stays as it is.
        shape: (B, C, H, W) of the input.

    Returns:
        For each layer, by its name in the model: the layer, the shape of its input, its work in a forward pass.

    Source:
        Chapter 12.

    Example:
        >>> (_, _, work), = layers(nn.Sequential(nn.ReLU()), (1, 1, 10, 10)).values()
        >>> work
        Work(flops=100, bytes=800)
    """
    shadow, found = copy.deepcopy(model).to("meta").train(), {}
    originals = dict(model.named_modules())

    def note(name: str) -> Callable:
        return lambda layer, given, output: found.update(
            {name: (originals[name], tuple(given[0].shape), _work(layer, given[0], output))})

    for name, layer in shadow.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, *_POINTWISE)):
            layer.register_forward_hook(note(name))
    shadow(torch.empty(shape, device="meta"))
    return found


def _work(layer: nn.Module, given: torch.Tensor, output: torch.Tensor) -> Work:
    """The work of one layer, from the sizes of what it gets and gives."""
    if type(layer) in _POINTWISE:
        operations, reads = _POINTWISE[type(layer)]
        return Work(operations * given.numel(), NUMBER * (reads * given.numel() + output.numel()))
    if isinstance(layer, nn.ConvTranspose2d):               # every input number is multiplied by its whole stamp
        products = layer.weight[0].numel() * given.numel()
    else:                                                   # every output number is a sum over one filter
        products = layer.weight[0].numel() * output.numel()
    moved = given.numel() + output.numel() + sum(p.numel() for p in layer.parameters())
    bias = 0 if layer.bias is None else output.numel()
    return Work(2 * products + bias, NUMBER * moved)


def measure_layer(layer: nn.Module, shape: tuple[int, ...], work: Work) -> tuple[float, float]:
    """Measure how fast a layer does its work, for a dot below the roof.

    Args:
        layer: computes on the device that its weights are on; without weights, on the fastest one.
        shape: of its input.
        work: as `layers` counts it.

    Returns:
        Operations per byte, and operations a second.

    Source:
        Chapter 12.
    """
    device = next((p.device for p in layer.parameters()), pick_device())
    given = torch.ones(shape, device=device)
    with torch.no_grad():
        return work.intensity, work.flops / seconds(lambda: layer(given), device=device)


def measure_machine(device: torch.device, size: int = 1024, numbers: int = 2**24) -> Machine:
    """Measure a device: its peak by a matrix product, its bandwidth by a copy, both in float32, the best of some.

    Args:
        device: what to measure.
        size: rows and columns of the matrices; larger ones are needed to fill a large GPU.
        numbers: how many numbers are copied; they should not fit into a cache.

    Returns:
        The best that this program can get out of the device; a data sheet may promise more.

    Source:
        Chapter 12.
    """
    a, b = (torch.ones(size, size, device=device) for _ in range(2))
    peak = matmul(size, size, size).flops / _fastest(lambda: a @ b, device)
    source = torch.ones(numbers, device=device)
    target = torch.empty_like(source)
    bandwidth = 2 * NUMBER * numbers / _fastest(lambda: target.copy_(source), device)
    return Machine(f"this {device.type}", peak, bandwidth)


def _fastest(call: Callable[[], object], device: torch.device, repeats: int = 10) -> float:
    """Seconds of the fastest call: a roof is what can be reached, whoever else is using the machine."""
    return min(seconds(call, repeats=1, warmup=int(not done), device=device) for done in range(repeats))
