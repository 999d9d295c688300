"""Checks of chapter 11, From simulation to real satellites."""

import re
import textwrap

import numpy as np

from course_utils import recorded
from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_dtype,
    expect_equal,
    expect_parts,
    expect_property,
    expect_range,
    expect_shape,
    expect_type,
)
from course_utils.sim2real.domain import from_json, pooled, surface_of

# The sections of Mitchell et al. (2019), doi:10.1145/3287560.3287596, and what each has to answer.
SECTIONS = {
    "Model details": "What is it, in a sentence? Which version, made when, by which command?",
    "Intended use": "What for, and for whom?",
    "Factors": "What may change how well it does: surface, cloud, sensor?",
    "Metrics": "Which scores, and from which probability is a pixel cloud?",
    "Evaluation data": "How many scenes, of what, labelled by whom?",
    "Training data": "What has it seen?",
    "Quantitative analyses": "How well does it do, overall with an interval, and by surface?",
    "Ethical considerations": "Whom may it harm, and how?",
    "Caveats and recommendations": "Where does it fail, and what must it not be used for?",
}
WORDS = 5           # a section has at least so many
NUMBER = r"\d+(?:\.\d+)?"
NEAR = 0.006        # two decimals of a score are enough


@exercise(hints=(
    "What is drawn independently? Count that, in (a) and in (b).",
    "The width goes like 1/√n, n the number of satellite images. In (b), n has not changed.",
))
def how_many(answer):
    """Four times the scenes halve the interval; four times the patches of the same scenes do not narrow it."""
    expect_shape(answer, (2,), cause="give two numbers in one tuple")
    first, second = (float(value) for value in answer)
    expect_close(first, 0.08, rtol=0.02, expected="the width with four times as many images",
                 cause="the width shrinks like one over the square root of the number of images", slips=[
        (0.04, "four times the images do not make the interval four times narrower: think of the square root"),
        (0.16, "more independent images do narrow it"), (0.32, "more images cannot make it wider")])
    expect_close(second, 0.16, rtol=0.02, expected="the width with more patches of the same images",
                 cause="ask what was drawn independently", slips=[
        (0.08, "patches of one image share its sky: they were not drawn independently"),
        (0.04, "patches of one image share its sky: they were not drawn independently")])


@exercise(hints=(
    "All places where either staircase changes: the values of both, sorted. How high is each staircase right of them?",
    "`np.searchsorted(np.sort(a), x, side='right') / len(a)` is the share of a up to x. Multiply gaps by `np.diff(x)`.",
))
def wasserstein(answer):
    """The area between the two distributions, for samples of any two lengths, as scipy computes it."""
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(0)
    cases = [(rng.normal(0, 1, 40), rng.normal(1, 2, 40)), (rng.random(7), rng.random(200) + 3),
             (np.round(rng.random(50), 1), np.round(rng.random(30), 1)), (np.array([2.0]), np.array([-1.0, 5.0, 5.0]))]
    for a, b in cases:
        got, want = call(answer, a, b), wasserstein_distance(a, b)
        x = np.sort(np.concatenate([a, b]))
        gaps = {side: np.abs(np.searchsorted(np.sort(a), x, side=side) / len(a)
                             - np.searchsorted(np.sort(b), x, side=side) / len(b)) for side in ("left", "right")}
        slips = [(gaps["right"].max(), "that is the largest gap, the Kolmogorov–Smirnov distance, not the area"),
                 (gaps["right"].sum(), "each gap has to be multiplied by the width on which it holds"),
                 (gaps["right"].mean(), "each gap has to be multiplied by the width on which it holds"),
                 ((gaps["left"][:-1] * np.diff(x)).sum(), "the staircases are taken left of each value, the widths "
                  "right of it: use side='right'"),
                 (abs(a.mean() - b.mean()), "that is the difference of the means; two distributions may share it"),
                 (_cut_to_one_length(a, b), "the samples were cut to one length, which throws away values")]
        slips = [(value, cause) for value, cause in slips if not np.isclose(value, want)]
        expect_close(got, want, rtol=1e-9, expected="an area: gap times width, added up", slips=slips,
                     cause="the shares must be of each sample's own length, and the values in order")


def _cut_to_one_length(a, b):
    """What comes of comparing only as many values as the shorter sample has."""
    n = min(len(a), len(b))
    return np.abs(np.sort(a[:n]) - np.sort(b[:n])).mean()


@exercise(hints=(
    "A step from one start to the next is tile − overlap. Which is the last start that fits?",
    "`range(0, last, step)` with last = length − tile, then `last` itself; and mind an axis shorter than a tile.",
))
def tile_starts(answer):
    """Tiles begin at 0, share the overlap, end exactly at the end, and none is laid twice."""
    for length, tile, overlap in ((768, 256, 0), (768, 256, 64), (700, 256, 64), (256, 256, 64), (100, 256, 64),
                                  (257, 256, 0), (1000, 100, 99), (640, 256, 128)):
        got = call(answer, length, tile, overlap)
        expect_type(got, (list, tuple, range, np.ndarray), expected="a list of whole numbers")
        setting = f"for length={length}, tile={tile}, overlap={overlap}"
        expect_property(all(isinstance(start, int | np.integer) for start in got), f"starts that are no whole numbers "
                        f"{setting}", "whole numbers")
        starts = [int(start) for start in got]
        expect_property(starts == sorted(starts) and starts[:1] == [0], f"starts {starts[:6]} {setting}",
                        "starts in order, from 0")
        expect_property(len(set(starts)) == len(starts), f"a tile laid twice {setting}", "every start once",
                        cause="where the tiles fit exactly, the last one is already there")
        end = starts[-1] + tile
        expect_property(end >= length, f"the last tile ends at {end} {setting}", "an end at the end of the axis",
                        cause="the last pixels are in no tile: the last tile is missing")
        expect_property(end == max(length, tile), f"the last tile ends at {end} {setting}",
                        "an end at the end of the axis", cause="the last tile must be moved back to end at the edge")
        want = [*range(0, max(length - tile, 0), tile - overlap), max(length - tile, 0)]
        expect_equal(starts, want, expected=f"starts that are tile − overlap apart, the last excepted, {setting}",
                     cause="the step from tile to tile is tile − overlap")


@exercise(hints=(
    "`kept_and_error` gives, for each number of steps, the share kept and the error among them. Where is it below 3 %?",
    "The last place where the error is below 0.03, plus one, is the number of steps; the limit is that over 100.",
))
def decline(answer):
    """Less than 3 % of the kept pixels are wrong, and a looser limit would not do."""
    limit, share = (float(value) for value in expect_parts(answer, 2, "two numbers: the limit and the share"))
    expect_range(limit, 0.01, 0.5, cause="a doubt lies between 0 and 0.5")
    steps = round(limit * 100)
    expect_property(abs(limit * 100 - steps) < 1e-6, f"a limit of {limit}", "a multiple of 0.01")
    pixels, wrong = np.cumsum(np.array(recorded.results("satellites")[0]["doubts"]["real"]["together"]), axis=1)
    error, kept = wrong / np.maximum(pixels, 1), pixels / pixels[-1]
    expect_property(error[steps - 1] < 0.03, f"{error[steps - 1]:.2%} wrong among the pixels below {limit:.2f}",
                    "less than 3 %", cause="the limit is too loose, or the error is that of one step, not of all below")
    expect_property(steps == np.flatnonzero(error < 0.03).max() + 1, f"a limit of {limit:.2f}, which keeps "
                    f"{kept[steps - 1]:.1%} of the pixels", "the limit that keeps the most", cause="a looser one would "
                    "do; limits count from 0.01, places in an array from 0")
    expect_close(share, kept[steps - 1], rtol=1e-3, expected="the share of pixels that is kept at this limit",
                 cause="divide the pixels up to the limit by all pixels",
                 slips=[(1 - kept[steps - 1], "that is the share set aside"),
                        (100 * kept[steps - 1], "a share, not percent")])


@exercise(hints=(
    "Nine sections, each `## ` and the name as printed above. Let f-strings put the numbers in.",
    "*Quantitative analyses* is read most closely: the mean IoU of `members together`, a lower and an upper end, and "
    "for each of at least three surfaces a line with its name and a score. *Caveats* must name a surface that "
    "scores worse than all together, and say 'not for …'.",
))
def card(answer):
    """All nine sections are there, scores are those of the record with an interval and by surface, limits are named."""
    expect_type(answer, str, expected="the card as one text")
    plain = textwrap.dedent(answer).strip() + "\n"
    sections = re.findall(r"^## *(.+?)[ :]*\n((?:(?!^## ).*\n?)*)", plain, re.MULTILINE)
    parts = {title.lower(): text for title, text in sections}
    for title in SECTIONS:
        expect_property(title.lower() in parts, f"no section '## {title}'", "all nine sections",
                        cause="each starts on a line of its own, with two # and its name")
        words = len(parts[title.lower()].split())
        expect_property(words >= WORDS, f"{words} words under {title}", "a section that says something",
                        cause="a heading without an answer")
    found = from_json(recorded.results("satellites")[0]["counts"]["real"]["members together"])
    _check_numbers(parts["quantitative analyses"], found)
    expect_property(re.search(rf"\b{len(found)}\b", parts["evaluation data"]), "Evaluation data without the right "
                    "number of scenes", "how many scenes it was tested on, in figures",
                    cause="the reader must see how few they are")
    expect_property("simulat" in parts["training data"].lower(), "no word of simulated scenes under Training data",
                    "what the model has seen")
    caveats = parts["caveats and recommendations"]
    named = [surface for surface in _surfaces(found) if _names(surface, caveats)]
    expect_property(named, "no surface named under Caveats", "a surface on which the model fails",
                    cause="the table by surface tells")
    overall = pooled(found).scores()["accuracy"]
    expect_property(any(_scores(found, surface)["accuracy"] < overall for surface in named), "under Caveats only "
                    f"surfaces that score well: {', '.join(named)}", "a surface on which the model fails",
                    cause="compare the accuracy of each surface with that of all together")
    expect_property(re.search(r"\bnot\b|\bnever\b", caveats.lower()), "no use ruled out under Caveats",
                    "something that the model must not be used for")


def _surfaces(found):
    """The surfaces of the recorded scenes."""
    return sorted({surface_of(name) for name in found})


def _scores(found, surface):
    """The scores over all patches of a surface."""
    return pooled(found, [name for name in found if surface_of(name) == surface]).scores()


def _names(surface, text):
    """Where a text names a surface by one of its words: "crops" is "GrassCrops", "shrubs" is "Shrubland"."""
    words = (rf"\b{word[:5]}" for word in re.findall("[A-Z][a-z]+", surface))
    return list(re.finditer("|".join(words), text, re.IGNORECASE))


def _numbers(text):
    """The numbers in a text, as shares where they are percent or larger than 1."""
    values = [(float(one), percent) for one, percent in re.findall(rf"({NUMBER})\s*(%?)", text)]
    return [value / 100 if percent or value > 1 else value for value, percent in values]


def _check_numbers(text, found):
    """The part of the card that has to agree with the record."""
    want = pooled(found).scores()["mean_iou"]
    expect_property(any(abs(number - want) < NEAR for number in _numbers(text)), "no mean IoU that agrees with the "
                    "record under Quantitative analyses", "the mean IoU on real scenes", cause="take it from the "
                    "counts of `members together` on real scenes; simulated ones say nothing about real ones")
    pairs = re.findall(rf"({NUMBER}\s*%?)\s*(?:to|–|-|and|,|…)\s*({NUMBER}\s*%?)", text)
    ends = (_numbers(" ".join(pair)) for pair in pairs)
    expect_property("±" in text or any(low < want < high < low + 0.5 for low, high in ends), "no interval around the "
                    "mean IoU under Quantitative analyses", "an interval, such as 0.70 to 0.90, or ±",
                    cause="a score without its uncertainty")
    rest = {surface: [text[place.start():].split("\n")[0] for place in _names(surface, text)]
            for surface in _surfaces(found)}        # from the name to the end of its line
    scored = {surface: [_numbers(line) for line in lines if _numbers(line)] for surface, lines in rest.items()}
    named = [surface for surface in scored if scored[surface]]
    expect_property(len(named) >= 3, f"{len(named)} surfaces with a number", "at least three surfaces, each with its "
                    "number", cause="one score over all surfaces hides where the model fails")
    right = [surface for surface in named if any(
        abs(number - score) < NEAR for line in scored[surface] for number in line
        for score in _scores(found, surface).values() if score is not None)]
    wrong = [surface for surface in named if surface not in right]
    expect_property(len(right) >= 3, f"numbers that the record does not have for {', '.join(wrong)}", "at least three "
                    "surfaces with one of their scores", cause="take them from the counts of `members together` on the "
                    "patches of that surface; name and number stand on one line")


@exercise(hints=(
    "Compare each line with the text: M and A, degrees, every band, 0 where nothing was measured.",
    "`np.sin` wants radians. `any` is true where a single band has a count. What does M·Q + A make of a count of 0?",
))
def bug_hunt(answer):
    """Offset, sun and fill value are right, and a pixel counts only if every band was measured."""
    rng = np.random.default_rng(1)
    for shape, elevation in (((3, 4, 6), 30.0), ((7, 5, 5), 62.5)):
        counts = rng.integers(5001, 40000, shape, dtype=np.uint16)
        factor, offset = 2e-5, -0.1
        counts[:, 0, 0] = 0
        counts[1, 1, 1] = 0
        right = (counts > 0).all(axis=0)
        got = call(answer, counts, factor, offset, elevation)
        image, valid = expect_parts(got, 2, "two arrays: the image and `valid`")
        expect_dtype(valid, np.bool_)
        expect_equal(valid, right, expected="true where every band was measured",
                     cause="`any` is true where a single band was measured")
        expect_dtype(image, np.float32)
        expect_shape(image, counts.shape)
        sun = np.sin(np.radians(elevation))
        stored = counts.astype(np.float64)
        expect_close(image[:, right], ((stored * factor + offset) / sun)[:, right], rtol=1e-4, atol=1e-6,
                     expected="(M·Q + A) / sin θ at every measured pixel", cause="the formula", slips=[
            ((stored * factor / sun)[:, right], "the offset is forgotten"),
            (((stored * factor + offset) / np.sin(elevation))[:, right], "the sine of degrees: `np.sin` wants radians"),
            ((stored * factor / np.sin(elevation))[:, right], "the offset is forgotten, and `np.sin` wants radians"),
            ((stored * factor + offset)[:, right], "the sun's elevation is forgotten"),
            (((stored * factor + offset) / np.cos(np.radians(elevation)))[:, right], "the sine of the elevation is "
             "the cosine of the angle from the vertical, not of the elevation"),
            ((stored * factor + offset / sun)[:, right], "the offset is divided by the sine, the counts are not"),
            ((stored * factor / sun + offset)[:, right], "the offset must be added before dividing by the sine")])
        expect_property((image[:, ~right] == 0).all(), "another number than 0 where nothing was measured", "0 there",
                        cause="a count of 0 has become the offset: set pixels that are not valid to 0 at the end")
