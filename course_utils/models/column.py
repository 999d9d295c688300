"""A recurrent network that walks down a column of air and up again, as light does (chapter 16)."""

from torch import Tensor, nn


class ColumnRNN(nn.Module):
    """One small rule for all layers: what a layer gives depends on itself and on what comes from above and below.

    A gated recurrent unit carries a memory from the top to the ground, another one from the ground to the top. The rule
    is the same in every layer, so columns may have any number of them.

    Args:
        features: numbers K known of each layer.
        width: numbers in each memory.

    Source:
        Chapter 16, after Ukkonen (2022), doi:10.1029/2021MS002875, who does so for sunlight.

    Example:
        >>> import torch
        >>> net = ColumnRNN(2)
        >>> net(torch.zeros(8, 20, 2)).shape, net(torch.zeros(8, 60, 2)).shape
        (torch.Size([8, 20]), torch.Size([8, 60]))
    """

    def __init__(self, features: int, width: int = 16):
        super().__init__()
        self.memory = nn.GRU(features, width, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * width, 1)

    def forward(self, column: Tensor) -> Tensor:
        """Give one number for each layer.

        Args:
            column: (B, L, K), the topmost layer first.

        Returns:
            (B, L).
        """
        memories, _ = self.memory(column)                # (B, L, 2·width)
        return self.head(memories).squeeze(-1)
