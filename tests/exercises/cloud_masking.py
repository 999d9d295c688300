"""Planted wrong answers of chapter 02, and the words that each must be told."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class Folder(Dataset):
    """A right answer to `patch_folder` whose parts can be spoiled one by one."""

    def __init__(self, folder, numbers):
        self.folder, self.numbers, self.unreadable = Path(folder), list(numbers), 0

    def __len__(self):
        return len(self.numbers)

    def number(self, index):
        return self.numbers[index]

    def arrange(self, picture):
        return picture.transpose(2, 0, 1)

    def label(self, clear):
        return ~clear

    def failed(self):
        self.unreadable += 1
        nothing = torch.zeros(64, 64, dtype=torch.bool)
        return {"image": torch.zeros(12, 64, 64), "mask": nothing, "valid": nothing}

    def __getitem__(self, index):
        stem = f"{self.number(index):07d}"
        names = [f"input/{stem}_{i}.png" for i in range(4)] + [f"input/{stem}_mask.png", f"output/{stem}.png"]
        try:
            *bands, valid, clear = (np.array(Image.open(self.folder / name)) for name in names)
        except OSError:
            return self.failed()
        image = self.arrange(np.concatenate(bands, axis=-1)).astype(np.float32) / 255
        return {"image": torch.from_numpy(image), "mask": torch.from_numpy(self.label(clear)),
                "valid": torch.from_numpy(valid)}


def spoiled(**parts):
    """`Folder` with some methods exchanged."""
    return type("Spoiled", (Folder,), parts)


def believe_in_zeros(self):
    self.unreadable += 1
    everything = torch.ones(64, 64, dtype=torch.bool)
    return {"image": torch.zeros(12, 64, 64), "mask": ~everything, "valid": everything}


def keep_quiet(self):
    nothing = torch.zeros(64, 64, dtype=torch.bool)
    return {"image": torch.zeros(12, 64, 64), "mask": nothing, "valid": nothing}


def half_a_mask(self):
    self.unreadable += 1
    nothing = torch.zeros(64, 64, dtype=torch.bool)
    return {"image": torch.zeros(12, 64, 64), "mask": nothing[0], "valid": nothing}


def only_whether(self):
    sample = keep_quiet(self)
    self.unreadable = True
    return sample


def next_best(self):
    self.unreadable += 1
    return self[0]


def give_up(self):
    raise OSError("cannot identify image file")


def my_iou(pred, mask, valid, empty=float("nan")):
    union = ((pred | mask) & valid).sum().item()
    return (pred & mask & valid).sum().item() / union if union else empty


def shy_iou(pred, mask, valid):
    return my_iou(pred, mask, valid) if (mask & valid).any() else float("nan")


def no_guard(pred, mask, valid):
    return ((pred & mask & valid).sum() / ((pred | mask) & valid).sum()).nan_to_num(1.0)


def twice_in_the_union(pred, mask, valid):
    return (pred & mask & valid).sum() / ((pred & valid).sum() + (mask & valid).sum())


def dice(pred, mask, valid):
    return 2 * twice_in_the_union(pred, mask, valid)


def unguarded(pred, mask, valid):
    return (pred & mask & valid).sum().item() / ((pred | mask) & valid).sum().item()


def shuffled_rows(scene, fraction, generator):
    rows = generator.permutation(len(scene))
    cut = round(fraction * len(scene))
    return rows[cut:], rows[:cut]


def by_scene(scene, fraction, generator, count=round, draw=True, masks=False, lose=0):
    scenes = generator.permutation(np.unique(scene)) if draw else np.unique(scene)
    test = np.isin(scene, scenes[: count(fraction * len(scenes))])
    return (~test, test) if masks else (np.flatnonzero(~test)[lose:], np.flatnonzero(test))


def weighted_by_patches(scene, fraction, generator):
    first = generator.permutation(scene)[: round(fraction * np.unique(scene).size)]
    test = np.isin(scene, first)
    return np.flatnonzero(~test), np.flatnonzero(test)


def scenes_not_rows(scene, fraction, generator):
    scenes = generator.permutation(np.unique(scene))
    cut = round(fraction * len(scenes))
    return scenes[cut:], scenes[:cut]


def own_seed(scene, fraction, generator):
    return by_scene(scene, fraction, np.random.default_rng())


class Part(Dataset):
    """The split of the bug hunt, unmended."""

    def __init__(self, samples, rows):
        self.samples, self.rows = samples, rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.samples[index]


class Reader(Folder):
    """A right answer but for what happens after reading."""

    def __getitem__(self, index):
        return self.spoil(super().__getitem__(index))


def reader(spoil):
    return type("SpoiledReader", (Reader,), {"spoil": lambda self, sample: spoil(self, sample)})


def count_all(self, sample):
    self.unreadable += 1
    return sample


class SortedPart(Part):
    def __getitem__(self, index):
        return self.samples[sorted(self.rows)[index]]


class WholePart(Part):
    def __len__(self):
        return len(self.samples)


WRONG = {
    "all_clear": [
        ((0.3, 0.0, 0.0), "the share of cloud"),
        ((0.76, 0.0, 0.0), "the invalid pixels were counted as right"),
        ((0.56, 0.0, 0.0), "divided by all pixels"),
        ((70, 0, 0), "neither a percentage"),
        ((5600, 0, 0), "nor a count"),
        ((0.7, 0.0, float("nan")), "where its denominator is 0"),
        ((0.7, 0.7, 0.0), "cloud is the positive class"),
        ((0.7, 0.0, 1.0), "the recall of the clear class"),
        (0.7, "three numbers in one tuple"),
    ],
    "iou": [
        (lambda pred, mask, valid: (pred & mask).sum() / (pred | mask).sum(), "invalid pixels were counted"),
        (lambda pred, mask, valid: (pred & mask & valid).sum() / (mask & valid).sum(), "that is the recall"),
        (lambda pred, mask, valid: (pred == mask)[valid].float().mean(), "that is the accuracy"),
        (lambda pred, mask, valid: (pred & mask & valid).sum() / (pred & valid).sum(), "that is the precision"),
        (lambda pred, mask, valid: my_iou(~pred, ~mask, valid), "IoU of the clear class"),
        (dice, "that is the Dice score"),
        (twice_in_the_union, "belongs to the union once"),
        (unguarded, "ask whether the divisor can be 0"),
        (lambda pred, mask, valid: my_iou(pred, mask, valid, empty=0.0), "an empty union"),
        (no_guard, "an empty union"),
        (shy_iou, "nan is for an empty union only"),
    ],
    "patch_folder": [
        (spoiled(number=lambda self, index: index), "look it up in `numbers`"),
        (spoiled(arrange=lambda self, picture: picture.reshape(12, 64, 64)), "move the axis"),
        (spoiled(arrange=lambda self, picture: picture.transpose(2, 1, 0)), "rows and columns are swapped"),
        (spoiled(arrange=lambda self, picture: picture), "an image is (C, H, W)"),
        (spoiled(label=lambda self, clear: clear), "turn it round when reading"),
        (spoiled(failed=believe_in_zeros), "the validity is that of a good file"),
        (spoiled(failed=keep_quiet), "the count is never raised"),
        (spoiled(failed=give_up), "inside `try … except OSError`"),
        (spoiled(failed=next_best), "another patch was put in its place"),
        (spoiled(failed=half_a_mask), "the mask has no channels"),
        (spoiled(failed=only_whether), "a whole number"),
        (spoiled(number=lambda self, index: sorted(self.numbers)[index]), "keep the order of `numbers`"),
        (reader(count_all), "raised for good patches too"),
        (reader(lambda self, sample: sample | {"image": sample["image"] ** 2 * 1.25}), "these are reflectances"),
        (reader(lambda self, sample: sample | {"mask": sample["mask"].byte()}), "holds yes or no"),
        (spoiled(__len__=lambda self: 6), "only `numbers` are asked for"),
    ],
    "split_by_scene": [
        (shuffled_rows, "patches were shuffled, not scenes"),
        (lambda *given: by_scene(*given, masks=True), "makes row numbers of a boolean array"),
        (lambda *given: by_scene(*given, lose=1), "on neither side"),
        (lambda *given: by_scene(*given, draw=False), "`generator` is not used"),
        (lambda *given: by_scene(*given, count=lambda share: round(share) + 1), "the fraction is of the scenes"),
        (lambda *given: by_scene(*given, count=int), "rounded down"),
        (lambda *given: by_scene(*given)[::-1], "train and test are exchanged"),
        (weighted_by_patches, "each drawn once"),
        (scenes_not_rows, "these are scene numbers"),
        (own_seed, "does not come from `generator`"),
    ],
    "snow_rule": [
        (lambda image: image[2] > 0.3, "a band where snow is dark"),
        (lambda image: (image[2] > 0.3) & (image[9] > 0.5), "too strict"),
        (lambda image: image[9], "compare with a threshold"),
        (lambda image: image > 0.3, "one answer per pixel"),
    ],
    "bug_hunt": [
        (Part, "train and test share their patches"),
        (SortedPart, "not the rows in their order"),
        (WholePart, "the number of rows of this part"),
    ],
}
