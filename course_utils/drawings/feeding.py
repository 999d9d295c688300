"""Where each millisecond of a training goes: what the loader and the model do, side by side (chapter 13)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from course_utils.colours import CLEAR, CLOUD
from course_utils.measure.feeding import Event

LANES = {           # stage of an event: name, colour, colour of the numbers
    "load": ("loader", CLEAR, "black"),
    "step": ("model", CLOUD, "white"),
}
DIGIT, SLIVER = 0.02, 0.008         # width of a digit, and of the narrowest bar with an outline, in widths of the axes


def timeline(events: Sequence[Event], ax: Axes, batches: int = 8, skip: int = 2) -> float:
    """Draw when some successive batches were loaded and learned from, a lane for the loader and one for the model.

    A bar that is wide enough has the number of its batch, counted from 1.

    Args:
        events: what a `Recorder` noted.
        ax: where to draw.
        batches: how many batches are followed.
        skip: batches before them, at least 1: at first everything is new.

    Returns:
        Milliseconds a batch, from the end of a step to the end of the next, in the mean over the batches followed.

    Raises:
        ValueError: fewer batches were recorded.
    """
    last = skip + batches - 1
    steps = sorted(event.stop for event in events if event.stage == "step" and event.batch <= last)
    if skip < 1 or len(steps) <= last:
        raise ValueError(f"found {len(steps)} recorded steps, expected at least {last + 1} for batches={batches} and "
                         f"skip={skip} (from 1): record more of them")
    bars, (origin, end) = [], (steps[skip - 1], steps[-1])            # from the end of a step to the end of another
    for event in events:
        if event.stop <= origin or event.start >= end:
            continue
        lane = list(LANES).index(event.stage)
        _, colour, ink = LANES[event.stage]
        start, stop = (1e3 * (min(max(moment, origin), end) - origin) for moment in (event.start, event.stop))
        (bar,) = ax.barh(lane, stop - start, left=start, height=0.72, color=colour, edgecolor=colour, linewidth=0.8)
        bars.append((bar, str(event.batch + 1), ink))
    for bar, number, ink in bars:                       # the axis has its final width now
        share = bar.get_width() / np.ptp(ax.get_xlim())
        if share > SLIVER:                              # else an edge of another colour would be all that is seen
            bar.set_edgecolor("white")
        if share > DIGIT * len(number):
            middle = bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height() / 2
            ax.text(*middle, number, ha="center", va="center", color=ink, size=8)
    names = [name for name, *_ in LANES.values()]
    ax.set(xlabel="milliseconds", yticks=range(len(LANES)), yticklabels=names, ylim=(len(LANES) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    return 1e3 * (end - origin) / batches
