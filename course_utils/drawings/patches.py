"""Which inputs one output of a network reads (chapter 09)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from course_utils.colours import CLOUD, FALSE_POSITIVE

LEVELS = ("signal", "convolution", "pooling", "convolution")
GREY = "0.75"


def readers(taps: Sequence[Sequence[int]], output: int) -> list[set[int]]:
    """Follow one output down through layers that each read a few places of the one below.

    Args:
        taps: for each layer, from the first up, how far from an output's place the places that it reads lie.
        output: place of the output.

    Returns:
        The places that are read, on the signal first, the output itself last.

    Example:
        >>> [sorted(level) for level in readers([(0, 1), (0, 2)], output=5)]
        [[5, 6, 7, 8], [5, 7], [5]]
    """
    levels = [{output}]
    for layer in reversed(taps):
        levels.insert(0, {place + tap for place in levels[0] for tap in layer})
    return levels


def reading_tree(ax: Axes, taps: Sequence[Sequence[int]], strides: Sequence[int], outputs: Sequence[int],
                 length: int) -> Axes:
    """Draw the values of every layer as dots over the signal, and what some outputs read as lines.

    Args:
        ax: where to draw.
        taps: for each layer, which places it reads, counted on the signal: from the output's own place on.
        strides: for each layer, how many places of the signal lie between two of its values.
        outputs: places of the outputs to follow, at most two, each in a colour of its own.
        length: places on the signal.

    Returns:
        The axes.
    """
    reach = 0
    for level in range(len(taps) + 1):
        if level:
            reach += max(taps[level - 1])
        step = strides[level - 1] if level else 1
        places = np.arange(0, length - reach, step)
        ax.plot(places, np.full(len(places), level), "o", color=GREY, markersize=5, zorder=1)
    for output, colour, shift in zip(outputs, (CLOUD, FALSE_POSITIVE), (0.0, 0.06), strict=False):
        levels = readers(taps, output)
        for level, layer in enumerate(taps, start=1):
            for top in levels[level]:
                for tap in layer:
                    ax.plot([top + tap, top], [level - 1 + shift, level + shift], color=colour, linewidth=1, zorder=2)
        for level, places in enumerate(levels):
            ax.plot(sorted(places), [level + shift] * len(places), "o", color=colour, markersize=5, zorder=3)
    ax.set(xticks=[], yticks=range(len(taps) + 1), yticklabels=LEVELS[: len(taps) + 1], ylim=(-0.4, len(taps) + 0.5))
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax
