"""The leaderboard of the challenge against what its entries cost (chapter 17)."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from course_utils.challenge.budget import SECONDS
from course_utils.colours import CLOUD, FALSE_POSITIVE, INVALID

__all__ = ["score_against_compute"]


def score_against_compute(board: list[dict], ax: Axes | None = None, mine: str | None = None) -> Axes:
    """Draw every entry of a board: its score over the processor seconds it took, with one standard error.

    Args:
        board: entries as `challenge.enter` makes them.
        ax: where to draw; made when absent.
        mine: name of an entry to draw in another colour.

    Returns:
        The axes.
    """
    if ax is None:
        ax = plt.subplots(figsize=(5.4, 3.8))[1]
    for entry in board:
        seconds, own = max(entry["cpu_seconds"], 0.1), entry["name"] == mine
        ax.errorbar(seconds, entry["score"], entry["error"], fmt="D" if own else "o", markersize=7, capsize=3,
                    linewidth=1.2, color=FALSE_POSITIVE if own else CLOUD)
        right = seconds < SECONDS / 6
        ax.annotate(entry["name"], (seconds, entry["score"]), (7 if right else -7, 3), textcoords="offset points",
                    ha="left" if right else "right", va="bottom")
    ax.axvline(SECONDS, color=INVALID, linewidth=1, linestyle="--")
    ax.text(SECONDS, 1, "budget ", transform=ax.get_xaxis_transform(), ha="right", va="top", color=INVALID)
    ax.set(xscale="log", xlim=(0.5, 1.4 * SECONDS), xlabel="processor seconds, all cores together",
           ylabel="IoU on the withheld scenes")
    return ax
