"""Every page of the site in a real browser, light and dark, wide and narrow, on paper and by keyboard.

A page is opened once for all its tests; a failure names the page and the element.
"""

import pytest
from access_checks import CONTRAST, contrast_problems, keyboard_problems, structure_problems
from browser_checks import (
    first_paint,
    formula_problems,
    paint_problems,
    print_problems,
    show_in,
    theme_of,
    visit,
    width_problems,
)

from tools.site_browser import serve


@pytest.fixture(scope="module")
def visited(browser, address, book_page):
    with visit(browser, address, book_page) as (page, log):
        yield page, log


def test_the_reader_soon_sees_something(visited, record_property):
    page, log = visited
    seconds = first_paint(page)
    record_property("page", (page.url, round(seconds, 3), log.weight))
    assert paint_problems(seconds) == []


def test_formulas_are_typeset(visited):
    assert formula_problems(visited[0]) == []


def test_page_fits_every_screen(visited):
    assert width_problems(visited[0]) == []


def test_page_fits_on_paper(visited):
    assert print_problems(visited[0]) == []


def test_keyboard_reaches_everything(visited):
    assert keyboard_problems(visited[0]) == []


def test_page_is_accessible(visited):
    assert structure_problems(visited[0]) == []


def test_page_is_quiet_light_and_asks_nobody_else(visited):
    """After the others, so that it covers all that they did on the page."""
    show_in(visited[0], "dark")
    assert theme_of(visited[0]) == "dark"
    assert visited[1].problems() == []


def test_text_stands_out_in_the_light_and_in_the_dark(visited):
    """Last, because it takes the page apart."""
    assert contrast_problems(visited[0]) == []


BAD_PAGE = """<!DOCTYPE html><html><head><title>x</title></head><body><main>
<p style="color:#bbb;background:#fff">faint $$x$$</p><div style="width:2000px">wide</div>
<span class="math">\\(x\\)</span><img src="missing.png"><img src="https://example.org/x.png" alt="outside">
<article><pre style="overflow-x:auto;width:90px">a line longer than its box</pre></article>
<div class="highlight-ipython3"><pre style="overflow-x:auto;width:90px">code_that_has_to_be_scrolled</pre></div>
<pre style="width:80px;white-space:pre-wrap"><b class="long"><i class="in">  </i><span>word_after_it</span></b></pre>
<button style="outline:none">no ring</button><button style="opacity:0">unseen</button>
<span onclick="alert()">mouse only</span><a href="#" tabindex="1">too early</a>
<input aria-label="trap" onkeydown="event.preventDefault()"><button>behind the trap</button>
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


@pytest.mark.parametrize("wrong", [r"X^\topG", r"\frac{1}"])
def test_a_wrong_formula_is_found(browser, address, wrong):
    with visit(browser, address, "book/foundations/03_descent.html") as (page, _):
        page.evaluate(r"""async (wrong) => {
            const box = document.querySelector("article").appendChild(document.createElement("p"));
            box.textContent = `\\(${wrong}\\)`;
            await MathJax.typesetPromise([box]);
        }""", wrong)  # fmt: skip
        (problem,) = formula_problems(page)
        assert "an error in a formula: " in problem


@pytest.mark.parametrize("expected", [
    "the page needs 2008 px where 390 are", 'wider than 390 px: <div style="width:2000px">', "code scrolls: code_that",
    "an empty row before word_after_it",
])  # fmt: skip
def test_width_check_can_fail(bad_visit, expected):
    assert any(expected in problem for problem in width_problems(bad_visit[0]))


def test_print_check_can_fail(bad_visit):
    (problem,) = print_problems(bad_visit[0])
    assert "a line longer than its box" in problem


@pytest.mark.parametrize("expected", [
    "no ring shows the focus of <button style=\"outline:none\"", "focused but not seen: <button style=\"opacity:0\"",
    "Tab does not reach <span onclick", "out of the order of the page: ", "a trap: <input aria-label=\"trap\"",
    "Tab does not reach <button>behind the trap",
])  # fmt: skip
def test_keyboard_check_can_fail(bad_visit, expected):
    bad_visit[0].reload()
    assert any(expected in problem for problem in keyboard_problems(bad_visit[0]))


def test_accessibility_check_can_fail(bad_visit):
    assert {"image-alt", "html-has-lang"} <= {text.split()[1].rstrip(":") for text in structure_problems(bad_visit[0])}


def test_contrast_check_can_fail(bad_visit):
    bad_visit[0].reload()
    problems = contrast_problems(bad_visit[0])
    for mode in ("light: ", "dark: "):
        assert any(text.startswith(mode) and CONTRAST in text and "faint" in text for text in problems)


@pytest.mark.parametrize("expected", ["another host: https://example.org", "404", "planted", "thrown"])
def test_visit_log_can_fail(bad_visit, expected):
    assert any(expected in problem for problem in bad_visit[1].problems())


def test_weight_and_waiting_are_limited(bad_visit):
    page, log = bad_visit
    assert not any("weighs" in problem for problem in log.problems())
    log.weight = 3_000_000
    assert any("weighs 3.0 MB" in problem for problem in log.problems())
    assert paint_problems(first_paint(page)) == []
    assert paint_problems(3.2) == ["first paint after 3.2 s, at most 3 s"]
