"""The roofline: what a machine can do at most, and where the layers of a network stand below it (chapter 12)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.colours import CLOUD, FALSE_POSITIVE
from course_utils.measure.roofline import Machine

INTENSITIES = np.geomspace(0.06, 600, 200)                     # operations per byte

__all__ = ["draw_roofline"]


def draw_roofline(
    machines: Sequence[Machine], points: Mapping[str, tuple[float, float]], ax: Axes | None = None
) -> Axes:
    """Draw the roofs of some machines, and layers as dots with their names, the upper of two neighbours' above its dot.

    Args:
        machines: the first with a solid roof, the others dashed.
        points: for each layer, by its name: operations per byte, and operations a second as measured.
        ax: where to draw; made when absent.

    Returns:
        The axes, both logarithmic.

    Source:
        Chapter 12, after Williams, Waterman, Patterson (2009).

    Example:
        >>> ax = draw_roofline([Machine("toy", 1e11, 1e10)], {"ReLU": (0.125, 1e9)})
        >>> ax.get_xlabel(), [text.get_text() for text in ax.texts]
        ('operations per byte', ['toy', 'ReLU'])
    """
    ax = ax or plt.subplots(figsize=(5.4, 4.0))[1]
    for machine, line, colour in zip(machines, ("-", "--", ":"), (CLOUD, "0.5", "0.5"), strict=False):
        ax.plot(INTENSITIES, [machine.roof(x) / 1e9 for x in INTENSITIES], line, color=colour)
        ax.plot(machine.ridge, machine.peak / 1e9, "o", color=colour, markersize=4)
        ax.text(machine.ridge, machine.peak / 1e9 * 1.12, machine.name, ha="center", va="bottom", color=colour)
    for name, (intensity, speed) in points.items():
        ax.plot(intensity, speed / 1e9, "D", color=FALSE_POSITIVE, markersize=5)
        above = any(abs(np.log10(intensity / other)) < 0.3 and speed > lower for other, lower in points.values())
        ax.annotate(name, (intensity, speed / 1e9), (0, 6 if above else -6), textcoords="offset points", ha="center",
                    va="bottom" if above else "top", fontsize=9,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})
    ax.set(xscale="log", yscale="log", xlabel="operations per byte", ylabel="10⁹ operations a second",
           xlim=(INTENSITIES[0], INTENSITIES[-1]))
    ax.margins(y=0.12)                                         # room for the name below the lowest dot
    return ax
