"""Planted wrong answers of chapter 11, and the words that each must be told."""

import numpy as np

from course_utils import recorded
from course_utils.checks.satellites import SECTIONS
from course_utils.sim2real.domain import from_json, pooled, surface_of

FOUND = from_json(recorded.results("satellites")[0]["counts"]["real"]["members together"])
REAL = pooled(FOUND).scores()["mean_iou"]
OF = {surface: pooled(FOUND, [name for name in FOUND if surface_of(name) == surface]).scores()
      for surface in ("Forest", "Urban", "Wetlands")}
ROWS = (f"Forest: {OF['Forest']['accuracy']:.2f}\nCities (urban): {OF['Urban']['thin_recall']:.0%} of the thin cloud\n"
        f"Wetlands: {OF['Wetlands']['mean_iou']:.2f}")


def area(a, b, side="right", widths=True):
    x = np.sort(np.concatenate([a, b]))
    gap = np.abs(np.searchsorted(np.sort(a), x, side) / len(a) - np.searchsorted(np.sort(b), x, side) / len(b))
    return (gap[:-1] * np.diff(x)).sum() if widths else gap.sum()


def largest_gap(a, b):
    x = np.concatenate([a, b])
    return np.abs(np.searchsorted(np.sort(a), x, "right") / len(a)
                  - np.searchsorted(np.sort(b), x, "right") / len(b)).max()


def cut_to_one_length(a, b):
    n = min(len(a), len(b))
    return np.abs(np.sort(a[:n]) - np.sort(b[:n])).mean()


def sorts_in_place(a, b):
    a.sort()
    return area(a, b)


def no_last(length, tile, overlap):
    return list(range(0, max(length - tile, 0) + 1, tile - overlap))


def beyond_the_edge(length, tile, overlap):
    return list(range(0, max(length - overlap, 1), tile - overlap))


def twice(length, tile, overlap):
    last = max(length - tile, 0)
    return [*range(0, last + 1, tile - overlap), last]


def step_of_a_tile(length, tile, overlap):
    last = max(length - tile, 0)
    return [*range(0, last, tile), last]


def limits():
    """The right limit and share, and the share of errors below each limit."""
    pixels, wrong = np.cumsum(np.array(recorded.results("satellites")[0]["doubts"]["real"]["together"]), axis=1)
    error = wrong / np.maximum(pixels, 1)
    steps = np.flatnonzero(error < 0.03).max() + 1
    return steps / 100, pixels[steps - 1] / pixels[-1]


def card(**changed):
    """A passing card with some sections exchanged, by the first word of their name; None leaves one out."""
    texts = dict.fromkeys(SECTIONS, "Some words that say what is so.")
    texts |= {
        "Evaluation data": f"{len(FOUND)} patches labelled by analysts, all of them Landsat-8.",
        "Training data": "Three hundred simulated scenes and nothing else.",
        "Quantitative analyses": f"Mean IoU {REAL:.3f} (0.70 to 0.95).\n{ROWS}",
        "Caveats and recommendations": "Fails on wetland; it is not for climate records.",
    }
    for title in SECTIONS:
        texts[title] = changed.get(title.split()[0].lower(), texts[title])
    return "\n".join(f"## {title}\n{text}" for title, text in texts.items() if text is not None) + "\n"


def reflectance(counts, factor, offset, elevation, *, add=True, radians=True, sun=True, every=True, fill=True):
    image = counts * factor + (offset if add else 0)
    if sun:
        image = image / np.sin(np.radians(elevation) if radians else elevation)
    valid = (counts > 0).all(axis=0) if every else (counts > 0).any(axis=0)
    return (np.where(valid, image, 0) if fill else image).astype(np.float32), valid


def without(**changed):
    """The right function with one thing left out."""
    return lambda counts, factor, offset, elevation: reflectance(counts, factor, offset, elevation, **changed)


MEAN_IOU = "no mean IoU that agrees with the record"
LIMIT, SHARE = limits()

WRONG = {
    "how_many": [
        ((0.04, 0.16), "think of the square root"),
        ((0.08, 0.08), "share its sky"),
        ((0.16, 0.16), "do narrow it"),
        ((0.08,), "two numbers"),
    ],
    "wasserstein": [
        (largest_gap, "the Kolmogorov–Smirnov distance"),
        (lambda a, b: area(a, b, widths=False), "multiplied by the width"),
        (lambda a, b: area(a, b, side="left"), "use side='right'"),
        (lambda a, b: abs(a.mean() - b.mean()), "difference of the means"),
        (cut_to_one_length, "cut to one length"),
        (sorts_in_place, "changed its input"),
    ],
    "tile_starts": [
        (no_last, "the last tile is missing"),
        (beyond_the_edge, "moved back"),
        (twice, "already there"),
        (step_of_a_tile, "the step from tile to tile"),
        (lambda length, tile, overlap: [length // 2, length - tile], "starts in order, from 0"),
        (lambda length, tile, overlap: [0.0, (length - tile) / 2, length - tile], "no whole numbers"),
    ],
    "decline": [
        ((0.5, 1.0), "too loose"),
        ((LIMIT - 0.01, SHARE), "a looser one would do"),
        ((LIMIT, 1 - SHARE), "the share set aside"),
        ((LIMIT, 100 * SHARE), "not percent"),
        ((LIMIT + 0.005, SHARE), "a multiple of 0.01"),
        (LIMIT, "two numbers"),
    ],
    "card": [
        ("A fine model.", "no section '## Model details'"),
        (card(factors=None), "no section '## Factors'"),
        (card(ethical="None."), "1 words under Ethical considerations"),
        (card(quantitative=f"Mean IoU 0.99 (0.70 to 0.95).\n{ROWS}"), MEAN_IOU),
        (card(quantitative=f"Mean IoU {REAL:.3f}.\n{ROWS}"), "without its uncertainty"),
        (card(quantitative=f"Mean IoU {REAL:.3f}, on 12 to 29 patches.\n{ROWS}"), "without its uncertainty"),
        (card(quantitative=f"Mean IoU {REAL:.3f} (0.70 to 0.95). Forest: 0.92."), "hides where the model fails"),
        (card(quantitative=f"Mean IoU {REAL:.3f} (0.70 to 0.95).\nForest: 0.71\nWater: 0.50\nUrban: 41 %"),
         "the record does not have for Forest, Urban, Water"),
        (card(evaluation="Some patches that analysts have labelled."), "how few they are"),
        (card(training="Many scenes of all kinds of surfaces."), "no word of simulated scenes"),
        (card(caveats="It fails on some surfaces; it is not for climate records."), "no surface named"),
        (card(caveats="It fails on water; it is not for climate records."), "only surfaces that score well: Water"),
        (card(caveats="It fails on wetland, so take care there."), "no use ruled out"),
        (["## Model details"], "as one text"),
    ],
    "bug_hunt": [
        (without(add=False), "the offset is forgotten"),
        (without(radians=False), "wants radians"),
        (without(sun=False), "the sun's elevation is forgotten"),
        (without(every=False), "`any` is true"),
        (without(fill=False), "has become the offset"),
    ],
}
