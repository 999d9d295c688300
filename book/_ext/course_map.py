"""The map of the chapters: what builds on what, how long each takes, and which plan teaches it."""

import matplotlib as mpl
from course_chapters import Chapter, nearest_needs
from course_plans import Plan
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, PathPatch
from matplotlib.path import Path as Curve

from course_utils.colours import CLOUD, FALSE_POSITIVE, INVALID, STYLE

# Everything is placed in inches from the top left corner, so that letters keep their size however many rows there are.
ROW, CAPTION, HEADLINE, LINE, FOOT, WIDTH = 0.29, 0.36, 0.32, 0.14, 0.36, 5.1
STATION, TITLE, MINUTES, FIRST_PLAN, PLAN_STEP = 0.68, 0.84, 3.87, 4.13, 0.37
RADIUS, REACH = 0.055, 0.56
PART_HUES = (CLOUD, FALSE_POSITIVE, "#00694D")
SVG = {"svg.fonttype": "path", "svg.hashsalt": "chapters"}      # the same file from the same chapters


def rows(chapters: dict[int, Chapter]) -> dict[int, float]:
    """Place the chapters from top to bottom, with room for a caption above each part.

    Args:
        chapters: by number.

    Returns:
        The height of each, in inches below the top.
    """
    placed, y, part = {}, 0.1, None
    for number, chapter in chapters.items():
        y += ROW + (CAPTION if chapter.part != part else 0)
        placed[number], part = y, chapter.part
    return placed


def draw(chapters: dict[int, Chapter], plans: dict[str, Plan]) -> Figure:
    """Draw the map.

    Args:
        chapters: by number, in order.
        plans: shown as columns.

    Returns:
        A figure on a white ground.
    """
    placed = rows(chapters)
    height = max(placed.values()) + ROW + FOOT
    parts = dict.fromkeys(chapter.part for chapter in chapters.values())
    hues = dict(zip(parts, PART_HUES, strict=False))
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, height), layout="none")
        ax = fig.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, WIDTH), ylim=(height, 0))
        ax.set_axis_off()
        above, part = None, None
        for number, chapter in chapters.items():
            y, hue = placed[number], hues[chapter.part]
            if chapter.part != part:
                ax.text(TITLE, y - 0.3, chapter.part, color=hue, fontsize=11, fontweight="bold", va="center")
            for need in nearest_needs(chapters, number):
                _line(ax, placed[need], y, hues[chapters[need].part], beside=need == above)
            above, part = number, chapter.part
            ax.plot(STATION, y, "o", color=hue, markersize=9, zorder=3)
            ax.text(TITLE, y, f"{chapter.label}  {chapter.title}", fontsize=10, va="center_baseline")
            ax.text(MINUTES, y, str(chapter.minutes), fontsize=10, ha="right", va="center_baseline")
            _marks(ax, y, number, plans, hue)
        _legend(ax, height, plans)
    return fig


def _line(ax: Axes, above: float, below: float, hue: str, beside: bool) -> None:
    """From a chapter to one that builds on it: straight to the next row, else round the rows between."""
    if beside:
        ax.plot([STATION, STATION], [above, below], color=hue, linewidth=2, zorder=1)
        return
    x, reach = STATION - RADIUS, min(REACH, 0.2 + 0.15 * (below - above)) * 4 / 3       # a cubic goes 3/4 of its way
    curve = Curve([(x, above), (x - reach, above), (x - reach, below), (x - 0.02, below)],
                  [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])
    ax.add_patch(PathPatch(curve, facecolor="none", edgecolor=hue, linewidth=1.3, zorder=1))
    ax.add_patch(FancyArrowPatch((x - 0.04, below), (x, below), arrowstyle="-|>", mutation_scale=9, color=hue))


def _marks(ax: Axes, y: float, number: int, plans: dict[str, Plan], hue: str) -> None:
    """A full circle in the column of each plan that teaches all of a chapter, half a circle where it is in short."""
    for column, plan in enumerate(plans.values()):
        if number in plan.taught:
            ax.plot(FIRST_PLAN + PLAN_STEP * column, y, "o", color=hue, markerfacecoloralt="white", markersize=8,
                    fillstyle="bottom" if plan.taught[number] else "full")
        else:
            ax.plot(FIRST_PLAN + PLAN_STEP * column, y, "o", color="0.75", markersize=2)


def _legend(ax: Axes, height: float, plans: dict[str, Plan]) -> None:
    """Say what columns and marks mean."""
    style = {"fontsize": 9, "color": INVALID, "va": "baseline"}
    ax.text(MINUTES, HEADLINE, "minutes", ha="right", **style)
    for column, plan in enumerate(plans.values()):
        for above, word in enumerate(reversed(plan.title.lower().split())):
            ax.text(FIRST_PLAN + PLAN_STEP * column, HEADLINE - LINE * above, word, ha="center", **style)
    y = height - 0.18
    for x, fill, word in ((2.3, "full", "whole chapter"), (3.75, "bottom", "in short")):
        ax.plot(x, y - 0.04, "o", color=INVALID, markerfacecoloralt="white", markersize=8, fillstyle=fill)
        ax.text(x + 0.13, y, word, ha="left", **style)
    ax.plot([0.1, 0.4], [y - 0.04, y - 0.04], color=INVALID, linewidth=2)
    ax.text(0.5, y, "is built upon", ha="left", **style)


def in_words(chapters: dict[int, Chapter]) -> str:
    """Say what the map shows, for someone who cannot see it.

    Args:
        chapters: by number.

    Returns:
        A sentence for each part of the picture.
    """
    lines = []
    for number, chapter in chapters.items():
        if needs := nearest_needs(chapters, number):
            lines.append(f"{chapter.label} on {' and '.join(chapters[need].label for need in needs)}")
    first, *_, last = (chapter.label for chapter in chapters.values())
    return (f"The chapters from {first} to {last} in a column, each with its minutes and a mark under every plan that "
            f"teaches it. Lines show which builds on which: {', '.join(lines)}.")
