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
    for place, entry in enumerate(board, start=1):
        seconds, hue = max(entry["cpu_seconds"], 0.1), FALSE_POSITIVE if entry["name"] == mine else CLOUD
        ax.errorbar(seconds, entry["score"], entry["error"], fmt="o", markersize=13, capsize=4, color=hue)
        ax.annotate(str(place), (seconds, entry["score"]), ha="center", va="center", color="white", fontsize=9)
    names = "\n".join(f"{place}  {entry['name']}" for place, entry in enumerate(board, start=1))
    ax.text(0.03, 0.98, names, transform=ax.transAxes, va="top", linespacing=1.4)
    ax.axvline(SECONDS, color=INVALID, linewidth=1, linestyle="--")
    ax.text(SECONDS, 0.02, "budget ", transform=ax.get_xaxis_transform(), ha="right", va="bottom", color=INVALID)
    ax.set(xscale="log", xlim=(0.5, 1.4 * SECONDS), xticks=[1, 10, 100], xticklabels=["1", "10", "100"],
           xlabel="processor seconds, all cores together", ylabel="IoU on the withheld scenes")
    return ax
