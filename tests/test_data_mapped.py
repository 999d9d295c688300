"""Arrays in files: the values of any array, and next to none of the process's memory."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.data.mapped import PIECE, MappedArray, map_array

SHAPE = (60, 3, 8, 8)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same array in a file and in memory, read in pieces of seven rows."""
    path = tmp_path_factory.mktemp("mapped") / "array.npy"
    plain = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    np.save(path, plain)
    return map_array(path), plain


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr("course_utils.data.mapped.PIECE", 7 * np.prod(SHAPE[1:]).item())


def rows_of(draw):
    kind = draw(st.sampled_from(["array", "list", "truth", "range"]))
    if kind == "truth":
        return np.array(draw(st.lists(st.booleans(), min_size=SHAPE[0], max_size=SHAPE[0])))
    if kind == "range":
        return range(draw(st.integers(0, 30)), 60, 3)
    numbers = draw(st.lists(st.integers(-60, 59), min_size=1, max_size=40))
    return np.array(numbers) if kind == "array" else numbers


@st.composite
def indices(draw):
    rows = rows_of(draw)
    size = int(np.sum(rows)) if isinstance(rows, np.ndarray) and rows.dtype == bool else len(rows)
    each = st.lists(st.integers(0, 7), min_size=size, max_size=size).map(lambda numbers: np.array(numbers, int))
    within = [st.slices(3), st.integers(0, 2), st.just(slice(None))]
    return draw(st.sampled_from([rows, (rows,), (rows, ..., slice(None, None, 4)), (rows, draw(within[0])),
                                 (rows, draw(within[1])), (rows, None), (rows, slice(None), draw(each), draw(each)),
                                 (rows, 1, draw(each)), (rows, slice(None), 2, draw(each)), (rows, ..., [3])]))


@given(index=indices())
def test_every_index_gives_what_an_array_gives(both, index):
    mapped, plain = both
    got, want = mapped[index], plain[index]
    assert type(got) in (np.ndarray, MappedArray) and np.array_equal(got, want) and got.dtype == want.dtype


@pytest.mark.parametrize("index", [3, -1, slice(2, 50, 3), ..., (4, 1), (slice(None), 0), (1, 2, 3, 4), None])
def test_plain_indices_are_views_or_numbers(both, index):
    mapped, plain = both
    got = mapped[index]
    assert np.array_equal(got, plain[index])
    assert np.ndim(got) == 0 or np.shares_memory(got, mapped)


def test_views_and_sums_are_those_of_an_array(both):
    mapped, plain = both
    assert np.array_equal(mapped.reshape(60, -1)[[5, 59, 5]], plain.reshape(60, -1)[[5, 59, 5]])
    assert type(mapped == 3) is np.ndarray and type(mapped.mean(axis=0)) is np.ndarray
    assert mapped.mean() == plain.mean() and np.ndim(mapped.sum()) == 0
    assert np.array_equal(np.stack([part.max() for part in mapped]), plain.max(axis=(1, 2, 3)))
    assert np.array_equal(np.take(mapped, [3, 1], axis=0), plain[[3, 1]])


def test_what_can_not_be_indexed_raises_as_an_array_does(both):
    for index in ([0, 60], np.ones(59, bool), ([1, 2], slice(None), [0, 8]), ([1, 2, 3], [0, 1])):
        with pytest.raises(IndexError):
            both[0][index]


def test_a_mapped_array_can_not_be_written(both):
    with pytest.raises(ValueError, match="read-only"):
        both[0][0] = 1


READ = """
import sys
from pathlib import Path
import numpy as np
from course_utils.data.mapped import map_array

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024

array = map_array(sys.argv[1])
rows, column = np.arange(len(array)), np.full(len(array), 3)
array[rows[:2], column[:2]], array[0].sum()
before = peak()
array[rows, column]
[part.sum() for part in array]
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of a process")
def test_reading_every_page_does_not_count_as_memory(tmp_path):
    np.save(tmp_path / "large.npy", np.ones((2000, 32_768), np.uint8))              # 65 MB
    grown = int(subprocess.run([sys.executable, "-c", READ, tmp_path / "large.npy"], capture_output=True, text=True,
                               check=True).stdout)
    assert grown < 5 * PIECE
