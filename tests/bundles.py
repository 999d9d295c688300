"""A small exported model with its golden patch, made step by step as chapter 15 makes the course's own."""

import numpy as np

from course_utils.deploy.export import Card, capture, freeze, save_onnx, save_program
from course_utils.deploy.golden import add_golden

__all__ = ["CARD", "images", "write_bundle"]

CARD = Card("tiny", "7", ("650", "550", "470"), (16, 24), 0.4)


def images(count=1, seed=0):
    """Random images of the card's bands and size."""
    return np.random.default_rng(seed).random((count, 3, *CARD.size), dtype=np.float32)


def write_bundle(folder, model, tolerance):
    """Export a model that takes such images."""
    frozen = freeze(model)
    program = capture(frozen, CARD)
    save_onnx(program, CARD, folder / "model.onnx")
    save_program(program, CARD, folder / "model.pt2")
    add_golden(folder, frozen, images(), tolerance)
