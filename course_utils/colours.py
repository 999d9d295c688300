"""The colours that stand for a class, everywhere in the course, and matplotlib's settings that go with them.

The hues are Okabe and Ito's, chosen to stay apart for readers with red-green colour blindness. Agreement is a
pale grey, so that the eye finds the errors first, and because a deuteranope sees a middle grey and the pink
alike; `tests/test_plots.py` measures every pair. The site's style sheet uses the same values.

Source: M. Okabe and K. Ito, Color Universal Design (2002).
"""

from cycler import cycler

from course_utils import codes

CLEAR = "#E69F00"
CLOUD = "#0072B2"
THIN = "#56B4E9"
INVALID = "#333333"

TRUE_POSITIVE = "#0072B2"
TRUE_NEGATIVE = "#E5E5E5"
FALSE_POSITIVE = "#D55E00"
FALSE_NEGATIVE = "#CC79A7"

# What each value of `codes` is called and how it is painted.
CODE_COLOURS = {
    codes.CLEAR: ("clear", CLEAR),
    codes.THICK: ("thick cloud", CLOUD),
    codes.THIN: ("thin cloud", THIN),
    codes.IGNORE: ("no data", INVALID),
}

# The same for (pred, mask).
CONFUSION_COLOURS = {
    (True, True): ("cloud found", TRUE_POSITIVE),
    (False, False): ("clear, agreed", TRUE_NEGATIVE),
    (True, False): ("false alarm", FALSE_POSITIVE),
    (False, True): ("cloud missed", FALSE_NEGATIVE),
}

STYLE = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 150,  # about 1.4 times the width of the text column: crisp, and light enough
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.labelsize": 11,
    "legend.fontsize": 10,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[CLOUD, FALSE_POSITIVE, "#009E73", FALSE_NEGATIVE, THIN, CLEAR]),
    "axes.grid": False,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
}
