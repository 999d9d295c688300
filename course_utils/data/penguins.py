"""Palmer penguins: sizes of 344 birds of three species, with gaps, from the package `palmerpenguins`."""

import csv
import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.files import reading

__all__ = ["ISLANDS", "MEASUREMENTS", "SEXES", "SPECIES", "Penguins", "load_penguins"]

SPECIES = ("Adelie", "Chinstrap", "Gentoo")
ISLANDS = ("Biscoe", "Dream", "Torgersen")
SEXES = ("female", "male")
MEASUREMENTS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
MISSING = "NA"


@dataclass(frozen=True)
class Penguins:
    """One row per bird.

    Attributes:
        measurements: (N, 4) float32, the columns `MEASUREMENTS` in mm and g; NaN where not measured.
        species: (N,) int64, a place in `SPECIES`.
        island: (N,) int64, a place in `ISLANDS`.
        sex: (N,) int64, a place in `SEXES`; −1 where not known.
        year: (N,) int64, the year of the study.
    """

    measurements: np.ndarray
    species: np.ndarray
    island: np.ndarray
    sex: np.ndarray
    year: np.ndarray

    def __len__(self):
        return len(self.species)


def load_penguins() -> Penguins:
    """Read the table that the installed package `palmerpenguins` carries, with its gaps left open.

    Only the file is read: the package itself, and pandas with it, is not imported.

    Returns:
        344 birds, in the order of the table.

    Raises:
        MissingDataError: the package is not installed.
        LayoutError: its table does not have the columns or the words that are expected.

    Source:
        Gorman, Williams, Fraser (2014), doi:10.1371/journal.pone.0090081; Horst, Hill, Gorman (2020),
        doi:10.5281/zenodo.3960218. CC0.

    Example:
        >>> penguins = load_penguins()
        >>> len(penguins), np.isnan(penguins.measurements).sum(axis=0).tolist()
        (344, [2, 2, 2, 2])
    """
    package = find_spec("palmerpenguins")
    if package is None:
        raise MissingDataError("found no package palmerpenguins, expected it among those of requirements.txt; "
                               "run pip install palmerpenguins")
    return read_penguins(Path(package.origin).parent / "data" / "penguins.csv")


def read_penguins(path: str | Path) -> Penguins:
    """Read a table of penguins.

    Args:
        path: a CSV file with the columns species, island, sex, year and those of `MEASUREMENTS`; NA where nothing is
            known.

    Returns:
        The birds, in the order of the table.

    Raises:
        MissingDataError: there is no such file.
        LayoutError: a column is missing, or a value is none of those expected.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"found no file {path}, expected the table of palmerpenguins; install that package anew")
    again = "the table of palmerpenguins; install that package anew"
    with (reading(f"{path} that cannot be read", again, LayoutError),
          path.open(newline="", encoding="utf-8") as file):
        rows = list(csv.DictReader(file))
    absent = {"species", "island", "sex", "year", *MEASUREMENTS} - set(rows[0] if rows else ())
    if absent:
        raise LayoutError(f"found no {', '.join(sorted(absent))} in {path}, expected these columns")
    with reading(f"a value in {path} that cannot be read", f"numbers or {MISSING}, and the names "
                 f"{', '.join(SPECIES + ISLANDS + SEXES)}", LayoutError):
        return Penguins(
            measurements=np.array([[_number(row[name]) for name in MEASUREMENTS] for row in rows], np.float32),
            species=np.array([SPECIES.index(row["species"]) for row in rows]),
            island=np.array([ISLANDS.index(row["island"]) for row in rows]),
            sex=np.array([-1 if row["sex"] == MISSING else SEXES.index(row["sex"]) for row in rows]),
            year=np.array([int(row["year"]) for row in rows]))


def _number(text: str) -> float:
    """A number, NaN where the table has a gap."""
    if text == MISSING:
        return math.nan
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no measurement")
    return number
