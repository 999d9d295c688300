"""One number drawn as a box: what the drawings of tensors are made of."""

from matplotlib.patches import Rectangle

FADED = 0.25


def draw_cell(ax, across, up, label, colour, bright=True):
    """Draw a box of side 1 with a label in it.

    Args:
        ax: where to draw.
        across: of the lower left corner, in cells.
        up: of the lower left corner, in cells.
        label: short text.
        colour: of the box.
        bright: false fades the box, for a number that is there but not used, or not really there.
    """
    alpha = 1.0 if bright else FADED
    ax.add_patch(Rectangle((across, up), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5, alpha=alpha))
    ink = "white" if bright else "#444444"
    ax.text(across + 0.5, up + 0.47, label, ha="center", va="center", color=ink, size=10)
