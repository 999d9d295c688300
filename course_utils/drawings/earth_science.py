"""A run that drifts away from its climate, beside one that does not (chapter 16)."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from course_utils.colours import CLOUD, FALSE_POSITIVE, INVALID
from course_utils.simulate.lorenz import STEP


def drift(axes: np.ndarray, runs: Sequence[Tensor], labels: Sequence[str], shown: float = 50.0) -> np.ndarray:
    """Draw runs of Lorenz's equations below each other: z against time, and beside it z against x of the later half.

    Args:
        axes: (len(runs), 2); behind each run the first one is repeated in grey.
        runs: (T, 3) each; the first is the truth.
        labels: a short heading for each.
        shown: how much time the left panels show, in the equations' unit of time.

    Returns:
        The axes.

    Raises:
        ValueError: not a row of two axes and a label for each run.
    """
    if axes.shape != (len(runs), 2) or len(labels) != len(runs):
        raise ValueError(f"found axes {axes.shape}, {len(runs)} runs and {len(labels)} labels; "
                         "expected two axes and a label for each run")
    first = runs[0].numpy()
    for (left, right), run, label, colour in zip(axes, runs, labels, [INVALID, CLOUD, FALSE_POSITIVE] * len(runs),
                                                 strict=False):
        run, early = run.numpy(), int(shown / STEP)
        time = STEP * np.arange(early)
        later = slice(len(run) // 2, None)
        if run is not first:
            left.plot(time, first[:early, 2], color="0.8", linewidth=0.8)
            right.plot(*first[later, ::2].T, color="0.85", linewidth=0.3)
        left.plot(time, run[:early, 2], color=colour, linewidth=1.2)
        right.plot(*run[later, ::2].T, color=colour, linewidth=0.6, marker=".", markersize=0.8)
        left.set(title=label, ylabel="z", xlim=(0, shown), ylim=(0, 50))
        right.set(xlim=(-22, 22), ylim=(0, 50), xticks=[], yticks=[])
    axes[-1, 0].set_xlabel("time")
    axes[-1, 1].set_xlabel("x")
    return axes
