"""Every page of the site in a real browser, light and dark, wide and narrow."""

import pytest
from browser_checks import accessibility_problems, formula_problems, theme_of, visit, width_problems

from tools.site_browser import serve


@pytest.fixture(scope="module")
def visited(browser, address, book_page):
    with visit(browser, address, book_page) as (page, log):
        yield page, log


def test_formulas_are_typeset(visited):
    assert formula_problems(visited[0]) == []


def test_page_fits_every_screen(visited):
    assert width_problems(visited[0]) == []


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_page_is_accessible(visited, mode):
    assert accessibility_problems(visited[0], mode) == []
    assert theme_of(visited[0]) == mode


def test_page_is_quiet_light_and_asks_nobody_else(visited):
    """Last, so that it covers all that the tests above did on the page."""
    assert visited[1].problems() == []


BAD_PAGE = """<!DOCTYPE html><html><head><title>x</title></head><body><main>
<p style="color:#bbb;background:#fff">faint $$x$$</p><div style="width:2000px">wide</div>
<span class="math">\\(x\\)</span><img src="missing.png"><img src="https://example.org/x.png" alt="outside">
<script>console.error("planted"); throw new Error("thrown");</script></main></body></html>"""


@pytest.fixture(scope="module")
def bad_visit(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "bad.html").write_text(BAD_PAGE)
    with serve(folder) as address, visit(browser, address, "bad.html") as (page, log):
        yield page, log


def test_formula_check_can_fail(bad_visit):
    problems = formula_problems(bad_visit[0])
    assert any("raw TeX" in problem for problem in problems)
    assert any("1 of 1 formulas" in problem for problem in problems)


def test_width_check_can_fail(bad_visit):
    assert len(width_problems(bad_visit[0])) == 3


def test_accessibility_check_can_fail(bad_visit):
    problems = accessibility_problems(bad_visit[0], "light")
    assert {"color-contrast", "image-alt", "html-has-lang"} <= {text.split()[1].rstrip(":") for text in problems}


@pytest.mark.parametrize("expected", ["another host: https://example.org", "404", "planted", "thrown"])
def test_visit_log_can_fail(bad_visit, expected):
    assert any(expected in problem for problem in bad_visit[1].problems())


def test_weight_is_limited(bad_visit):
    log = bad_visit[1]
    assert not any("weighs" in problem for problem in log.problems())
    log.weight = 3_000_000
    assert any("weighs 3.0 MB" in problem for problem in log.problems())
