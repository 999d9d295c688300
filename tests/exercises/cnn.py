"""Planted wrong answers of chapter 08, and the words that each must be told."""

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.models.picture_cnn import PictureCNN


def norm(x, mean, var, training, *, axes=(0, 2, 3), correction=0, keep=0.9, remember="unbiased", update=None,
         swap=False, replace=False):
    """Batch norm with one of the usual slips."""
    use_batch = training != swap
    mu = x.mean(dim=axes, keepdim=True) if use_batch else mean[:, None, None]
    sigma2 = x.var(dim=axes, keepdim=True, correction=correction) if use_batch else var[:, None, None]
    if training if update is None else update:
        new = x.var(dim=(0, 2, 3), correction=remember == "unbiased")
        keep = 0.0 if replace else keep
        mean = keep * mean + (1 - keep) * x.mean(dim=(0, 2, 3))
        var = keep * var + (1 - keep) * new
    return (x - mu) / (sigma2 + 1e-5).sqrt(), mean, var


def slip(**options):
    return lambda x, mean, var, training: norm(x, mean, var, training, **options)


def in_place(x, mean, var, training):
    y, new_mean, new_var = norm(x, mean, var, training)
    mean.copy_(new_mean)
    return y, mean, new_var


def tiny():
    return nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 10))


def shift(images):
    return F.pad(images, (1, -1))


class Base:
    """The right parts and the right loss, to be spoiled."""

    leak, mirror, plain, test_too, scrambled = False, False, False, False, False

    def parts(self, images, labels, generator):
        if self.leak:
            images, labels = torch.cat([images, shift(images)]), labels.repeat(2)
        order = torch.randperm(len(labels), generator=generator)
        test, train = order[: len(order) // 4], order[len(order) // 4:]
        more, told = images[train], labels[train]
        if not self.leak and not self.plain:
            more = torch.cat([more, shift(more)])
            told = told.repeat_interleave(2) if self.scrambled else told.repeat(2)
        if self.mirror:
            more, told = torch.cat([more, images[train].flip(-1)]), torch.cat([told, labels[train]])
        held = shift(images[test]) if self.test_too else images[test]
        return (more, told), (held, labels[test])

    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels)


class Leaking(Base):
    leak = True

    def parts(self, images, labels, generator):
        return super().parts(images, labels, generator)


class Mirrored(Base):
    mirror = True

    def parts(self, images, labels, generator):
        return super().parts(images, labels, generator)


class NotAugmented(Base):
    plain = True

    def parts(self, images, labels, generator):
        return super().parts(images, labels, generator)


class TestShifted(Base):
    test_too = True

    def parts(self, images, labels, generator):
        return super().parts(images, labels, generator)


class Scrambled(Base):
    scrambled = True

    def parts(self, images, labels, generator):
        return super().parts(images, labels, generator)


class Twice(Base):
    def loss(self, logits, labels):
        return F.cross_entropy(logits.softmax(dim=1), labels)


class NoLogarithm(Base):
    def loss(self, logits, labels):
        return F.nll_loss(logits.softmax(dim=1), labels)


WRONG = {
    "parameters": [
        ((144, 4608, 1280), "the biases are missing"),
        ((160, 320, 1290), "as deep as its input"),
        ((160, 4640, 330), "keeps every position"),
        ((160, 4640, 20490), "halved the picture twice"),
        ((160, 4640), "three numbers in one tuple"),
    ],
    "batch_norm": [
        (slip(correction=1), "plain variance"),
        (slip(axes=(2, 3)), "over the batch as well"),
        (slip(axes=(0, 1, 2, 3)), "each channel has its own mean"),
        (slip(swap=True), "the two modes are exchanged"),
        (slip(update=True), "in evaluation mode nothing is remembered"),
        (slip(update=False), "in training mode the running statistics move"),
        (slip(keep=0.1), "0.9 and 0.1 are exchanged"),
        (slip(replace=True), "replaced instead of moved"),
        (slip(remember="plain"), "remembers the unbiased one"),
        (in_place, "changed its input"),
        (lambda x, mean, var, training: norm(x, mean, var, training)[0], "three tensors"),
    ],
    "shifts": [
        (tuple(range(1, 21)), "a shift by one merges other pairs"),
        (tuple(range(2, 21, 2)), "one pooling; here are three"),
        ((4, 8, 12, 16, 20), "two poolings; here are three"),
        ((8,), "not only once"),
        ((6, 12, 18), "does not add"),
        (8, "shifts in pixels, in a tuple"),
    ],
    "shift_proof": [
        (lambda: PictureCNN(1, 16, 10, head="flatten"), "at most 6000"),
        (lambda: PictureCNN(1, 16, 10, widths=(8, 16), head="flatten"), "tells the linear layer where"),
        (tiny, "even without shifts"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(256, 9)), "ten logits"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), "what the layers before it leave"),
        (lambda: torch.zeros(3), "a new network"),
    ],
    "bug_hunt": [
        (Leaking, "made before the split"),
        (Mirrored, "a mirrored 2 is no 2"),
        (NotAugmented, "augmentation is wanted"),
        (TestShifted, "only the training part is augmented"),
        (Scrambled, "in the order in which the pictures are joined"),
        (Twice, "taken twice"),
        (NoLogarithm, "the logarithm is missing"),
    ],
}
