"""A computation as a graph, numbers flowing forward and gradients flowing back (chapter 05)."""

from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_utils.colours import CLOUD, FALSE_POSITIVE

WIDE, HIGH = 0.70, 0.66     # of a box; boxes stand 1 apart
SIGNS = {"Mul": "×", "Add": "+", "Sub": "−", "Relu": "ReLU", "Pow": "power", "Sum": "sum", "Mm": "@"}


@dataclass(frozen=True, eq=False)
class Step:
    """One node of a graph: the attributes that `draw_graph` reads, here taken from PyTorch.

    Attributes:
        data: its value, an array.
        grad: the gradient of the output with respect to it, of the same shape.
        op: what made it; empty for an input.
        parents: the nodes it was made from.
    """

    data: np.ndarray
    grad: np.ndarray
    op: str
    parents: tuple


def from_torch(tensors: dict[str, torch.Tensor]) -> dict[str, Step]:
    """Read the graph that PyTorch has recorded behind a scalar, and the gradient at every node.

    Args:
        tensors: every node by name, inputs first and the scalar output last; all of them require a gradient.

    Returns:
        The nodes by the same names.

    Raises:
        ValueError: a node between the inputs and the output has no name here.

    Example:
        >>> w = torch.tensor(3.0, requires_grad=True)
        >>> steps = from_torch({"w": w, "L": w * w})
        >>> steps["w"].grad.item(), steps["L"].op
        (6.0, '×')
    """
    *_, output = tensors.values()
    gradients = torch.autograd.grad(output, list(tensors.values()), retain_graph=True)
    steps, made_by = {}, {}
    for (name, tensor), gradient in zip(tensors.items(), gradients, strict=True):
        before = () if tensor.grad_fn is None else [function for function, _ in tensor.grad_fn.next_functions]
        keys = [getattr(function, "variable", function) for function in before]
        unnamed = [key for key in keys if key not in made_by]
        if unnamed:
            raise ValueError(f"found {name!r} made from a node without a name ({type(unnamed[0]).__name__}); expected "
                             "every node that requires a gradient among the tensors, inputs first")
        kind = "" if tensor.grad_fn is None else tensor.grad_fn.name().partition("Backward")[0]
        steps[name] = Step(tensor.detach().numpy(), gradient.numpy(), SIGNS.get(kind, kind),
                           tuple(made_by[key] for key in keys))
        made_by[tensor if tensor.grad_fn is None else tensor.grad_fn] = steps[name]
    return steps


def places(root) -> dict:
    """Find a place for every node: its parents stand before it, the longest chain in one straight line.

    Args:
        root: the output; every node has `parents`.

    Returns:
        (step, lane) by node: how far along the computation, and how far beside the straight line.

    Example:
        >>> a, b = (Step(np.ones(()), np.ones(()), "", ()) for _ in "ab")
        >>> places(Step(np.ones(()), np.ones(()), "+", (a, b))).values()
        dict_values([(1, 0), (0, 0), (0, 1)])
    """
    order = _in_order(root)
    depth = {}
    for node in order:
        depth[node] = 1 + max((depth[parent] for parent in node.parents), default=-1)
    for node in reversed(order):                     # an input stands right before the first that uses it
        users = [depth[user] for user in order if node in user.parents]
        if not node.parents and users:
            depth[node] = min(users) - 1
    found = {root: (depth[root], 0)}
    for node in reversed(order):
        for parent in sorted(node.parents, key=lambda parent: -depth[parent]):
            if parent not in found:
                lane = next(lane for lane in _lanes(found[node][1])
                            if (depth[parent], lane) not in found.values())
                found[parent] = (depth[parent], lane)
    return found


def draw_graph(root, ax, names=None, down=False):
    """Draw the graph behind an output, with the value and the gradient at each node.

    A box holds a name or an operation, in blue the value and in orange the gradient; of an array it shows the shapes.
    Blue arrows point the way of the values, orange ones the way of the gradients.

    Args:
        root: the output. Every node has `data`, `grad`, `op` and `parents`: a `Step`, or the reader's own class.
        ax: where to draw.
        names: the nodes that have a name, by name.
        down: whether the computation runs from top to bottom, which suits long graphs; else from left to right.

    Returns:
        The axes.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> w = torch.tensor(3.0, requires_grad=True)
        >>> steps = from_torch({"w": w, "L": w * w})
        >>> ax = draw_graph(steps["L"], plt.figure().gca(), steps)
    """
    called = {node: name for name, node in (names or {}).items()}
    spots = {node: ((lane, -step) if down else (step, -lane)) for node, (step, lane) in places(root).items()}
    for node, spot in spots.items():
        for parent in dict.fromkeys(node.parents):
            _arrow(ax, spots[parent], spot, CLOUD)
            _arrow(ax, spot, spots[parent], FALSE_POSITIVE)
    for node, spot in spots.items():
        label = " = ".join(part for part in (called.get(node), node.op) if part)
        _box(ax, spot, label or "constant", node.data, node.grad)
    across, up = (sorted(values) for values in zip(*spots.values(), strict=True))
    ax.set(xlim=(across[0] - 0.45, across[-1] + 0.45), ylim=(up[0] - 0.4, up[-1] + 0.4))
    ax.axis("off")
    return ax


def _in_order(root) -> list:
    """All nodes behind an output, each after its parents."""
    order, seen, waiting = [], set(), [(root, False)]
    while waiting:
        node, complete = waiting.pop()
        if complete:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(parent, False) for parent in reversed(node.parents)]
    return order


def _lanes(start):
    """Lanes to try: the same, the next one on either side, and so on."""
    yield start
    for distance in count(1):
        yield start + distance
        yield start - distance


def _box(ax, spot, label, data, grad):
    """A box with a label, the value and the gradient."""
    x, y = spot
    shape = FancyBboxPatch((x - WIDE / 2, y - HIGH / 2), WIDE, HIGH, boxstyle="round,pad=0,rounding_size=0.08",
                           facecolor="white", edgecolor="#555555", linewidth=1.1, zorder=2)
    ax.add_patch(shape)
    lines = ((label, 0.19, "#222222"), (_words(data), 0, CLOUD), (_words(grad), -0.19, FALSE_POSITIVE))
    for text, shift, colour in lines:
        ax.text(x, y + shift, text, ha="center", va="center", color=colour, size=8.5, zorder=3)


def _words(array) -> str:
    """A single number, or the shape of an array."""
    array = np.asarray(array)
    return f"{array.item():.3g}".replace("-", "−") if array.ndim == 0 else str(array.shape)


def _arrow(ax, start, stop, colour):
    """An arrow from the edge of one box to that of another, a little to the left as one walks it."""
    way = np.subtract(stop, start).astype(float)
    aside = np.array([-way[1], way[0]]) / np.hypot(*way) * 0.06
    with np.errstate(divide="ignore"):
        inside = way * min(np.divide((WIDE / 2 + 0.02, HIGH / 2 + 0.02), abs(way)))
    bend = 0.3 if max(abs(way)) > 1 else 0           # a long way passes other boxes: go around them
    ax.add_patch(FancyArrowPatch(start + inside + aside, stop - inside + aside, arrowstyle="-|>", mutation_scale=9,
                                 linewidth=1.3, color=colour, shrinkA=0, shrinkB=0, zorder=1,
                                 connectionstyle=f"arc3,rad={bend}"))
