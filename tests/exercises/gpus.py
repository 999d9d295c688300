"""Planted wrong answers of chapter 12, and the words that each must be told."""

import torch

from course_utils import losses
from course_utils.measure.memory import predicted


def batch_of(model, shape, budget, add=1, floor=0, up=False):
    one, two = (predicted(model, (count, *shape)).total for count in (1, 2))
    fitting = -(-(budget - one) // (two - one)) if up else (budget - one) // (two - one)
    return max(floor, add + fitting)


def by_activations(model, shape, budget):
    return budget // predicted(model, (1, *shape)).activations


def by_total(model, shape, budget):
    return budget // predicted(model, (1, *shape)).total


def fraction(model, shape, budget):
    one, two = (predicted(model, (count, *shape)).total for count in (1, 2))
    return max(0, 1 + (budget - one) / (two - one))


def loss_of(model, batch):
    return losses.bce(model(batch["image"]), batch["mask"], batch["valid"])


def pixels(batch):
    return int(batch["valid"].sum())


def accumulated(weight, clear="before", together=False):
    def accumulate(model, batches):
        if clear == "before":
            model.zero_grad()
        parts = []
        for batch in batches:
            if clear == "inside":
                model.zero_grad()
            loss = weight(batch, batches) * loss_of(model, batch)
            if together:
                parts.append(loss)
            else:
                loss.backward()
        if together:
            sum(parts).backward()
    return accumulate


def by_pixels(batch, batches):
    return pixels(batch) / sum(pixels(one) for one in batches)


def returned(model, batches):
    model.zero_grad()
    return sum(by_pixels(batch, batches) * loss_of(model, batch) for batch in batches)


def cleared(model, batches):
    accumulated(by_pixels)(model, batches)
    model.zero_grad()


def timed(stream, work, clock, before=True, after=True):
    if before:
        stream.synchronize()
    start = clock()
    stream.launch(work)
    if after:
        stream.synchronize()
    return clock() - start


def validated(model, batches, graph=False, item=True, evaluate=True, last=False):
    with torch.set_grad_enabled(graph):
        if evaluate:
            model.eval()
        found = [loss_of(model, batch) for batch in batches]
    found = [loss.item() for loss in found] if item else found
    return found[-1] if last else found


def stepped(loss, model, optimizer, scaler, longest, unscale=True, clip=True, step=True, scale=True):
    optimizer.zero_grad()
    (scaler.scale(loss) if scale else loss).backward()
    if unscale:
        scaler.unscale_(optimizer)
    if clip:
        torch.nn.utils.clip_grad_norm_(model.parameters(), longest)
    if step == "raw":
        optimizer.step()
    elif step:
        scaler.step(optimizer)
        scaler.update()


def without(function, **options):
    return lambda *given: function(*given, **options)


WRONG = {
    "largest_part": [("a", "half a million"), ("b", "as many gradients"), ("c", "two numbers")],
    "largest_batch": [
        (without(batch_of, floor=-10**9), "never smaller than 0"),
        (without(batch_of, add=0), "the first image"),
        (without(batch_of, up=True), "rounded up"),
        (by_activations, "need room, too"),
        (by_total, "do not grow with the batch"),
        (fraction, "rounds down"),
    ],
    "survives": [
        ((False, False, True), "0.008 away"),
        ((True, True, True), "largest number"),
        ((True, False, False), "few bits"),
        ((True, False), "one answer for each"),
    ],
    "accumulate": [
        (accumulated(lambda batch, batches: 1.0), "weigh it"),
        (accumulated(lambda batch, batches: 1 / len(batches)), "each batch counts the same"),
        (accumulated(lambda batch, batches: len(batch["image"]) / sum(len(b["image"]) for b in batches)),
         "each batch counts the same"),
        (accumulated(by_pixels, clear="inside"), "only the last batch"),
        (accumulated(by_pixels, clear=None), "there before"),
        (accumulated(lambda batch, batches: pixels(batch)), "add up to 1"),
        (accumulated(by_pixels, together=True), "inside the loop"),
        (returned, "not to return the loss"),
        (cleared, "`zero_grad` came after it"),
    ],
    "segments": [(1, "all activations at once"), (64, "every input is kept"), (4, "try the neighbours"),
                 (10, "equal length")],
    "bug_hunt": [
        ((without(timed, before=False, after=False), validated, stepped), "stops before the work is done"),
        ((without(timed, before=False), validated, stepped), "in the queue before"),
        ((without(timed, after=False), validated, stepped), "stops before the work is done"),
        ((timed, without(validated, graph=True, item=False), stepped), "`torch.no_grad()` does not build it"),
        ((timed, without(validated, graph=True), stepped), "`torch.no_grad()` does not build it"),
        ((timed, without(validated, item=False), stepped), "`.item()`"),
        ((timed, without(validated, evaluate=False), stepped), "`eval` got lost"),
        ((timed, without(validated, last=True), stepped), "keep what the function returns"),
        ((timed, validated, without(stepped, unscale=False)), "still multiplied"),
        ((timed, validated, without(stepped, clip=False)), "nothing is clipped"),
        ((timed, validated, without(stepped, step=False)), "no step is made"),
        ((timed, validated, without(stepped, unscale=False, clip=False, step="raw")), "multiplied gradients"),
        ((timed, validated), "three functions"),
    ],
}
