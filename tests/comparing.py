"""What several test files compare with."""

import numpy as np


def same(first: dict, second: dict) -> bool:
    """Whether two samples or batches hold the same values under the same keys."""
    return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)
