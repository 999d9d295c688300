"""A plane that the ReLUs of one layer have folded: how many pieces, and how they look (chapter 04)."""

import numpy as np
import torch
from matplotlib.colors import to_rgb
from torch import Tensor, nn

from course_utils.colours import CLEAR, CLOUD
from course_utils.runtime import seeded

PALE = 0.55                                                # how far the class colours are mixed with white
LIGHT = np.array([-0.5, 0.6, 0.62])                        # where the light comes from: left, above, in front


def patterns(layer: nn.Linear, points: Tensor) -> Tensor:
    """Tell which units of a layer are on at some points: those whose value before the ReLU is positive.

    Args:
        layer: the linear layer below the ReLUs, with D inputs and n outputs.
        points: (N, D) float32.

    Returns:
        (N, n) bool.

    Example:
        >>> layer = nn.Linear(1, 2)
        >>> _ = layer.load_state_dict({"weight": torch.tensor([[1.0], [-1.0]]), "bias": torch.zeros(2)})
        >>> patterns(layer, torch.tensor([[3.0]]))
        tensor([[ True, False]])
    """
    with torch.no_grad():
        return layer(points) > 0


def count_regions(layer: nn.Linear, box: tuple[float, float, float, float] | None = None) -> int:
    """Count the pieces into which the ReLUs of one layer cut a plane, exactly.

    Each unit folds the plane along a straight line. The others cut that line into stretches; the middle of a stretch
    shows the two regions beside it, one with the unit on, one with it off. Every region has such an edge, so none is
    missed, however small it is.

    Args:
        layer: the linear layer below the ReLUs, with 2 inputs; no two units have the same line.
        box: (left, right, bottom, top) of the part of the plane to look at; None for all of it.

    Returns:
        The number of regions, at most 1 + n + n(n − 1)/2 for n units.

    Raises:
        ValueError: the layer does not have two inputs.

    Source:
        Chapter 04; the bound: Zaslavsky (1975).

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> cross = {"weight": torch.eye(2), "bias": torch.zeros(2)}
        >>> _ = layer.load_state_dict(cross)                # two lines that cross at the origin
        >>> count_regions(layer), count_regions(layer, box=(1, 2, -1, 1))
        (4, 2)
    """
    if layer.in_features != 2:
        raise ValueError(f"found a layer with {layer.in_features} inputs, expected 2: regions of a plane are counted")
    normal, offset = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
    seen = set()
    for unit in np.flatnonzero(np.abs(normal).sum(axis=1)):
        for point in _stretches(normal, offset, unit, box):
            on = normal @ point + offset > 0
            for on[unit] in (False, True):
                seen.add(on.tobytes())
    return max(len(seen), 1)


def _stretches(normal, offset, unit, box):
    """The middle of each stretch of one unit's line between the lines of the others, inside the box."""
    a = normal[unit]
    foot, along = -offset[unit] * a / (a @ a), np.array([-a[1], a[0]])      # the line is foot + t·along
    speed, start = normal @ along, normal @ foot + offset
    crossing = np.abs(speed) > 1e-12 * np.abs(normal).max() ** 2
    places = -start[crossing] / speed[crossing]
    low, high = (places.min(initial=0) - 1, places.max(initial=0) + 1) if box is None else _inside(foot, along, box)
    places = np.sort([low, high, *places[(places > low) & (places < high)]])
    lengths = np.diff(places)
    middles = (places[:-1] + lengths / 2)[lengths > 1e-9]
    return foot + middles[:, None] * along


def _inside(foot, along, box):
    """From where to where a line is in a box; an empty stretch if it never is."""
    low, high = -np.inf, np.inf
    for position, direction, (start, stop) in zip(foot, along, (box[:2], box[2:]), strict=True):
        if direction:
            first, second = sorted(((start - position) / direction, (stop - position) / direction))
            low, high = max(low, first), min(high, second)
        elif not start < position < stop:
            return 0.0, 0.0
    return (low, high) if low < high else (0.0, 0.0)


def show_folds(model: nn.Sequential, ax, box, size=400):
    """Show the logits of a network of two inputs as a folded sheet of paper with light on it, seen from above.

    Args:
        model: a linear layer with 2 inputs, a ReLU, and a linear layer with 1 output; or that last layer alone.
        ax: where to draw.
        box: (left, right, bottom, top) of the part of the plane to show.
        size: pixels along each side.

    Returns:
        The axes. Orange and blue are the sides that the model calls clear and cloud; black is the border between them,
        the white lines are the folds.
    """
    across, up = (torch.linspace(*limits, size) for limits in (box[:2], box[2:]))
    points = torch.cartesian_prod(up, across).flip(1)                       # (size², 2), row by row
    with torch.no_grad():
        logits = model(points).reshape(size, size).numpy()
        corners = torch.cartesian_prod(*(torch.tensor(limits) for limits in (box[2:], box[:2]))).flip(1).float()
        folds = model[0](corners).T.reshape(-1, 2, 2).numpy() if len(model) > 1 else []
    step = np.array([across[1] - across[0], up[1] - up[0]])
    slope_up, slope_across = np.gradient(logits, step[1], step[0])
    steepness = np.median(np.hypot(slope_up, slope_across)) + 1e-12         # a flat sheet is fine, too
    facing = np.stack([-slope_across, -slope_up, np.full_like(logits, steepness)], axis=-1)
    facing /= np.linalg.norm(facing, axis=-1, keepdims=True)
    shade = 0.76 + 0.24 * (facing @ LIGHT).clip(0, 1)
    cloud, clear = (PALE * np.array(to_rgb(hue)) + 1 - PALE for hue in (CLOUD, CLEAR))
    sheet = np.where(logits[..., None] > 0, cloud, clear) * shade[..., None]
    ax.imshow(sheet, origin="lower", extent=box, aspect="auto", interpolation="bilinear")
    for unit in folds:                                  # straight lines: four corners tell where they run
        ax.contour(box[:2], box[2:], unit, [0], colors="white", linewidths=0.8)
    ax.contour(across, up, logits, [0], colors="black", linewidths=2)
    return ax


def fold_plane(points: Tensor, labels: Tensor, units: int, starts=range(5), steps: int = 400) -> nn.Sequential:
    """Train a network of two inputs to part two classes, from several random starts, and keep the best.

    Args:
        points: (N, 2) float32.
        labels: (N,) bool.
        units: how many ReLUs; 0 for logistic regression.
        starts: seeds of the first weights, one network each.
        steps: of gradient descent, each on all points.

    Returns:
        A linear layer, a ReLU and a linear layer, or one linear layer alone; its input is `points` as they are.

    Source:
        Chapter 04.

    Example:
        >>> points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> either = torch.tensor([False, True, True, False])               # one or the other, not both
        >>> (fold_plane(points, either, units=4)(points).squeeze(1) > 0).tolist()
        [False, True, True, False]
    """
    mean, spread, targets = points.mean(dim=0), points.std(dim=0), labels.float()
    inputs, best, lowest = (points - mean) / spread, None, float("inf")
    for seed in starts:
        with seeded(seed):
            model = nn.Sequential(nn.Linear(2, units), nn.ReLU(), nn.Linear(units, 1)) if units else (
                nn.Sequential(nn.Linear(2, 1)))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        for _ in range(steps):
            loss = nn.functional.binary_cross_entropy_with_logits(model(inputs).squeeze(1), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if loss.item() < lowest:
            best, lowest = model, loss.item()
    with torch.no_grad():                                  # move the scaling into the first layer
        best[0].weight /= spread
        best[0].bias -= best[0].weight @ mean
    return best
