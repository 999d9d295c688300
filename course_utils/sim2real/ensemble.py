"""Many answers to one question: by several models, or by one model that sees the image turned and flipped."""

from collections.abc import Callable, Sequence

import numpy as np

Probability = Callable[[np.ndarray], np.ndarray]
DOUBT_BINS = 50                     # from 0 to 0.5


def eight_ways(predict: Probability, image: np.ndarray) -> np.ndarray:
    """Average what a model says of the eight turned and flipped versions of an image, each turned back.

    Args:
        predict: maps an image (C, H, W) to probabilities (H, W).
        image: (C, H, W).

    Returns:
        Mean probability, (H, W).

    Source:
        Chapter 11.

    Example:
        >>> image = np.random.default_rng(0).random((1, 3, 5))
        >>> bool(np.allclose(eight_ways(lambda seen: seen[0], image), image[0]))
        True
    """
    total = np.zeros(image.shape[1:])
    for turns in range(4):
        for flip in (False, True):
            seen = np.rot90(image, turns, axes=(1, 2))
            seen = seen[:, :, ::-1] if flip else seen
            prob = predict(np.ascontiguousarray(seen))
            prob = prob[:, ::-1] if flip else prob  # undone in the opposite order
            total += np.rot90(prob, -turns)
    return total / 8


def mean_and_doubt(probs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Combine the answers of several models.

    The doubt of a probability p is the spread of a yes or no that is drawn with it, √(p(1 − p)), at most 0.5. The doubt
    of the mean has two parts, by the law of total variance: its square is the mean square of the members' own doubts
    plus the variance of their answers.

    Args:
        probs: probabilities of each member, all of one shape.

    Returns:
        Mean probability; its doubt; and the members' disagreement, the spread of their answers. Each of that shape.

    Source:
        Chapter 11; Lakshminarayanan, Pritzel, Blundell (2017), arXiv:1612.01474.

    Example:
        >>> [float(value) for value in mean_and_doubt([np.array(0.0), np.array(1.0)])]
        [0.5, 0.5, 0.5]
    """
    stacked = np.stack(probs)
    mean = stacked.mean(axis=0)
    return mean, np.sqrt(np.clip(mean * (1 - mean), 0, None)), stacked.std(axis=0)


def errors_by_doubt(doubt: np.ndarray, wrong: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Sort valid pixels by their doubt, and count how many are wrong.

    Args:
        doubt: any shape, 0–0.5.
        wrong: same shape, bool.
        valid: same shape, bool.

    Returns:
        (2, DOUBT_BINS) int64: pixels in each bin, and how many of them are wrong. Counts of several images can be
        added.
    """
    place = np.minimum((doubt[valid] * 2 * DOUBT_BINS).astype(int), DOUBT_BINS - 1)
    return np.stack([np.bincount(place, minlength=DOUBT_BINS),
                     np.bincount(place[wrong[valid]], minlength=DOUBT_BINS)])
