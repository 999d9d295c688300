"""Two things that travel through a column of air: falling water and infrared light (chapter 16).

Columns are rows of layers, the topmost first: (..., L). What leaves one layer enters the next, so the answer in a layer
depends on the layers above, for the light also on those below.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

STEFAN_BOLTZMANN = 5.670374e-8      # W m⁻² K⁻⁴


def rain_out(water: Tensor, capacity: Tensor, evaporation: float = 0.5) -> tuple[Tensor, Tensor]:
    """Let the water that a layer cannot hold condense and fall; drier layers below take some of it up again.

    Args:
        water: (..., L) water in each layer, kg m⁻², 0 or more.
        capacity: how much a layer can hold, a shape that broadcasts with `water`, same unit.
        evaporation: share of the room in a layer that passing rain fills, 0–1.

    Returns:
        Water in each layer afterwards (..., L), and what reaches the ground (...), kg m⁻². Nothing is lost: their sum
        is that of `water`.

    Example:
        >>> water, rain = rain_out(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 2.0]))
        >>> water.tolist(), rain.item()
        ([2.0, 1.5], 0.5)
    """
    capacity = capacity.expand_as(water)
    falling = torch.zeros_like(water[..., 0])
    after = []
    for held, limit in zip(water.unbind(-1), capacity.unbind(-1), strict=True):
        excess = (held - limit).clamp(min=0)
        falling, held = falling + excess, held - excess
        taken = torch.minimum(falling, evaporation * (limit - held))
        falling, held = falling - taken, held + taken
        after.append(held)
    return torch.stack(after, dim=-1), falling


def longwave(temperature: Tensor, thickness: Tensor, ground: Tensor) -> tuple[Tensor, Tensor]:
    """Pass infrared light down and up a column of grey layers that absorb and emit, and do not scatter.

    Schwarzschild's equation for layers of one temperature: each lets the share exp(−τ) through and adds
    (1 − exp(−τ)) σT⁴. No light comes from space; the ground is black.

    Args:
        temperature: (..., L) of each layer, K.
        thickness: (..., L) optical thickness τ of each layer, 0 or more, the slant of the light included.
        ground: (...) temperature of the ground, K.

    Returns:
        Downward and upward flux at the L + 1 levels that bound the layers, each (..., L + 1), W m⁻²; what they heat a
        layer by: see `heating`.

    Example:
        >>> down, up = longwave(torch.full((3,), 300.0), torch.full((3,), 50.0), torch.tensor(300.0))
        >>> bool((up == up[0]).all()), round(up[0].item())          # as warm as the ground everywhere
        (True, 459)
    """
    passed = torch.exp(-thickness)
    emitted = (1 - passed) * STEFAN_BOLTZMANN * temperature**4
    down = [torch.zeros_like(ground)]
    for k in range(temperature.shape[-1]):
        down.append(down[-1] * passed[..., k] + emitted[..., k])
    up = [STEFAN_BOLTZMANN * ground**4]
    for k in reversed(range(temperature.shape[-1])):
        up.append(up[-1] * passed[..., k] + emitted[..., k])
    return torch.stack(down, dim=-1), torch.stack(up[::-1], dim=-1)


def heating(down: Tensor, up: Tensor) -> Tensor:
    """Give the energy that each layer keeps: what enters from above and below, less what leaves.

    Args:
        down: (..., L + 1) downward flux, W m⁻².
        up: (..., L + 1) upward flux, W m⁻².

    Returns:
        (..., L), W m⁻²; negative where the layer cools.
    """
    net = down - up
    return net[..., :-1] - net[..., 1:]


@dataclass(frozen=True)
class Columns:
    """Columns of air, as a model with a certain number of layers sees them.

    Attributes:
        temperature: (N, L) temperature of each layer, K.
        thickness: (N, L) infrared optical thickness of each layer.
        ground: (N,) temperature of the ground, K.
    """

    temperature: Tensor
    thickness: Tensor
    ground: Tensor


def columns(count: int, layers: int, seed: int) -> Columns:
    """Draw columns with vapour and two clouds each, for infrared light.

    The same seed gives the same columns, cut into more or fewer layers; the thickness of a layer is what lies in it.

    Args:
        count: how many columns.
        layers: into how many layers each is cut, all of the same share of the air's mass.
        seed: of all draws.

    Returns:
        The columns.

    Example:
        >>> coarse, fine = columns(3, 10, seed=0), columns(3, 20, seed=0)
        >>> torch.allclose(coarse.thickness, fine.thickness.reshape(3, 10, 2).sum(-1), atol=1e-5)
        True
    """
    generator = torch.Generator().manual_seed(seed)
    ground, drop, vapour, *clouds = torch.rand(9, count, 1, generator=generator)
    ground = 270 + 35 * ground                                      # K
    edges = torch.linspace(0, 1, layers + 1)                        # share of the air above: 0 is the top
    middle = (edges[1:] + edges[:-1]) / 2
    temperature = (ground - (50 + 40 * drop) * (1 - middle)).clamp(min=205)
    thickness = (0.5 + 3.5 * vapour) * (edges[1:] ** 4 - edges[:-1] ** 4)    # most vapour is near the ground
    for place, depth, dense in zip(clouds[::3], clouds[1::3], clouds[2::3], strict=True):
        top = 0.1 + 0.75 * place
        base = top + 0.02 + 0.1 * depth
        inside = torch.minimum(edges[1:], base) - torch.maximum(edges[:-1], top)
        thickness = thickness + 8 * dense**2 * inside.clamp(min=0) / (base - top)
    return Columns(temperature, thickness, ground[:, 0])
