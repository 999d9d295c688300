"""Palmer penguins: counts that their authors publish, gaps that stay gaps, tables that are refused."""

import subprocess
import sys

import numpy as np
import pytest

from course_utils.data import penguins
from course_utils.data.errors import LayoutError, MissingDataError

HEADER = "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"
BIRD = "Gentoo,Biscoe,46.1,13.2,211,4500,female,2007\n"


@pytest.fixture(scope="module")
def birds():
    return penguins.load_penguins()


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "penguins.csv").write_text(text, encoding="utf-8")
        return tmp_path / "penguins.csv"
    return write


def test_as_many_birds_as_published(birds):
    assert len(birds) == 344
    assert np.bincount(birds.species).tolist() == [152, 68, 124]           # Adélie, chinstrap, gentoo
    assert sorted(set(birds.year.tolist())) == [2007, 2008, 2009]
    assert np.bincount(birds.sex + 1).tolist() == [11, 165, 168]


def test_a_table_of_species_by_island(birds):
    pairs = np.zeros((3, 3), int)
    np.add.at(pairs, (birds.species, birds.island), 1)
    assert pairs.tolist() == [[44, 56, 52], [0, 68, 0], [124, 0, 0]]


def test_gaps_are_nan_and_nothing_else_is(birds):
    gaps = np.isnan(birds.measurements)
    assert gaps.sum(axis=0).tolist() == [2, 2, 2, 2]
    assert (gaps.all(axis=1) == gaps.any(axis=1)).all()                    # a bird was measured, or it was not
    measured = birds.measurements[~gaps.any(axis=1)]
    assert (measured.min(axis=0) > [30, 13, 170, 2500]).all() and (measured.max(axis=0) < [60, 22, 235, 6500]).all()


def test_types(birds):
    assert birds.measurements.dtype == np.float32
    for column in (birds.species, birds.island, birds.sex, birds.year):
        assert column.dtype == np.int64 and column.shape == (344,)


def test_a_row_is_read_in_its_columns_whatever_their_order(table):
    order = [5, 7, 0, 2, 1, 4, 6, 3]
    lines = [",".join(line.strip().split(",")[place] for place in order) for line in (HEADER, BIRD)]
    bird = penguins.read_penguins(table("\n".join(lines) + "\n"))
    np.testing.assert_allclose(bird.measurements, [[46.1, 13.2, 211, 4500]], rtol=1e-6)
    assert (bird.species[0], bird.island[0], bird.sex[0], bird.year[0]) == (2, 0, 0, 2007)


@pytest.mark.parametrize(("text", "words"), [
    (HEADER + BIRD.replace("Gentoo", "Emperor"), "'Emperor'|Emperor|not in tuple"),
    (HEADER + BIRD.replace("46.1", "long"), "long"),
    (HEADER.replace("sex", "gender") + BIRD, "found no sex"),
    (HEADER, "expected these columns"),
])
def test_a_table_of_another_kind_is_refused(table, text, words):
    with pytest.raises(LayoutError, match=words):
        penguins.read_penguins(table(text))


def test_a_missing_file_and_a_missing_package_say_what_to_install(tmp_path, monkeypatch):
    with pytest.raises(MissingDataError, match="install that package"):
        penguins.read_penguins(tmp_path / "none.csv")
    monkeypatch.setattr(penguins, "find_spec", lambda name: None)
    with pytest.raises(MissingDataError, match="pip install palmerpenguins"):
        penguins.load_penguins()


def test_reading_does_not_import_pandas():
    code = ("import sys; from course_utils.data.penguins import load_penguins; load_penguins(); "
            "print('pandas' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "False\n"
