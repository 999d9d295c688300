"""Splits into train, validation and test by group: patches of one scene never end on both sides."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from course_utils.data.errors import SplitError
from course_utils.files import aside, reading

__all__ = ["COURSE_SCENES", "PARTS", "Split", "course_split", "kfold", "load_split", "make_split", "save_split"]

PARTS = ("train", "validation", "test")
COURSE_SCENES = 150             # those of the frozen split


@dataclass(frozen=True)
class Split:
    """Which groups (here: scene numbers) serve for what; no group serves twice.

    Attributes:
        train: groups that the parameters of a model are fitted to.
        validation: groups that choices (thresholds, learning rates, when to stop) are made on.
        test: groups that nothing is fitted to and nothing is chosen on.

    Example:
        >>> Split(train=(0, 1), validation=(2,), test=(3,)).part("validation")
        (2,)
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]

    def __post_init__(self):
        for name in PARTS:
            _check_part(name, getattr(self, name))
        for first, second in (PARTS[:2], PARTS[1:], PARTS[::2]):
            common = sorted(set(getattr(self, first)) & set(getattr(self, second)))
            if common:
                raise SplitError(f"found {_some(common)} in both {first} and {second}, expected every group "
                                 "in one part only; take it out of one of them")

    def part(self, name: str) -> tuple[int, ...]:
        """Give the groups of one part.

        Args:
            name: ``"train"``, ``"validation"`` or ``"test"``.

        Returns:
            The groups.

        Raises:
            SplitError: there is no such part.
        """
        if name not in PARTS:
            raise SplitError(f"found part {name!r}, expected one of {', '.join(PARTS)}")
        return getattr(self, name)


def _check_part(name: str, groups: object) -> None:
    """A part is a tuple of whole numbers from 0, each of them once."""
    if not isinstance(groups, tuple) or not all(type(group) is int and group >= 0 for group in groups):
        raise SplitError(f"found {_short(groups)} for {name}, expected whole numbers from 0, such as (3, 7, 12)")
    twice = sorted({group for group in groups if groups.count(group) > 1})
    if twice:
        raise SplitError(f"found {_some(twice)} more than once in {name}, expected every group once")


def make_split(groups: Iterable[int], fractions: Sequence[float] = (0.7, 0.15, 0.15), *,
               generator: np.random.Generator) -> Split:
    """Deal groups at random into train, validation and test.

    Args:
        groups: group of each item, or just the groups; repeated ones count once.
        fractions: shares of train, validation and test; each from 0, together 1. Validation and test are
            rounded to the nearest number of groups, train gets the rest.
        generator: where the order is drawn from.

    Returns:
        The split, each part in increasing order. Every group is in exactly one part.

    Raises:
        SplitError: the fractions are not three shares of one, or a group is not a whole number from 0.

    Example:
        >>> split = make_split(range(20), generator=np.random.default_rng(0))
        >>> len(split.train), len(split.validation), len(split.test)
        (14, 3, 3)
    """
    if len(fractions) != 3 or not (min(fractions) >= 0 and abs(sum(fractions) - 1) <= 1e-9):
        raise SplitError(f"found fractions {tuple(fractions)}, expected three shares from 0 that add up to 1, "
                         "such as (0.7, 0.15, 0.15)")
    shuffled = _shuffled(groups, generator)
    validation, test = (round(share * len(shuffled)) for share in fractions[1:])
    test = min(test, len(shuffled) - validation)
    first_validation, first_test = len(shuffled) - validation - test, len(shuffled) - test
    return Split(train=tuple(sorted(shuffled[:first_validation])),
                 validation=tuple(sorted(shuffled[first_validation:first_test])),
                 test=tuple(sorted(shuffled[first_test:])))


def kfold(groups: Iterable[int], k: int, *, generator: np.random.Generator) -> list[tuple[tuple, tuple]]:
    """Deal groups into k folds for cross-validation: each fold is held out once.

    Args:
        groups: group of each item, or just the groups; repeated ones count once.
        k: number of folds, from 2 to the number of groups.
        generator: where the order is drawn from.

    Returns:
        k pairs (groups to train on, groups held out). The held-out parts differ in size by at most one and
        together hold every group once.

    Raises:
        SplitError: there are fewer groups than folds, fewer than two folds, or a group is not a whole number from 0.

    Example:
        >>> folds = kfold(range(7), 3, generator=np.random.default_rng(0))
        >>> [len(held_out) for _, held_out in folds]
        [3, 2, 2]
    """
    shuffled = _shuffled(groups, generator)
    if not 2 <= k <= len(shuffled):
        raise SplitError(f"found {k} folds for {len(shuffled)} groups, expected from 2 folds to one per group")
    folds = [tuple(sorted(shuffled[start::k])) for start in range(k)]
    return [(tuple(sorted(set(shuffled) - set(held_out))), held_out) for held_out in folds]


def _shuffled(groups: Iterable[int], generator: np.random.Generator) -> list[int]:
    """The distinct groups in random order, whatever order they came in."""
    distinct = np.unique(list(groups))
    if distinct.size and (distinct.dtype.kind not in "iu" or distinct[0] < 0):
        raise SplitError(f"found groups such as {distinct[:3].tolist()}, expected whole numbers from 0")
    return generator.permutation(distinct.astype(np.int64)).tolist()


def save_split(path: str | Path, split: Split, replace: bool = False) -> None:
    """Write a split as JSON, whole or not at all.

    Args:
        path: the file to write.
        split: what to write.
        replace: whether an existing file may be replaced. A split is part of an experiment: changing it by
            accident makes all earlier scores incomparable.

    Raises:
        SplitError: the file exists and may not be replaced.
        WriteError: the disk is full, or nothing may be written there.
    """
    path = Path(path)
    if path.exists() and not replace:
        raise SplitError(f"found an existing split at {path}, expected a new name; choose another name, or pass "
                         "replace=True if earlier scores need not be compared with later ones")
    with aside(path) as new:
        new.write_text(json.dumps(asdict(split), indent=1) + "\n")


def load_split(path: str | Path, known: Iterable[int] | None = None) -> Split:
    """Read a split and check it.

    Args:
        path: a file that `save_split` wrote.
        known: groups that exist; the split may not name others. None skips this check.

    Returns:
        The split.

    Raises:
        SplitError: the file is missing or is not JSON, a part is missing, superfluous or of the wrong
            type, parts overlap, or a group is not known.
    """
    path = Path(path)
    if not path.is_file():
        raise SplitError(f"found no split at {path}, expected a file that save_split wrote")
    with reading(f"no JSON in {path}", "a file that save_split wrote", SplitError):
        stored = json.loads(path.read_text())
    return _from_json(stored, str(path), known)


def course_split() -> Split:
    """Give the split of the course's 150 scenes, frozen so that all chapters' scores can be compared.

    It was made once, by `make_split` of ``range(150)`` with the generator ``np.random.default_rng(0)``, and is part of
    the package.

    Returns:
        The split of scenes 0 to 149: 106 to train, 22 to validate, 22 to test.

    Example:
        >>> [len(course_split().part(name)) for name in PARTS]
        [106, 22, 22]
    """
    stored = files("course_utils.data").joinpath("split.json")
    return _from_json(json.loads(stored.read_text()), "the course's split", range(COURSE_SCENES))


def _from_json(stored: object, origin: str, known: Iterable[int] | None) -> Split:
    """A split from what a JSON file held; `origin` names the file in errors."""
    if not isinstance(stored, dict) or sorted(stored) != sorted(PARTS):
        found = sorted(stored) if isinstance(stored, dict) else type(stored).__name__
        raise SplitError(f"found {found} in {origin}, expected an object with the keys {', '.join(PARTS)}")
    try:
        split = Split(**{name: tuple(stored[name]) if isinstance(stored[name], list) else stored[name]
                         for name in PARTS})
    except SplitError as error:
        raise SplitError(f"{origin}: {error}") from None
    if known is not None:
        unknown = sorted({*split.train, *split.validation, *split.test} - set(known))
        if unknown:
            raise SplitError(f"{origin}: found {_some(unknown)}, which no data set here has; "
                             "this split belongs to other data, make a new one with make_split")
    return split


def _some(groups: Sequence[int]) -> str:
    """The first few of a list of groups."""
    return "group " + ", ".join(map(str, groups[:5])) + (f" and {len(groups) - 5} more" if groups[5:] else "")


def _short(value: object) -> str:
    """A value as Python writes it, cut where it gets long."""
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
