"""Splits: every group in one place only, frozen on disk, refused when wrong."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data.errors import DataError, SplitError
from course_utils.data.splits import PARTS, Split, course_split, kfold, load_split, make_split, save_split

GROUPS = st.lists(st.integers(0, 500), min_size=1, max_size=80)
SHARES = st.tuples(st.integers(0, 10), st.integers(0, 10), st.integers(0, 10)).filter(any).map(
    lambda parts: tuple(part / sum(parts) for part in parts))


@given(GROUPS, SHARES, st.integers(0, 2**32))
@settings(max_examples=80)
def test_every_group_is_in_exactly_one_part(groups, fractions, seed):
    split = make_split(groups, fractions, generator=np.random.default_rng(seed))
    dealt = [*split.train, *split.validation, *split.test]
    assert sorted(dealt) == sorted(set(groups))
    for name, share in zip(PARTS, fractions, strict=True):
        assert abs(len(split.part(name)) - share * len(set(groups))) <= 1.5


@given(GROUPS, st.integers(0, 2**32), st.randoms())
@settings(max_examples=40)
def test_a_split_depends_on_the_groups_and_the_seed_alone(groups, seed, random):
    again = random.sample(groups, len(groups))
    first = make_split(groups, generator=np.random.default_rng(seed))
    assert first == make_split(again, generator=np.random.default_rng(seed))


def test_another_seed_gives_another_split():
    splits = {make_split(range(150), generator=np.random.default_rng(seed)) for seed in range(5)}
    assert len(splits) == 5


@given(st.sets(st.integers(0, 500), min_size=2, max_size=60), st.integers(2, 8), st.integers(0, 2**32))
@settings(max_examples=60)
def test_every_fold_is_held_out_once(groups, k, seed):
    k = min(k, len(groups))
    folds = kfold(groups, k, generator=np.random.default_rng(seed))
    assert sorted(group for _, held_out in folds for group in held_out) == sorted(groups)
    assert all(set(train) == groups - set(held_out) for train, held_out in folds)
    sizes = [len(held_out) for _, held_out in folds]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("k", [0, 1, 6])
def test_folds_that_can_not_be_made(k):
    with pytest.raises(SplitError, match=f"found {k} folds for 5 groups, expected from 2"):
        kfold(range(5), k, generator=np.random.default_rng(0))


@pytest.mark.parametrize("groups", [[1.5, 2.7], ["a"], [-1, 3], [True, False]])
def test_groups_that_are_no_numbers_of_scenes(groups):
    for deal in (make_split, lambda groups, generator: kfold(groups, 2, generator=generator)):
        with pytest.raises(SplitError, match=r"found groups such as .*expected whole numbers from 0"):
            deal(groups, generator=np.random.default_rng(0))


@pytest.mark.parametrize("fractions", [(float("nan"), 0.5, 0.5), (0.5, 0.5), (0.7, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_fractions_that_are_no_shares(fractions):
    with pytest.raises(SplitError, match="expected three shares from 0 that add up to 1"):
        make_split(range(9), fractions, generator=np.random.default_rng(0))


def test_what_is_saved_is_what_is_loaded(tmp_path):
    split = make_split(range(30), generator=np.random.default_rng(1))
    save_split(tmp_path / "mine.json", split)
    assert load_split(tmp_path / "mine.json", known=range(30)) == split
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


def test_an_existing_split_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "mine.json"
    first, second = Split((0,), (1,), (2,)), Split((2,), (1,), (0,))
    save_split(path, first)
    with pytest.raises(SplitError, match=r"found an existing split at .*mine\.json.*replace=True"):
        save_split(path, second)
    assert load_split(path) == first
    save_split(path, second, replace=True)
    assert load_split(path) == second


def test_a_write_that_fails_leaves_the_old_split(tmp_path, monkeypatch):
    path = tmp_path / "mine.json"
    save_split(path, Split((0,), (1,), (2,)))

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_split(path, Split((2,), (1,), (0,)), replace=True)
    monkeypatch.undo()
    assert load_split(path) == Split((0,), (1,), (2,))
    assert [file.name for file in tmp_path.iterdir()] == ["mine.json"]


GOOD = {"train": [0, 1], "validation": [2], "test": [3]}


@pytest.mark.parametrize(("change", "message"), [
    ({"test": [1, 3]}, "found group 1 in both train and test, expected every group in one part only"),
    ({"validation": [0, 1]}, "found group 0, 1 in both train and validation"),
    ({"test": [2]}, "found group 2 in both validation and test"),
    ({"test": [3, 3]}, "found group 3 more than once in test"),
    ({"test": [3, 99]}, "found group 99, which no data set here has"),
    ({"test": ["3"]}, r"found \('3',\) for test, expected whole numbers from 0"),
    ({"test": [3.5]}, "for test, expected whole numbers"),
    ({"test": [True]}, "for test, expected whole numbers"),
    ({"test": [-1]}, "for test, expected whole numbers from 0"),
    ({"test": 3}, "found 3 for test, expected whole numbers"),
    ({"val": [7]}, r"found \['test', 'train', 'val', 'validation'\].*expected an object with the keys"),
])
def test_a_wrong_file_is_refused_and_named(tmp_path, change, message):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(SplitError, match=message) as error:
        load_split(path, known=range(4))
    assert "wrong.json" in str(error.value)
    assert isinstance(error.value, DataError)


@pytest.mark.parametrize(("text", "message"), [
    ('{"train": [0]}', "expected an object with the keys train, validation, test"),
    ("[1, 2]", "found list in"),
    ("{", "found no JSON in"),
])
def test_a_file_that_is_no_split(tmp_path, text, message):
    (tmp_path / "wrong.json").write_text(text)
    with pytest.raises(SplitError, match=message):
        load_split(tmp_path / "wrong.json")


def test_a_missing_file(tmp_path):
    with pytest.raises(SplitError, match=r"found no split at .*none\.json"):
        load_split(tmp_path / "none.json")


def test_an_unknown_part():
    with pytest.raises(SplitError, match="found part 'val', expected one of train, validation, test"):
        course_split().part("val")


def test_the_courses_split_is_the_one_that_its_docstring_makes(tmp_path):
    split = course_split()
    assert split == make_split(range(150), generator=np.random.default_rng(0))
    assert [len(split.part(name)) for name in PARTS] == [106, 22, 22]
