"""The site runs every chapter a second time, with a thread for each core: its numbers must be the stored ones, too.

`make notebooks` gives each notebook one thread. Sums of floating-point numbers depend on how many threads share them:
the two runs together show that the tolerances hold for either.
"""

import pytest
from jupyter_cache import get_cache

from tests.notebooks import compare
from tools.notebooks import chapters, tags, to_notebook


def executed(chapter, site):
    """A chapter with the outputs that the site shows, found as the site finds them."""
    cache = get_cache(site.parent / ".jupyter_cache")
    try:
        record = cache.match_cache_notebook(to_notebook(chapter.read_text("utf-8")))
    except KeyError:
        pytest.fail(f"found no execution of {chapter.name} as it is now, expected one: run `make site`", pytrace=False)
    return cache.get_cache_bundle(record.pk).nb


def differences(notebook, references):
    """What the compared cells of an executed notebook print beyond the tolerances."""
    compared = [cell for cell in notebook.cells if "compare" in tags(cell)]
    assert {cell.metadata["name"] for cell in compared} == set(references), "run `make references`"
    found = {cell.metadata["name"]: compare.difference(references[cell.metadata["name"]], compare.printed(cell.outputs))
             for cell in compared}
    return {name: text for name, text in found.items() if text}


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_the_site_shows_the_stored_numbers(chapter, site):
    assert differences(executed(chapter, site), compare.load(chapter.stem)) == {}


def test_a_number_beyond_its_tolerance_would_be_noticed(site):
    chapter = chapters()[0]
    references = compare.load(chapter.stem)
    name = next(iter(references))
    references[name] = {**references[name], "text": references[name]["text"] + " 1"}
    assert list(differences(executed(chapter, site), references)) == [name]
