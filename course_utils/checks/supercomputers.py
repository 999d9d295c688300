"""Checks of chapter 14, Many GPUs, and supercomputers."""

import functools
import math
import numbers

import numpy as np
import torch
from torch.utils.data import DistributedSampler

from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_type,
)
from course_utils.data.cifar import Cifar10
from course_utils.models.lenet import LeNet
from course_utils.models.scaled import Scaled
from course_utils.runtime import seeded
from course_utils.simulate.shapes import SHAPES, shapes
from course_utils.tasks import Classification
from course_utils.train import FitConfig, fit

LEARNING_RATE, PASSES, MOST_EPOCHS = 1e-3, 0.6, 6


@exercise(hints=(
    "A mean over few items should count for little. What brings a mean back to a sum?",
    "Multiply each gradient by its number of items, add all, divide by the number of all items, unless that is 0.",
))
def average(answer):
    """Your average is the gradient of the mean over all items, also where processes have none."""
    generator = torch.Generator().manual_seed(0)
    cases = [((4,), [3, 1]), ((2, 3), [10, 0, 5]), ((5,), [7]), ((3, 2), [1, 2, 3, 4]), ((2,), [0, 0])]
    for shape, items in cases:
        gradients = [torch.randn(shape, generator=generator) for _ in items]
        gradients = [gradient * (count > 0) for gradient, count in zip(gradients, items, strict=True)]
        got = call(answer, gradients, list(items))
        total = sum(gradient * count for gradient, count in zip(gradients, items, strict=True))
        stacked = torch.stack(gradients)
        expect_close(got, total / max(sum(items), 1), expected="one gradient, of the shape of each",
                     cause="weight each gradient by its items", slips=[
            (stacked.mean(dim=0), "a plain mean: every process counts the same, whatever it has"),
            (stacked.sum(dim=0), "a sum: divide by something"),
            (total, "not divided by the number of all items"),
            (total / len(items), "divided by the number of processes, not by that of the items"),
        ])


@exercise(hints=(
    "One float32 has four bytes. Each process sends 2 (n − 1) / n times the size of the gradient.",
    "The gradient has as many numbers as the model has parameters: 4 million bytes. For n = 8 the factor is 1.75.",
))
def ring_bytes(answer):
    """Each GPU sends 2 (n − 1) / n times the gradient's bytes."""
    expect_type(answer, (tuple, list), expected="two numbers of bytes in a tuple")
    expect_property(len(answer) == 2 and all(isinstance(part, numbers.Real) for part in answer), f"{answer!r}",
                    "two numbers")
    size, counts = 4e6, np.array([8, 800])
    expect_close(np.array(answer, float), 2 * (counts - 1) / counts * size, expected="bytes that one GPU sends",
                 cause="the size of the gradient times 2 (n − 1) / n", rtol=1e-6, slips=[
        (2 * (counts - 1) / counts * 1e6, "numbers, not bytes: a float32 has four"),
        ((counts - 1) / counts * size, "only one of the two rounds: after adding, the finished pieces go round"),
        (2 * (counts - 1) * size, "all GPUs together; one GPU sends an n-th of that"),
        ((counts - 1) * size, "what a single root would receive; in a ring nobody does"),
        (2 * (counts - 1) / counts * 8e6, "eight bytes would be float64"),
    ])


@exercise(hints=(
    "How many does each get, rounded up, or with `drop_last` down? Then every world-th place, from rank on.",
    "Places beyond the end begin again at 0, as often as needed: `place % n`.",
))
def shares(answer):
    """Your shares are those of DistributedSampler, repeated items and dropped ones included."""
    for n, world in ((10, 4), (12, 4), (7, 2), (2, 5), (9, 1), (4, 3), (1, 4)):
        for drop_last in (False, True):
            for rank in range(world):
                want = [] if drop_last and n < world else list(
                    DistributedSampler(range(n), world, rank, shuffle=False, drop_last=drop_last))
                got = call(answer, n, world, rank, drop_last)
                expect_type(got, (list, tuple), expected="a list of numbers")
                each = math.ceil(n / world)
                padded = [place % n for place in range(rank, each * world, world)]
                blocks = [place % n for place in range(rank * each, (rank + 1) * each)]
                expect_equal(list(got), want, expected=f"the numbers of rank {rank} of {world}, for {n} items and "
                             f"drop_last={drop_last}", cause="how many does each rank get?", slips=[
                    (padded, "`drop_last` changes nothing: then each gets n / world, rounded down"),
                    (list(range(rank, n, world)), "the shares differ in length: repeat from the beginning, or drop"),
                    (blocks, "blocks of neighbours; each rank takes every world-th item"),
                    ([min(place, n - 1) for place in range(rank, each * world, world)],
                     "the last item is repeated; DistributedSampler begins again at 0"),
                ])


@exercise(hints=(
    "The efficiency is the speed-up divided by n: 1 / (s n + 1 − s).",
    "Set s n + 1 − s equal to 2, and solve for n, with s = 0.01.",
))
def half(answer):
    """With a serial share s, Amdahl's efficiency is one half at n = 1 + 1/s."""
    expect_type(answer, numbers.Real, expected="a number of processes")
    expect_close(float(answer), 101.0, expected="the number of processes at which the efficiency is one half",
                 cause="solve 1 / (s n + 1 − s) = 1/2", rtol=0.011, slips=[
        (50.0, "at 50 processes the efficiency is still 0.67"),
        (200.0, "at 200 processes it is only 0.33"),
        (2.0, "at two processes hardly anything is lost"),
        (1e4, "s is one hundredth, not a hundredth of that"),
    ])


@exercise(hints=(
    "What is scarce is steps: 900 pictures in batches of 90 are ten steps an epoch.",
    "Take as many epochs as allowed, and batches of 16 or smaller.",
))
def tune(answer):
    """Your settings pass 60 % on the validation part of the smaller stand-in."""
    expect_type(answer, (tuple, list), expected="epochs and batch size in a tuple")
    expect_property(len(answer) == 2 and all(isinstance(part, numbers.Integral) and part >= 1 for part in answer),
                    f"{answer!r}", "two whole numbers from 1: epochs, batch size")
    epochs, batch_size = answer
    expect_property(epochs <= MOST_EPOCHS, f"{epochs} epochs", "six at most", cause="epochs and batch size exchanged?")
    expect_property(batch_size >= 4, f"batches of {batch_size}", "batches of at least 4",
                    cause="so small a batch keeps no processor busy; four are enough")
    accuracy = _tuned_accuracy(int(epochs), int(batch_size))
    expect_property(accuracy >= PASSES, f"an accuracy of {accuracy:.2f}", "at least 0.60",
                    cause="too few steps" if epochs * 900 / batch_size < 300 else "too few epochs")


@functools.cache
def _small_stand_in():
    """Pictures to learn from and others to choose on."""
    images, labels = shapes(range(1200), seed=2)
    names = tuple(SHAPES)
    return Cifar10(images[:900], labels[:900], names), Cifar10(images[900:], labels[900:], names)


def _tuned_accuracy(epochs, batch_size):
    """Validation accuracy of the best epoch."""
    train, validation = _small_stand_in()
    with seeded(0):
        model = Scaled(LeNet(), train[:100]["image"].movedim(1, -1).flatten(0, 2))
        order = torch.Generator().manual_seed(0)
        shuffled = torch.utils.data.RandomSampler(train, generator=order)
        batches = [torch.utils.data.DataLoader(part, sampler=torch.utils.data.BatchSampler(rows, size, False),
                                               batch_size=None, generator=order)
                   for part, rows, size in ((train, shuffled, batch_size), (validation, range(300), 300))]
        config = FitConfig(epochs=epochs, learning_rate=LEARNING_RATE, optimizer="adam")
        history = fit(model, Classification(10), *batches, config)
    return max(score["accuracy"] for score in history.scores)


@exercise(hints=(
    "The first forgets what the sampler has to be told. Count, for the second, how many processes have local rank 0. "
    "For the third, add up how often each item is scored.",
    "`sampler.set_epoch(epoch)`; rank 0 of all, not of the node; every world-th item, without repeating any.",
))
def bug_hunt(answer):
    """Each epoch has its own order, one process of all writes, and every item is scored once."""
    order, writes, scored = expect_parts(answer, 3, "the three functions in one tuple: order, writes, scored")
    _check_order(order)
    nodes, each = 3, 4
    for rank in range(nodes * each):
        expect_choice("yes" if call(writes, rank, rank % each) else "no", "yes" if rank == 0 else "no", {
            "yes": f"rank {rank}, which is number {rank % each} of its node, writes too: two processes write one file",
            "no": "rank 0 does not write: then nobody does",
        })
    for n, world in ((10, 4), (7, 2), (12, 3), (2, 4)):
        rows = []
        for rank in range(world):
            got = call(scored, n, world, rank)
            expect_type(got, (list, tuple, range), expected="numbers of items")
            rows += list(got)
        expect_property(len(rows) == len(set(rows)), f"{len(rows)} scored items of {n}", f"each of the {n} once",
                        cause="the sampler repeats items so that all ranks have equally many")
        expect_equal(sorted(rows), list(range(n)), expected="every item, by one process or another",
                     cause="items are left out: shares may differ in length here")


def _check_order(order):
    """The numbers of three epochs, for two ranks."""
    seen = []
    for epoch in (0, 1, 5):
        both = []
        for rank in range(2):
            sampler, right = (DistributedSampler(range(20), 2, rank, shuffle=True, seed=3) for _ in range(2))
            right.set_epoch(epoch)
            got = call(order, sampler, epoch)
            expect_type(got, (list, tuple), expected="the numbers of this process in this epoch")
            both += list(got)
            seen.append((list(got), list(right)))
        expect_property(sorted(both) == list(range(20)), f"{sorted(both)} from both ranks together", "every item once",
                        cause="another order in each rank: all have to draw the same, from seed and epoch")
    expect_property(seen[0][0] != seen[2][0], "the same order in epochs 0 and 1", "another one",
                    cause="the sampler was not told the epoch")
    for mine, want in seen:
        expect_equal(mine, want, expected="the order that belongs to seed and epoch",
                     cause="tell the sampler this epoch, and nothing else")
