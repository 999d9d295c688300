"""Many small networks side by side, trained in one go: what one seed cannot tell (chapter 16)."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


class ManyMLP(nn.Module):
    """Multi-layer perceptrons of one shape, each with weights of its own; none sees another.

    A layer is one batched matrix product for all of them. Weights begin as those of `nn.Linear` do.

    Args:
        count: number M of networks.
        widths: of the inputs, of each hidden layer, of the outputs.
        seed: of the weights.

    Source:
        Chapter 16.

    Example:
        >>> ManyMLP(16, (3, 32, 3), seed=0)(torch.zeros(100, 3)).shape
        torch.Size([16, 100, 3])
    """

    def __init__(self, count: int, widths: tuple[int, ...], seed: int):
        super().__init__()
        self.count = count
        generator = torch.Generator().manual_seed(seed)

        def drawn(n_in: int, *shape: int) -> nn.Parameter:
            return nn.Parameter((2 * torch.rand(count, *shape, generator=generator) - 1) / n_in**0.5)

        self.weights = nn.ParameterList(drawn(n_in, n_in, n_out) for n_in, n_out in pairwise(widths))
        self.biases = nn.ParameterList(drawn(n_in, 1, n_out) for n_in, n_out in pairwise(widths))

    def forward(self, inputs: Tensor) -> Tensor:
        """Ask every network.

        Args:
            inputs: (N, K) the same for all, or (M, N, K) for each its own.

        Returns:
            (M, N, outputs).
        """
        x = inputs                                       # (M, N, K)
        last = len(self.weights) - 1
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight + bias
            x = x if place == last else x.relu()
        return x


def fit_many(
    model: nn.Module, loss_of: Callable[[Tensor], Tensor], rows: int, steps: int = 1000, batch: int = 128,
    learning_rate: float = 3e-3, seed: int = 0,
) -> None:
    """Train networks side by side with Adam and a one-cycle schedule, each on batches of its own.

    The losses are added up. No network's loss depends on another's weights, so each gets its own gradient and learns as
    if it were alone.

    Args:
        model: its parameters are trained; `model.count` networks, or one where it has no such attribute.
        loss_of: gives the networks' losses (M,), or a single loss, for the numbers of some training rows (M, batch).
        rows: how many training rows there are to draw from.
        steps: of gradient descent.
        batch: rows in a step, for each network.
        learning_rate: the highest of the schedule.
        seed: of the drawn rows.

    Source:
        Chapter 16; the schedule is that of chapter 06.

    Example:
        >>> x = torch.linspace(-1, 1, 50)[:, None]
        >>> model = ManyMLP(4, (1, 16, 1), seed=0)
        >>> loss_of = lambda rows: (model(x[rows]) - x[rows] ** 2).square().mean((1, 2))
        >>> fit_many(model, loss_of, len(x), steps=300, learning_rate=0.02)
        >>> bool(((model(x) - x**2).abs().mean((1, 2)) < 0.1).all())
        True
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for _ in range(steps):
        loss = loss_of(torch.randint(rows, (getattr(model, "count", 1), batch), generator=generator))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        schedule.step()
