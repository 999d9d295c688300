"""The site runs every chapter a second time, with a thread for each core: its numbers must be the stored ones, too.

`make notebooks` gives each notebook one thread. Sums of floating-point numbers depend on how many threads share them:
the two runs together show that the tolerances hold for either.
"""

import pytest
from jupyter_cache import get_cache

from tests.notebooks import compare
from tools.notebooks import chapters, to_notebook


def executed(chapter, site):
    """A chapter with the outputs that the site shows, found as the site finds them."""
    cache = get_cache(site.parent / ".jupyter_cache")
    try:
        record = cache.match_cache_notebook(to_notebook(chapter.read_text("utf-8")))
    except KeyError:
        pytest.fail(f"found no execution of {chapter.name} as it is now, expected one: run `make site`", pytrace=False)
    return cache.get_cache_bundle(record.pk).nb


def problems(notebook, references):
    """What is wrong with the outputs of an executed notebook, by the rules of `make notebooks`."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [*compare.notebook_problems(notebook, references),
            *(problem for cell in cells for problem in compare.cell_problems(cell, cell.outputs, references, None))]


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_the_site_shows_the_stored_numbers(chapter, site):
    assert problems(executed(chapter, site), compare.load(chapter.stem)) == []


def test_a_number_beyond_its_tolerance_would_be_noticed(site):
    chapter = chapters()[0]
    references = compare.load(chapter.stem)
    name = next(iter(references))
    references[name] = {**references[name], "text": references[name]["text"] + " 1"}
    (problem,) = problems(executed(chapter, site), references)
    assert problem.startswith(f"{name}: text (numbers as #): found")
