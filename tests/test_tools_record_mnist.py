"""The recorder of MNIST trains, and tests on digits that it has not trained on."""

from dataclasses import replace

import numpy as np
import pytest

from course_utils import recorded
from course_utils.data.digits import as_digits
from tools import record_mnist


def bars(count, seed):
    """Pictures of 28×28 whose label says where a bright bar lies."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=count).astype(np.uint8)
    images = rng.integers(0, 60, size=(count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 3 : 2 * label + 6] = 250
    return as_digits(images, labels)


@pytest.mark.parametrize(("shift", "low", "high"), [(0, 0.9, 1.0), (5, 0.0, 0.1)])
def test_it_learns_and_tests_on_the_test_part(monkeypatch, shift, low, high):
    def load(part):
        digits = bars(1200, 0) if part == "train" else bars(200, 1)
        return digits if part == "train" else replace(digits, labels=(digits.labels + shift) % 10)

    monkeypatch.setattr(record_mnist, "load_mnist", load)
    found = record_mnist.measure(epochs=6)
    assert low <= found["accuracy"] <= high
    assert found["seconds"] >= 0


def test_the_record_reads_99_of_100_digits():
    found, about = recorded.results("mnist")
    assert found["accuracy"] >= 0.99 and about["command"] == "python -m tools.record_mnist"
