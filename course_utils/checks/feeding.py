"""Checks of chapter 13, feeding the model."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import torch

from course_utils.checks.core import RejectedError, call, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_shape,
    expect_type,
)
from course_utils.data.patches import load_patches
from course_utils.data.shards import shuffled
from course_utils.runtime import generator

PATIENCE = 10.0         # seconds until a loop that waits for a thread counts as stuck


@exercise(hints=(
    "Which part of the 180 ms becomes shorter on the GPU, and which does not?",
    "(a) 30 + 150 / 25. (b) the time before over (a). (c) the slower of the two. (d) what may be hidden behind a step?",
))
def new_gpu(answer):
    """In turn the times add up, overlapped the larger one counts, and a hidden load is no longer than the step."""
    expect_parts(answer, 4, "four numbers in one tuple: (a), (b), (c), (d)")
    wanted = (
        (36, [(180 / 25, "the loading does not get faster with the GPU"), (30, "that is overlapped"),
              (6, "that is the step alone"), (151.2, "the loading was sped up, not the computing")]),
        (5, [(25, "that is what the step gains; the whole batch gains less"),
             (6, "that is the limit for an infinitely fast GPU, or the gain when overlapped")]),
        (30, [(36, "overlapped, the shorter of the two is hidden"),
              (6, "the GPU cannot work faster than batches arrive"), (18, "a mean; but one waits for the other")]),
        (6, [(30, "that is what loading takes now: the GPU needs 6 ms a batch"),
             (150, "that is the step before, not on the GPU")]))
    for letter, got, (want, slips) in zip("abcd", answer, wanted, strict=True):
        expect_close(got, want, expected=f"({letter}), a number", cause=f"({letter}): write down load and step on the "
                     "GPU", slips=slips, rtol=0.005)


class _Counted:
    """An array that counts how often it is indexed."""

    def __init__(self, array: np.ndarray):
        self.array, self.reads = array, 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        self.reads += 1
        return self.array[rows]

    def take(self, rows, **_):
        """What np.take calls."""
        return self[rows]


@exercise(hints=(
    "An array can be indexed with a list of numbers: `self.images[rows]` is (B, C, H, W).",
    "Index both arrays once, divide the batch as `__getitem__` divides one image, then take the batch apart: "
    "`[{...} for image, mask in zip(images, masks)]`.",
))
def getitems(answer):
    """A batch read at once equals its samples, in the order asked for, with each array indexed once."""
    expect_property(isinstance(answer, type) and hasattr(answer, "__getitems__"), "no class with `__getitems__`",
                    "the class itself", cause="pass the class, without parentheses")
    rng = np.random.default_rng(13)
    images, masks = rng.integers(0, 256, (9, 3, 4, 5), dtype=np.uint8), rng.random((9, 4, 5)) < 0.5
    for rows in ([4, 0, 7], [2], [8, 8, 1, 0]):
        counted = _Counted(images), _Counted(masks)
        dataset = answer(*counted)
        got = call(dataset.__getitems__, rows)
        expect_type(got, list, expected="a list of samples")
        expect_property(len(got) == len(rows), f"{len(got)} samples for {len(rows)} rows", "a sample for each row")
        for sample, row in zip(got, rows, strict=True):
            expect_type(sample, dict, expected="samples: dictionaries with image and mask")
            expect_property(set(sample) == {"image", "mask"}, f"samples with {sorted(sample)}", "image and mask")
            want = images[row] / np.float32(255)
            expect_shape(sample["image"], want.shape, cause="one image for each sample, not the batch")
            expect_close(sample["image"], want, expected="the image as `__getitem__` gives it",
                         cause="the order of the samples is that of `rows`",
                         slips=[(images[row], "bytes that were not divided by 255")])
            expect_property(np.array_equal(np.asarray(sample["mask"]), masks[row]), "a mask of another row",
                            "the mask as `__getitem__` gives it", cause="image and mask of different rows")
            kinds = [getattr(sample[name], "dtype", None) for name in ("image", "mask")]
            expect_property(kinds == [torch.float32, torch.bool], f"types {kinds}, no float32 image and bool mask",
                            "tensors, as `__getitem__` gives them", cause="torch.from_numpy, and np.float32(255)")
        reads = [array.reads for array in counted]
        expect_property(reads == [1, 1], f"{reads[0]} and {reads[1]} readings of images and masks",
                        "one of each, for the whole batch", cause="a loop over the rows reads one by one")


@exercise(hints=(
    "m = 600 / 800. Put it into the formula of the text: that is the share found in memory.",
    "(a) 800 · (1 − hits). (b) what is not kept is read each time. (c) how large is the data set then?",
))
def cache_misses(answer):
    """LRU misses more than what does not fit; a fixed part misses just that; what fits entirely misses nothing."""
    expect_parts(answer, 3, "three numbers in one tuple: (a), (b), (c)")
    m = 600 / 800
    hits = m + (1 - m) * np.log(1 - m)
    wanted = (
        (800 * (1 - hits), [
            (800 * hits, "that is what is found in memory; asked is what is read from disk"),
            (200, "that is (b): LRU gives up files that are still to come"),
            (800 * (1 - 0.5 * (1 - np.log(2))), "half of the data fits? It is 600 of 800"),
            (800, "that is the same order in each epoch"), (1 - hits, "a share; asked is a number of GB")]),
        (200, [(600, "that is what is kept"), (0, "200 GB do not fit")]),
        (0, [(miss, "does a data set of 400 GB fit into 600?") for miss in (100, 200)]))
    for letter, got, (want, slips) in zip("abc", answer, wanted, strict=True):
        expect_close(got, want, expected=f"({letter}), in GB", slips=slips, rtol=0, atol=1.0,
                     cause=f"({letter}): what is not found in memory is read from disk")


class _Stream:
    """A stream that knows how far it has been read."""

    def __init__(self, size: int):
        self.size, self.read = size, 0

    def __iter__(self) -> Iterator[int]:
        for number in range(self.size):
            self.read += 1
            yield number


@exercise(hints=(
    "Keep a list. Append each item; when the list is `buffer` long, draw a place, `pop` it and `yield` it.",
    "After the loop over the stream, `while held:` gives the rest in the same way.",
))
def shuffle_buffer(answer):
    """Each item comes once, drawn evenly from a buffer of the size asked for, and the stream is read only as needed."""
    for size, buffer in ((0, 3), (5, 9), (40, 1), (60, 8)):
        stream = _Stream(size)
        given = _given(answer, stream, buffer, generator(size), size + 1)
        got = [item for item, _ in given]
        held = max((read - place for place, (_, read) in enumerate(given)), default=0)
        expect_property(len(got) <= size, f"more than {size} items of a stream of {size}", "every item, once",
                        cause="an item that was given has to leave the buffer")
        expect_property(held <= buffer, f"{held} items held, with buffer={buffer}", "never more than `buffer`",
                        cause="the whole stream was made a list" if held == size else
                        "an item is appended before one is given: give one as soon as there are `buffer`")
        lost = sorted(set(range(size)) - set(got))
        expect_property(len(got) == size and not lost, f"{len(got)} of {size} items, {len(lost)} of them lost",
                        "every item, once", cause="what is left in the buffer when the stream ends" if len(got) < size
                        else "an item was given twice and another one never")
        if buffer == 1:
            expect_equal(got, list(range(size)), expected="the order of the stream, with a buffer of 1",
                         cause="a buffer of one has no choice")
    _draws_evenly(answer)


def _given(mixed: Callable, items: Iterable[int], buffer: int, draws: torch.Generator, most: int) -> list[tuple]:
    """What a learner's generator gives, at most so many items, each with how many of the stream were read by then."""
    return call(lambda: [(item, getattr(items, "read", 0)) for item in islice(mixed(items, buffer, draws), most)])


def _draws_evenly(mixed: Callable) -> None:
    """From a generator, from all places of the buffer, and at the end as well."""
    one, same, other = (_given(mixed, range(200), 16, generator(seed), 200) for seed in (5, 5, 6))
    expect_property(one == same, "two orders from equal generators", "an order that depends on the generator alone",
                    cause="`generator=generator` is missing in randint")
    expect_property(one != other, "one order from different generators", "an order that is drawn",
                    cause="the draw does not come from the generator, or nothing is drawn")
    own = generator(0)
    orders = np.array([[item for item, _ in _given(mixed, range(6), 3, own, 6)] for _ in range(600)])
    counts = np.bincount(orders[:, 0], minlength=6)[:3]
    expect_property((counts > 140).all(), f"of 600 first items {counts.tolist()} are numbers 0, 1, 2 of the stream",
                    "each item of the buffer equally often", cause="`randint(n)` draws from 0 to n − 1: the bounds")
    expect_property((orders[:, -1] < 5).mean() > 0.5, "a last item that is nearly always the stream's last",
                    "the rest given at random, too", cause="after the stream has ended, items are given in the order "
                    "in which they lie")


@exercise(hints=(
    "`scenes` of the table above is the mean number of scenes in a batch. Put it into a function of buffer and seed.",
    "Divide by `full`. Between 64 and 512 the share passes 80 %.",
))
def large_enough(answer):
    """With it a batch holds four fifths of the scenes of a full shuffle, and with half of it it does not."""
    expect_property(answer in [2**power for power in range(11)], f"{answer}", "a power of two from 1 to 1024")
    scenes = load_patches("train", progress=False).scenes
    mine, half = (_scenes_in_batch(scenes, size) for size in (int(answer), int(answer) // 2))
    full = _scenes_in_batch(scenes, len(scenes))
    expect_property(mine >= 0.8 * full, f"{mine / full:.0%} of the scenes with a buffer of {answer}", "at least 80 %",
                    cause="a larger buffer mixes further")
    expect_property(half < 0.8 * full, f"{half / full:.0%} with half of it already", "the smallest such buffer",
                    cause="try the next smaller power of two")


def _scenes_in_batch(scenes: np.ndarray, buffer: int, shard: int = 64, batch: int = 32) -> float:
    """Scenes in a batch behind a buffer, in the mean over some epochs; without a buffer (0) one batch is one shard."""
    means = []
    for seed in range(3):
        draws = generator(seed)
        starts = (torch.randperm(-(-len(scenes) // shard), generator=draws) * shard).tolist()
        stream = (row for start in starts for row in range(start, min(start + shard, len(scenes))))
        order = np.array(list(shuffled(stream, max(buffer, 1), draws)))
        parts = order[: len(order) // batch * batch].reshape(-1, batch)
        means.append(np.mean([len(set(scenes[part])) for part in parts]))
    return float(np.mean(means))


@exercise(hints=(
    "Compare the draws of item 4 in epoch 2 and of item 5 in epoch 1. List the shards of both workers of an epoch. "
    "Give the third a loader that raises after two batches.",
    "A list of seeds keeps its parts apart: default_rng([seed, epoch, index]). All workers need one order. What the "
    "thread catches has to go through the queue.",
))
def bug_hunt(answer):
    """Draws differ by item and epoch, each shard has one reader an epoch, and a loader's error reaches the loop."""
    draw, shards, ahead = expect_parts(answer, 3, "the three functions in one tuple: draw, shards, ahead")
    _draws_differ(draw)
    _shards_are_shared_out(shards)
    _errors_arrive(ahead)


def _draws_differ(draw: Callable) -> None:
    """A draw for each seed, epoch and index, the same whenever it is asked for."""
    seen = {}
    far = (*range(20), *(10**power + step for power in range(2, 7) for step in (0, 1)))
    for key in ((seed, epoch, index) for seed in (0, 1) for epoch in range(6) for index in far):
        got = call(draw, *key)
        expect_property(np.shape(got) == () and 0 <= float(got) < 1, f"a draw of {got!r}", "one number from 0 to 1")
        expect_property(got == call(draw, *key), "another number for the same item", "the same draw every time",
                        cause="a generator without a seed, or one that remembers what happened before")
        twin = seen.setdefault(float(got), key)
        expect_property(twin == key, f"one draw for seed, epoch, index {twin} and for {key}", "a draw for each",
                        cause="the index is left out" if twin[:2] == key[:2] else
                        "seed, epoch and index are mixed to one number, or one of them is left out")


def _shards_are_shared_out(shards: Callable) -> None:
    """Each shard once in an epoch, whatever the number of workers, in orders that seed and epoch decide."""
    names, orders = [f"shard-{number}" for number in range(11)], []
    for epoch in range(5):
        for workers in (1, 2, 3):
            parts = [list(call(shards, names, 7, epoch, worker, workers)) for worker in range(workers)]
            read, sizes = [name for part in parts for name in part], [len(part) for part in parts]
            expect_property(sorted(read) == sorted(names), f"{len(set(read))} of {len(names)} shards, in {len(read)} "
                            f"readings of {workers} workers", "each shard once in an epoch",
                            cause="each worker draws an order of its own, so their parts overlap"
                            if len(read) == len(names) else "the workers do not share out the shards")
            expect_property(max(sizes) - min(sizes) <= 1, f"parts of {sizes} shards", "parts of equal size, up to one",
                            cause="one worker reads for the others")
            if workers == 1:
                orders.append(tuple(parts[0]))
    expect_property(len(set(orders)) == len(orders), "the same order in two epochs", "a new order in each epoch",
                    cause="the epoch does not enter the draw")
    others = [tuple(call(shards, names, seed, 0, 0, 1)) for seed in (7, 8)]
    expect_property(others[0] == orders[0], "another order for the same seed and epoch", "one that can be repeated",
                    cause="a generator without a seed")
    expect_property(others[0] != others[1], "one order for two seeds", "one for each", cause="the seed is left out")


def _errors_arrive(ahead: Callable) -> None:
    """A sound loader ends, a broken one with its own error."""
    got, error = _read_to_the_end(ahead, range(5))
    expect_property(error is None, f"{type(error).__name__} at the end of a sound loader", "an end without an error",
                    cause="the end of the loader is handed on as an error")
    expect_property(got == list(range(5)), f"batches {got} of a loader that gives 0 to 4", "all batches, in order")

    def broken():
        yield from (1, 2)
        raise OSError("found a damaged file")

    got, error = _read_to_the_end(ahead, broken())
    expect_property(got == [1, 2], f"batches {got} of a loader that gives 1 and 2 and then raises", "these two first")
    expect_property(error is not None, "an epoch that ends early, without a word", "the loader's own error",
                    cause="the thread catches the error and drops it")
    expect_property(isinstance(error, OSError), f"{type(error).__name__}: {error}", "the loader's own error",
                    cause="hand over the error that was caught, and raise that one")


def _read_to_the_end(ahead: Callable, loader) -> tuple[list, Exception | None]:
    """All that the loop gets, and the error that it ends with; a loop that is stuck is rejected."""
    outcome, got = queue.Queue(), []

    def read() -> None:
        try:
            for batch in call(ahead, loader):
                got.append(batch)
            outcome.put(None)
        except Exception as error:  # noqa: BLE001  (whatever a learner's code raises is judged)
            outcome.put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        return got, outcome.get(timeout=PATIENCE)
    except queue.Empty:
        raise RejectedError(f"a loop that waits for ever after {len(got)} batches", "an end or an error",
                            "the thread has ended without a word: put the end and every error into the queue") from None
