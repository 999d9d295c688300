"""A learned time step, to be taken again and again (chapter 16)."""

import torch
from torch import Tensor, nn


class LearnedStep(nn.Module):
    """A network's guess of how far a state moves in one step, added to the state.

    The network sees states without their mean and spread, and gives the change in units of the usual change.

    Args:
        net: maps (..., K) to as many numbers; networks side by side give (M, N, K).
        records: (T, M, K) states that follow each other, in M records, for the scaling.

    Source:
        Chapter 16.
    """

    def __init__(self, net: nn.Module, records: Tensor):
        super().__init__()
        self.net, self.count = net, getattr(net, "count", 1)
        self.register_buffer("mean", records.mean(dim=(0, 1)))
        self.register_buffer("spread", records.std(dim=(0, 1)))
        self.register_buffer("change", records.diff(dim=0).std(dim=(0, 1)))

    def forward(self, state: Tensor) -> Tensor:
        """Give the next state.

        Args:
            state: (..., K).

        Returns:
            The state after the step, in the shape of the network's output.
        """
        return state + self.change * self.net((state - self.mean) / self.spread)


def ahead_loss(step: LearnedStep, records: Tensor, rows: Tensor, ahead: int = 1) -> Tensor:
    """Mean squared error over several steps, each from where the last one arrived.

    Args:
        step: networks side by side.
        records: (T, M, K) states that follow each other, a record for each network.
        rows: (M, B) from which of them to start, at most T − 1 − `ahead`.
        ahead: how many steps to take.

    Returns:
        (M,), in units of the usual change in one step, squared.

    Source:
        Chapter 16; Brenowitz & Bretherton (2018), doi:10.1029/2018GL078510, train over several steps, too.
    """
    own = torch.arange(len(rows))[:, None]               # network m learns from record m
    state, losses = records[rows, own], []
    for n in range(1, ahead + 1):
        state = step(state)
        losses.append(((state - records[rows + n, own]) / step.change).square().mean(dim=(1, 2)))
    return torch.stack(losses).mean(dim=0)
