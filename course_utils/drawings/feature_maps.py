"""What is inside a convolutional network: the maps that an image becomes, layer by layer (chapter 08)."""

import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

__all__ = ["liveliest", "show_maps", "steps"]


@torch.no_grad()
def steps(layers: nn.Sequential, image: Tensor, kind: type[nn.Module] = nn.ReLU) -> list[Tensor]:
    """Send one image through a stack of layers and keep what comes out of each layer of one kind.

    Args:
        layers: the stack; put into the mode that is wanted beforehand.
        image: (1, C, H, W) float32.
        kind: the layers whose outputs are kept.

    Returns:
        One (channels, H, W) tensor per layer of that kind, in order.

    Example:
        >>> layers = nn.Sequential(nn.Conv2d(3, 5, 1), nn.ReLU(), nn.Conv2d(5, 2, 1), nn.ReLU())
        >>> [tuple(maps.shape) for maps in steps(layers, torch.rand(1, 3, 4, 4))]
        [(5, 4, 4), (2, 4, 4)]
    """
    kept = []
    for layer in layers:
        image = layer(image)
        if isinstance(layer, kind):
            kept.append(image[0].clone())
    return kept


def liveliest(maps: Tensor, count: int) -> list[int]:
    """Choose the channels that vary most, the ones worth looking at.

    Args:
        maps: (channels, H, W).
        count: how many, at most as many as there are.

    Returns:
        Their numbers, in increasing order.

    Example:
        >>> liveliest(torch.stack([torch.zeros(2, 2), torch.eye(2), 5 * torch.eye(2)]), 2)
        [1, 2]
    """
    return sorted(maps.flatten(1).std(dim=1).topk(count).indices.tolist())


def show_maps(maps: Tensor, axes: list[Axes], label: str = "") -> list[int]:
    """Draw the liveliest channels of a layer in a row, each from its 2nd to its 98th percentile.

    Args:
        maps: (channels, H, W).
        axes: where to draw; as many channels are shown.
        label: what stands to the left of the row.

    Returns:
        The numbers of the channels that are shown.
    """
    chosen = liveliest(maps, len(axes))
    for ax, channel in zip(axes, chosen, strict=True):
        low, high = torch.quantile(maps[channel].flatten(), torch.tensor([0.02, 0.98])).tolist()
        ax.imshow(maps[channel].numpy(), vmin=low, vmax=max(high, low + 1e-6))
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel(label)
    return chosen
