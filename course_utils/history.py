"""What a training leaves behind: losses, scores and seconds of each epoch (chapter 06)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass
class History:
    """What happened in each epoch.

    Attributes:
        train_loss: mean over the items of the epoch, each measured just before its own update.
        validation_loss: mean over all validation items after the epoch.
        scores: the task's validation scores after the epoch.
        seconds: wall time of the epoch.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_loss)

    @property
    def best(self) -> int:
        """Epoch with the lowest validation loss, counted from 0."""
        return min(range(len(self)), key=self.validation_loss.__getitem__)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw training and validation loss per epoch, the best epoch marked.

        Args:
            ax: where to draw; made when absent.

        Returns:
            The axes.
        """
        if ax is None:
            from matplotlib import pyplot as plt  # here, because the processes of a job train without it

            ax = plt.subplots(figsize=(6, 3.5))[1]
        epochs = range(1, len(self) + 1)
        ax.plot(epochs, self.train_loss, "o-", label="training")
        ax.plot(epochs, self.validation_loss, "s--", label="validation")
        ax.axvline(self.best + 1, color="0.6", linewidth=1, zorder=0, label=f"best epoch: {self.best + 1}")
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend(frameon=True, edgecolor="none", framealpha=1)  # the mark may run behind it
        return ax
