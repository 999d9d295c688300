"""Planted wrong answers of chapter 14, and the words that each must be told."""

import math

from torch.utils.data import DistributedSampler


def average(gradients, items):
    return sum(g * n for g, n in zip(gradients, items, strict=True)) / max(sum(items), 1)


def mean(gradients, items):
    return sum(gradients) / len(gradients)


def divides_by_processes(gradients, items):
    return sum(g * n for g, n in zip(gradients, items, strict=True)) / len(items)


def undivided(gradients, items):
    return sum(g * n for g, n in zip(gradients, items, strict=True))


def zero_by_zero(gradients, items):
    return sum(g * n for g, n in zip(gradients, items, strict=True)) / sum(items)


def in_place(gradients, items):
    for g, n in zip(gradients, items, strict=True):
        g *= n / max(sum(items), 1)
    return gradients[0]


def uneven(n, world, rank, drop_last=False):
    return list(range(rank, n, world))


def blocks(n, world, rank, drop_last=False):
    each = math.ceil(n / world)
    return [place % n for place in range(rank * each, (rank + 1) * each)]


def last_again(n, world, rank, drop_last=False):
    each = n // world if drop_last else math.ceil(n / world)
    return [min(place, n - 1) for place in range(rank, each * world, world)]


def never_drops(n, world, rank, drop_last=False):
    each = math.ceil(n / world)
    return [place % n for place in range(rank, each * world, world)]


def once_round(n, world, rank, drop_last=False):
    each = n // world if drop_last else math.ceil(n / world)
    return [place if place < n else place - n for place in range(rank, each * world, world)]


def order(sampler, epoch):
    sampler.set_epoch(epoch)
    return list(sampler)


def forgotten(sampler, epoch):
    return list(sampler)


def late(sampler, epoch):
    numbers = list(sampler)
    sampler.set_epoch(epoch)
    return numbers


def next_epoch(sampler, epoch):
    sampler.set_epoch(epoch + 1)
    return list(sampler)


def own_seed(sampler, epoch):
    sampler.seed = sampler.rank
    sampler.set_epoch(epoch)
    return list(sampler)


def writes(rank, local_rank):
    return rank == 0


def scored(n, world, rank):
    return list(range(rank, n, world))


def repeated(n, world, rank):
    return list(DistributedSampler(range(n), world, rank, shuffle=False))


def dropped(n, world, rank):
    return list(range(rank, n // world * world, world))


def everything(n, world, rank):
    return list(range(n))


WRONG = {
    "average": [
        (mean, "a plain mean"),
        (divides_by_processes, "divided by the number of processes"),
        (undivided, "not divided by the number of all items"),
        (zero_by_zero, "a division by zero"),
        (in_place, "weight each gradient by its items"),
        (lambda gradients, items: sum(gradients), "a sum"),
    ],
    "ring_bytes": [
        ((1_750_000, 1_997_500), "numbers, not bytes"),
        ((3_500_000, 3_995_000), "only one of the two rounds"),
        ((56_000_000, 6_392_000_000), "all GPUs together"),
        ((28_000_000, 3_196_000_000), "a single root"),
        ((14_000_000, 15_980_000), "float64"),
        ((8_000_000, 8_000_000), "2 (n − 1) / n"),
        ((1_750_000,), "two numbers"),
    ],
    "shares": [
        (uneven, "the shares differ in length"),
        (blocks, "blocks of neighbours"),
        (last_again, "the last item is repeated"),
        (never_drops, "`drop_last` changes nothing"),
        (once_round, "how many does each rank get"),
        (lambda n, world, rank, drop_last: rank, "a list of numbers"),
    ],
    "half": [
        (50, "still 0.67"),
        (200, "only 0.33"),
        (2, "hardly anything is lost"),
        (10_000, "not a hundredth of that"),
        ("many", "a number of processes"),
    ],
    "tune": [
        ((2, 512), "too few steps"),
        ((1, 16), "too few steps"),
        ((60, 16), "six at most"),
        ((16, 6), "exchanged"),
        ((6, 1), "batches of at least 4"),
        ((2.5, 16), "two whole numbers"),
    ],
    "bug_hunt": [
        ((forgotten, writes, scored), "was not told the epoch"),
        ((late, writes, scored), "was not told the epoch"),
        ((next_epoch, writes, scored), "tell the sampler this epoch"),
        ((own_seed, writes, scored), "another order in each rank"),
        ((order, lambda rank, local_rank: local_rank == 0, scored), "two processes write one file"),
        ((order, lambda rank, local_rank: True, scored), "two processes write one file"),
        ((order, lambda rank, local_rank: rank == 1, scored), "then nobody does"),
        ((order, writes, repeated), "the sampler repeats items"),
        ((order, writes, everything), "the sampler repeats items"),
        ((order, writes, dropped), "items are left out"),
        ((order, writes), "in one tuple: order, writes, scored"),
    ],
}
