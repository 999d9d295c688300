"""Checks of chapter 02, The cloud-masking problem."""

import math
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from course_utils import metrics, simulate
from course_utils.checks.core import RejectedError, call, exercise
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
from course_utils.data.patches import Patches, channel_names, write_png_layout
from course_utils.sensors import PACE_OCI
from course_utils.simulate import decode_uint8


@exercise(hints=(
    "Only valid pixels count: start with 8,000 of them and split them into cloud and clear.",
    "Fill in the four counts. Nothing was called cloud, so two of them are zero; which two?",
))
def all_clear(answer):
    """Accuracy, IoU and recall of a mask that finds nothing, over the valid pixels."""
    expect_shape(answer, (3,), cause="give three numbers in one tuple: (accuracy, iou, recall)")
    accuracy, iou, recall = (float(number) for number in answer)
    for name, score in (("accuracy", accuracy), ("IoU", iou), ("recall", recall)):
        expect_property(not math.isnan(score), f"nan for the {name}", "a number from 0 to 1",
                        cause="a score is undefined where its denominator is 0; this one counts the true cloud as well")
        expect_range(score, 0, 1, cause=f"{name} is a share of 1, neither a percentage nor a count")
    expect_close(accuracy, 0.7, expected="the share of the valid pixels that are right", slips=[
        (0.3, "that is the share of cloud: what it misses"),
        (0.76, "the invalid pixels were counted as right"),
        (0.56, "divided by all pixels, not by the valid ones"),
    ], cause="a valid pixel is right where it is clear")
    expect_close(iou, 0.0, expected="intersection over union of cloud", slips=[
        (0.7, "that is the IoU of the clear class; cloud is the positive class"),
    ], cause="the intersection of nothing with anything")
    expect_close(recall, 0.0, expected="the share of the true cloud that was found", slips=[
        (1.0, "that is the recall of the clear class"), (0.7, "that is the accuracy again"),
    ], cause="of the cloudy pixels, how many did it find?")


@exercise(hints=(
    "Two boolean operators make the intersection and the union; a third one keeps the valid pixels.",
    "Count both with `.sum()`. Before dividing, ask what the union is where nothing is cloud, true or predicted.",
))
def iou(answer):
    """Intersection over union from counts over valid pixels, nan where there is no cloud at all."""
    generator = torch.Generator().manual_seed(5)
    for shape in [(5, 7), (3, 4, 6), (1, 40)]:
        pred, mask = (torch.rand(shape, generator=generator) < 0.4 for _ in range(2))
        valid = torch.rand(shape, generator=generator) < 0.8
        got = call(answer, pred, mask, valid)
        counts = metrics.count(pred, mask, valid)
        tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
        expect_close(float(got), tp / (tp + fp + fn), expected="a share of the valid pixels",
                     cause="which of the four counts belong above the line, and which below?", slips=[
            (((pred & mask).sum() / (pred | mask).sum()).item(), "invalid pixels were counted"),
            (tp / (tp + fn), "that is the recall"),
            (tp / (tp + fp), "that is the precision"),
            ((tp + tn) / (tp + fp + fn + tn), "that is the accuracy"),
            (tn / (tn + fp + fn), "that is the IoU of the clear class; cloud is the positive class"),
            (2 * tp / (2 * tp + fp + fn), "that is the Dice score: the common pixels were counted twice"),
            (tp / (2 * tp + fp + fn), "a pixel that both call cloud belongs to the union once"),
        ])
    nothing, everywhere = torch.zeros(4, 4, dtype=torch.bool), torch.ones(4, 4, dtype=torch.bool)
    for pred, mask, valid in [(nothing, nothing, everywhere), (everywhere, nothing, nothing)]:
        got = float(call(answer, pred, mask, valid))
        expect_property(math.isnan(got), f"{got:g} where no valid pixel is cloud, true or predicted",
                        "nan, float('nan'): the score is undefined, neither perfect nor bad",
                        cause="an empty union, not asked for before the division")
    expect_equal(float(call(answer, everywhere, nothing, everywhere)), 0.0,
                 expected="the score where there is no true cloud but all was called cloud",
                 cause="nan is for an empty union only")


@exercise(hints=(
    "`numbers[index]` is the patch to read; its file names start with that number in seven digits: f'{number:07d}'.",
    "`np.concatenate` along the last axis makes (64, 64, 12) of the four pictures; which `permute` or `moveaxis` "
    "makes (12, 64, 64)? And `output/` is true where it is clear.",
    "Put only the reading into `try`, catch `OSError`, add one to `self.unreadable` and return zeros with the "
    "shapes and dtypes of a good sample.",
))
def patch_folder(answer):
    """Your dataset reads any patches of a folder, turns the mask round, and gives zeros for a damaged file."""
    stored = _stored_patches(6, seed=3)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        write_png_layout(folder, stored)
        numbers = [4, 1, 5, 2]
        dataset = call(answer, folder, numbers)
        for method in ("__len__", "__getitem__"):
            expect_property(hasattr(type(dataset), method), f"a class without `{method}`", "the methods of the stub")
        expect_equal(call(type(dataset).__len__, dataset), 4, expected="the number of patches asked for",
                     slips=[(6, "that is the number of patches in the folder; only `numbers` are asked for")])
        for index, number in enumerate(numbers):
            _check_sample(call(type(dataset).__getitem__, dataset, index), stored, number, index)
        expect_equal(_unreadable(dataset), 0, expected="the count of damaged patches where all are good",
                     cause="the count is raised for good patches too")
        (folder / "input" / "0000001_2.png").write_bytes(b"not an image")
        _check_damaged(call(answer, folder, numbers))


def _check_damaged(dataset):
    """A dataset whose item 1 has a file that is no picture."""
    for _ in range(2):
        try:
            sample = call(type(dataset).__getitem__, dataset, 1)
        except RejectedError as rejected:
            raise RejectedError(rejected.found, "zeros with no valid pixel for a damaged file",
                                "not all the reading is inside `try … except OSError`") from None
    image, _, valid = _parts(sample)
    expect_property(not valid.any(), "valid pixels in a patch with a damaged file",
                    "no valid pixel: what could not be read must count nowhere",
                    cause="the validity is that of a good file, or another patch was put in its place")
    expect_property(not image.any(), "values other than zero in a patch with a damaged file", "zeros")
    expect_property(_unreadable(dataset) >= 1, f"unreadable = {dataset.unreadable}", "the damaged patch counted",
                    cause="the count is never raised")


def _unreadable(dataset):
    """The dataset's own count of damaged patches."""
    expect_property(hasattr(dataset, "unreadable"), "no attribute `unreadable`", "a count of damaged patches",
                    cause="it is not set to 0 in `__init__`")
    count = dataset.unreadable
    expect_property(isinstance(count, int) and not isinstance(count, bool), f"unreadable = {count!r}", "a whole number")
    return count


def _stored_patches(count, seed):
    """Random patches with their bytes, some pixels invalid, none of it symmetric."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, (count, 64, 64), dtype=np.uint8)
    valid = np.ones((count, 64, 64), bool)
    valid[:, :, :5] = False
    image = rng.integers(1, 256, (count, 12, 64, 64), dtype=np.uint8) * valid[:, None]
    return Patches(image, np.where(valid, codes, np.uint8(255)), valid, np.arange(count), channel_names(PACE_OCI))


def _parts(sample):
    """Image, mask and valid of a sample, of the right shapes and types."""
    expect_type(sample, dict, expected="a dictionary with the keys image, mask and valid")
    missing = [key for key in ("image", "mask", "valid") if key not in sample]
    expect_property(not missing, f"a sample without {', '.join(missing)}", "the keys image, mask and valid")
    image, mask, valid = (sample[key] for key in ("image", "mask", "valid"))
    expect_shape(image, (12, 64, 64), cause="pictures are (H, W, 3), an image is (C, H, W); a damaged patch has the "
                 "shape of a good one")
    expect_dtype(image, torch.float32)
    for array, name in ((mask, "mask"), (valid, "valid")):
        expect_shape(array, (64, 64), cause=f"the {name} has no channels")
        expect_dtype(array, torch.bool, cause=f"`{name}` holds yes or no, also for a damaged patch")
    return image, mask, valid


def _check_sample(sample, stored, number, index):
    """One sample against the bytes that were written."""
    image, mask, valid = _parts(sample)
    want = stored.image[number].astype(np.float32) / 255
    others = [(stored.image[n].astype(np.float32) / 255, "the index was used as the patch number: look it up in "
               "`numbers`" if n == index else "that is another patch of the folder: keep the order of `numbers`")
              for n in range(len(stored)) if n != number]
    expect_close(image, want, expected="the stored bytes divided by 255", atol=1e-6, slips=[
        (stored.image[number], "the bytes were not divided by 255"),
        (decode_uint8(stored.image[number]), "these are reflectances; only the bytes divided by 255 are asked for"),
        (np.moveaxis(want, 0, -1).reshape(12, 64, 64), "`reshape` scrambles the pixels, see chapter 01: move the axis"),
        (np.swapaxes(want, 1, 2), "rows and columns are swapped"),
        *others,
    ], cause="the order of the four files, or of the axes")
    expect_equal(valid, stored.valid[number], expected="true where measured", cause="the validity comes from _mask.png")
    truth = stored.valid[number] & (stored.codes[number] == 1)
    got = np.asarray(mask) & stored.valid[number]
    inverted = np.array_equal(got, stored.valid[number] & ~truth)
    expect_property(np.array_equal(got, truth), "a mask that is true where the sky is clear" if inverted else
                    "a mask that differs from the one written", "true = cloud",
                    cause="output/ is true where it is CLEAR; turn it round when reading" if inverted else
                    "the mask comes from output/")


@exercise(hints=(
    "Draw scenes, not patches: `np.unique(scene)` lists them, `generator.permutation` shuffles them.",
    "`np.isin(scene, test_scenes)` tells for each patch whether its scene was drawn; `np.flatnonzero` makes row "
    "numbers of it, and `~` gives the others.",
))
def split_by_scene(answer):
    """Every patch is on exactly one side, every scene too, and the generator decides which."""
    for seed, (scenes, each, fraction) in enumerate([(10, 16, 0.3), (7, 5, 0.4), (20, 1, 0.5), (12, 8, 0.75)]):
        scene = np.repeat(np.arange(scenes) * 3 + 2, each)
        np.random.default_rng(1).shuffle(scene)
        train, test = (np.asarray(part) for part in _two_parts(answer, scene, fraction, seed))
        expect_property(train.dtype.kind in "iu" and test.dtype.kind in "iu",
                        f"row numbers of type {train.dtype} and {test.dtype}", "whole numbers: rows of the patches",
                        cause="`np.flatnonzero` makes row numbers of a boolean array")
        twice = np.intersect1d(train, test).size
        expect_property(not twice, f"{twice} patches on both sides", "every patch on one side")
        given = np.concatenate([train, test])
        expect_property(np.array_equal(np.sort(given), np.arange(scene.size)),
                        f"{train.size} + {test.size} numbers, {np.unique(given).size} of them different, for "
                        f"{scene.size} patches", "the row of every patch, on one side, once",
                        cause="these are scene numbers; which rows have them?" if np.isin(given, scene).all() else
                        "some patches are on neither side, or are listed twice")
        shared = np.intersect1d(scene[train], scene[test]).size
        expect_property(not shared, f"{shared} scenes with patches on both sides", "every scene on one side",
                        cause="patches were shuffled, not scenes: this is the leak")
        drawn = round(fraction * scenes)
        expect_equal(np.unique(scene[test]).size, drawn, expected="round(fraction · scenes) scenes in the test part",
                     cause="the fraction is of the scenes, each drawn once", slips=[
                         (scenes - drawn, "train and test are exchanged"),
                         (math.floor(fraction * scenes), "rounded down, where `round` goes to the nearest"),
                     ])
    scene = np.repeat(np.arange(30), 4)
    first, again, other = (_two_parts(answer, scene, 0.5, seed)[1] for seed in (0, 0, 1))
    expect_property(np.array_equal(first, again), "two splits from generators with the same seed that differ",
                    "the same split from the same seed", cause="randomness that does not come from `generator`")
    expect_property(not np.array_equal(np.sort(first), np.sort(other)), "the same split from two different seeds",
                    "a random draw of scenes", cause="`generator` is not used: the scenes are taken in order, or with "
                    "a seed of your own")


def _two_parts(answer, scene, fraction, seed):
    """Call the learner's split and insist on a pair."""
    parts = call(answer, scene, fraction, np.random.default_rng(seed))
    return expect_parts(parts, 2, "two arrays: train rows, test rows")


@exercise(hints=(
    "Start from a threshold in the blue. It finds the clouds, and the snow. In which band is snow dark and cloud not?",
    "Combine two conditions with `&`. Channel 2 is 470 nm, channel 3 is 550 nm, channel 9 is 1618 nm.",
    "A slope in the shade is dark in every band, so compare bands with each other: how far is 1618 nm below 550 nm, as "
    "a share of both together? Snow loses more there than cloud does.",
))
def snow_rule(answer):
    """Your rule finds most of the thick cloud over snow, in scenes it was not made on, and leaves the snow alone."""
    counts = on_snow = thick = metrics.Counts()
    for number in (2002, 2003, 2005, 2007):
        scene = simulate.scene(number, surface="snow_mountains", cloud="cumulus")
        image = torch.from_numpy(scene.image)
        pred = call(answer, image)
        expect_shape(pred, scene.mask.shape, cause="one answer per pixel: compare bands, which are (H, W)")
        expect_dtype(pred, torch.bool, cause="compare with a threshold; the result is bool")
        pred = np.asarray(pred)
        snow = scene.valid & ~scene.mask & _is_snow(scene.image)
        counts += metrics.count(pred, scene.mask, scene.valid)
        on_snow += metrics.count(pred, scene.mask, snow)
        thick += metrics.count(pred, scene.mask, scene.codes == metrics.THICK)
    found, alarms, score = metrics.recall(thick), metrics.false_alarm_rate(on_snow), metrics.iou(counts)
    expect_property(alarms <= 0.15, f"{alarms:.0%} of the clear snow called cloud", "at most 15 %",
                    cause="snow passes all your conditions; is one of them in a band where snow is dark?")
    expect_property(found >= 0.7, f"{found:.0%} of the thick cloud found", "at least 70 %",
                    cause="a condition that is too strict, or a band in which cloud is dark too")
    expect_property(score >= 0.4, f"an IoU of {score:.2f} on four other snow scenes", "at least 0.4",
                    cause="false alarms on ground that is not snow; it is dark in the blue")


def _is_snow(image):
    """Snow and ice by their spectrum: NDSI above 0.4 and bright in the near infrared."""
    green, nir, swir = image[3], image[5], image[9]
    return (green - swir > 0.4 * (green + swir)) & (nir > 0.11)


@exercise(hints=(
    "Make two parts of different rows and compare what they hold: `first[0]` and `second[0]`.",
    "`__len__` uses `self.rows`. Does `__getitem__`?",
))
def bug_hunt(answer):
    """Each part of your split reads its own rows, in its own order, and nothing of the other part."""
    samples = [{"image": torch.full((1, 2, 2), float(n)), "scene": n // 2} for n in range(8)]
    for rows in ([5, 0, 7], [1], [2, 3, 4, 6]):
        part = call(answer, samples, rows)
        expect_equal(call(type(part).__len__, part), len(rows), expected="the number of rows of this part")
        got = [call(type(part).__getitem__, part, i) for i in range(len(rows))]
        expect_property(all(isinstance(sample, dict) and "image" in sample for sample in got),
                        "samples of another kind than those of the whole", "the samples, unchanged")
        read = [int(sample["image"][0, 0, 0]) for sample in got]
        expect_equal(read, rows, expected="the rows that this part was given", cause="not the rows in their order",
                     slips=[(list(range(len(rows))), "every part starts at row 0 of the whole, so train "
                             "and test share their patches")])
