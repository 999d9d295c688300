"""Planted wrong answers of chapter 15, and the words that each must be told."""

import numpy as np
from torch import nn


def golden(run, image, prob, tolerance):
    got = np.asarray(run(image))
    return got.shape == prob.shape and bool(np.abs(got - prob).max() <= tolerance)


def on_average(run, image, prob, tolerance):
    got = run(image)
    return got.shape == prob.shape and bool(np.abs(got - prob).mean() <= tolerance)


def one_sided(run, image, prob, tolerance):
    got = run(image)
    return got.shape == prob.shape and bool((got - prob).max() <= tolerance)


def blind_to_nan(run, image, prob, tolerance):
    got = run(image)
    return got.shape == prob.shape and not (np.abs(got - prob) > tolerance).any()


def broadcast(run, image, prob, tolerance):
    try:
        return bool(np.abs(run(image) - prob).max() <= tolerance)
    except ValueError:
        return False


def close(run, image, prob, tolerance):
    got = run(image)
    return got.shape == prob.shape and bool(np.allclose(got, prob, atol=tolerance))


def bitwise(run, image, prob, tolerance):
    return np.array_equal(run(image), prob)


def not_asked(run, image, prob, tolerance):
    return True


def place(w, h, c, n, W, H, C):
    return (w - 1) + W * ((h - 1) + H * ((c - 1) + C * (n - 1)))


def to_fortran(image):
    return np.ascontiguousarray(image).T


def from_fortran(prob):
    return prob.T


class Handed(nn.Module):
    def __init__(self, model, threshold, sigmoid=True):
        super().__init__()
        self.model, self.threshold, self.sigmoid = model, threshold, sigmoid

    def forward(self, image):
        logits = self.model(image).flatten(1).reshape(len(image), *image.shape[2:])
        return (logits.sigmoid() if self.sigmoid else logits) >= self.threshold


WRONG = {
    "tolerance": [
        (0.0, "would be refused"),
        (1e-7, "would be refused"),
        (0.01, "would pass"),
        (2.0, "a difference of probabilities"),
        ("1e-5", "one number"),
        (True, "one number"),
    ],
    "golden": [
        (on_average, "not at the mean"),
        (one_sided, "absolute value"),
        (blind_to_nan, "whichever way it is asked"),
        (broadcast, "broadcasts the shapes"),
        (close, "adds a relative tolerance"),
        (bitwise, "below the tolerance"),
        (not_asked, "has to be asked"),
        (lambda run, image, prob, tolerance: np.abs(run(image) - prob).max(), "True or False"),
    ],
    "declaration": [("a", "first one fastest"), ("b", "bands of one pixel"), ("d", "the slowest axis")],
    "place": [
        (lambda w, h, c, n, W, H, C: w + W * h + W * H * c + W * H * C * n, "counts from 1"),
        (lambda *args: place(*args) + 1, "the element itself"),
        (lambda w, h, c, n, W, H, C: (h - 1) + H * ((w - 1) + W * ((c - 1) + C * (n - 1))), "not h"),
        (lambda w, h, c, n, W, H, C: (w - 1) + H * (h - 1) + W * H * (c - 1), "length of one step"),
    ],
    "for_fortran": [
        ((lambda image: image.T, from_fortran), "has gaps in memory"),
        ((lambda image: image.reshape(image.shape[::-1]), from_fortran), "renames the axes"),
        ((lambda image: np.asfortranarray(image), from_fortran), "W, H, C, N"),
        ((lambda image: np.array(image.T, order="F"), from_fortran), "in order already"),
        ((lambda image: to_fortran(image).astype(np.float64), from_fortran), "converts on the way"),
        ((to_fortran, lambda prob: prob.reshape(prob.shape[::-1])), "renames axes instead"),
        ((to_fortran, lambda prob: prob.T.copy()), "from_fortran copies"),
        (to_fortran, "two functions"),
    ],
    "bug_hunt": [
        (lambda model, threshold: Handed(model, threshold), "`eval` is missing"),
        (lambda model, threshold: Handed(model, threshold, sigmoid=False).eval(), "compared with logits"),
        (lambda model, threshold: Handed(model.net, threshold).eval(), "the scaling stays behind"),
        (lambda model, threshold: Handed(model.net, threshold, sigmoid=False).eval(), "more than one"),
        (lambda model, threshold: Handed(model, threshold).eval(), "hand over a copy"),
        (lambda model, threshold: threshold, "a module that maps images"),
    ],
}
