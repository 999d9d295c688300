"""Planted wrong answers of chapter 13, and the words that each must be told."""

import queue
import threading

import numpy as np
import torch
from torch.utils.data import Dataset


class Rows(Dataset):
    def __init__(self, images, masks):
        self.images, self.masks = images, masks

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        image = torch.from_numpy(self.images[row] / np.float32(255))
        return {"image": image, "mask": torch.from_numpy(self.masks[row])}


class Loop(Rows):
    def __getitems__(self, rows):
        return [self[row] for row in rows]


class Batch(Rows):
    def __getitems__(self, rows):
        return self[rows]


class Bytes(Rows):
    def __getitems__(self, rows):
        images, masks = torch.from_numpy(self.images[rows]), torch.from_numpy(self.masks[rows])
        return [{"image": image, "mask": mask} for image, mask in zip(images, masks, strict=True)]


class Sorted(Rows):
    def __getitems__(self, rows):
        batch = self[sorted(rows)]
        return [{key: value[place] for key, value in batch.items()} for place in range(len(rows))]


class Unmatched(Rows):
    def __getitems__(self, rows):
        batch, mask = self[rows], torch.from_numpy(self.masks[rows[::-1]])
        return [{"image": batch["image"][place], "mask": mask[place]} for place in range(len(rows))]


class Double(Rows):
    def __getitems__(self, rows):
        images, masks = torch.from_numpy(self.images[rows] / 255), torch.from_numpy(self.masks[rows])
        return [{"image": image, "mask": mask} for image, mask in zip(images, masks, strict=True)]


class Numbers(Rows):
    def __getitems__(self, rows):
        images, masks = torch.from_numpy(self.images[rows] / np.float32(255)), torch.from_numpy(self.masks[rows])
        return [{"image": image, "mask": mask.float()} for image, mask in zip(images, masks, strict=True)]


def mixed(items, buffer, generator, limit=0, low=0, rest=True, shuffle_rest=True, own=True, leave=True):
    held, draws = [], generator if own else torch.Generator().manual_seed(0)

    def take():
        low_place = low if len(held) > 1 or low > 1 else 0              # with 2, beyond the end
        place = low_place + int(torch.randint(max(len(held) - low, 1), (), generator=draws))
        return held.pop(place) if leave else held[place]

    for item in items:
        held.append(item)
        if len(held) >= buffer + limit:
            yield take()
    while rest and held:
        yield take() if shuffle_rest else held.pop(0)


def greedy(items, buffer, generator):
    yield from mixed(list(items), buffer, generator)


def in_order(items, buffer, generator):
    yield from items


def unseeded(items, buffer, generator):
    yield from mixed(items, buffer, torch.Generator().manual_seed(int(torch.Generator().seed())))


def draw(seed, epoch, index):
    return float(np.random.default_rng([seed, epoch, index]).random())


def shards(names, seed, epoch, worker, workers):
    order = np.random.default_rng([seed, epoch]).permutation(len(names))
    return [names[place] for place in order][worker::workers]


def of_its_own(names, seed, epoch, worker, workers):
    order = np.random.default_rng([seed, epoch, worker]).permutation(len(names))
    return [names[place] for place in order][worker::workers]


def ahead(loader, hand_over=lambda error: error, finish=True):
    waiting = queue.Queue(maxsize=2)

    def read():
        try:
            for batch in loader:
                waiting.put((batch, None))
        except Exception as error:  # noqa: BLE001
            waiting.put((None, hand_over(error)))
        else:
            if finish:
                waiting.put((None, StopIteration()))

    threading.Thread(target=read, daemon=True).start()
    while True:
        batch, ended = waiting.get()
        if isinstance(ended, StopIteration):
            return
        if ended:
            raise ended
        yield batch


_kept = np.random.default_rng(0)

WRONG = {
    "new_gpu": [
        ((7.2, 25, 7.2, 6), "does not get faster"),
        ((30, 5, 30, 6), "that is overlapped"),
        ((36, 25, 30, 6), "that is what the step gains"),
        ((36, 5, 36, 6), "is hidden"),
        ((36, 5, 30, 30), "the GPU needs 6 ms"),
        ((151.2, 5, 30, 6), "not the computing"),
        ((36, 5, 18, 6), "a mean"),
        ((36, 5, 30), "of length 3"),
    ],
    "getitems": [
        (Loop, "reads one by one"),
        (Batch, "a list of samples"),
        (Bytes, "not divided by 255"),
        (Sorted, "the order of the samples"),
        (Unmatched, "different rows"),
        (Double, "np.float32(255)"),
        (Numbers, "bool mask"),
        (Rows, "no class with `__getitems__`"),
    ],
    "cache_misses": [
        ((200, 200, 0), "LRU gives up files"),
        ((322.7, 200, 0), "asked is what is read from disk"),
        ((477, 600, 0), "that is what is kept"),
        ((477, 200, 200), "does a data set of 400 GB"),
        ((677, 200, 0), "half of the data fits"),
        ((477, 200), "of length 2"),
    ],
    "shuffle_buffer": [
        (lambda items, buffer, generator: mixed(items, buffer, generator, rest=False), "left in the buffer"),
        (lambda items, buffer, generator: mixed(items, buffer, generator, limit=1), "as soon as there are"),
        (lambda items, buffer, generator: mixed(items, buffer, generator, leave=False), "has to leave the buffer"),
        (lambda items, buffer, generator: mixed(items, buffer, generator, low=1), "the bounds"),
        (lambda items, buffer, generator: mixed(items, buffer, generator, low=2), "IndexError"),
        (lambda items, buffer, generator: mixed(items, buffer, generator, shuffle_rest=False), "after the stream has"),
        (lambda items, buffer, generator: mixed(items, buffer, generator, own=False), "not come from the generator"),
        (unseeded, "is missing in randint"),
        (greedy, "was made a list"),
        (in_order, "nothing is drawn"),
    ],
    "large_enough": [
        (256, "a larger buffer mixes further"),
        (64, "a larger buffer mixes further"),
        (1024, "the next smaller"),
        (500, "a power of two"),
    ],
    "bug_hunt": [
        ((lambda seed, epoch, index: draw(seed, epoch + index, 0), shards, ahead), "mixed to one number"),
        ((lambda seed, epoch, index: draw(seed, 1000 * epoch + index, 0), shards, ahead), "mixed to one number"),
        ((lambda seed, epoch, index: draw(seed, epoch, 0), shards, ahead), "the index is left out"),
        ((lambda seed, epoch, index: draw(seed, 0, index), shards, ahead), "one of them is left out"),
        ((lambda seed, epoch, index: float(_kept.random()), shards, ahead), "remembers what happened before"),
        ((draw, of_its_own, ahead), "an order of its own"),
        ((draw, lambda names, *rest: names, ahead), "do not share out"),
        ((draw, lambda names, seed, epoch, worker, workers: shards(names, seed, epoch, 0, 1) * (worker == 0), ahead),
         "one worker reads for the others"),
        ((draw, lambda names, seed, epoch, *rest: shards(names, seed, 0, *rest), ahead), "the epoch does not enter"),
        ((draw, lambda names, seed, *rest: shards(names, 0, *rest), ahead), "the seed is left out"),
        ((draw, shards, lambda loader: ahead(loader, lambda error: StopIteration())), "catches the error and drops it"),
        ((draw, shards, lambda loader: ahead(loader, lambda error: RuntimeError("in the thread"))),
         "raise that one"),
        ((draw, shards, lambda loader: ahead(loader, finish=False)), "ended without a word"),
        ((draw, shards), "three functions"),
    ],
}
