"""The search: it finds the words of the book, and shows of each page what a reader wants to know."""

import pytest
from browser_checks import visit
from page_checks import parse

from tools.site_browser import SITE, open_page


def test_search_finds_a_term(open_site, address):
    page = open_site("search.html")
    open_page(page, f"{address}/search.html?q=tensor")
    page.wait_for_function("document.querySelectorAll('#search-results li').length > 0", timeout=5000)
    assert page.locator("#search-results li a").first.get_attribute("href")


def test_search_finds_every_word_of_the_glossary(open_site, site):
    glossary = parse((site / "book" / "appendix" / "glossary.html").read_text("utf-8"))
    terms = [term.get_text(" ", strip=True).removesuffix("#").strip() for term in glossary.select("dl.glossary dt")]
    page = open_site("search.html")
    page.wait_for_function("Search._index !== undefined && Search._index !== null")
    found = page.evaluate("""(terms) => terms.map((term) =>
        Search._performSearch(...Search._parseQuery(term)).map(([name]) => name))""", terms)
    assert len(terms) > 50
    assert [term for term, names in zip(terms, found, strict=True) if not names] == []


def test_search_works_on_a_site_opened_as_files(browser):
    with visit(browser, SITE.as_uri(), "search.html") as (page, log):
        open_page(page, f"{SITE.as_uri()}/search.html?q=tensor")
        page.wait_for_function("document.querySelectorAll('#search-results li').length > 0", timeout=5000)
        page.wait_for_function("document.querySelector('#search-results p')?.innerText.includes('found')")
        page.wait_for_timeout(300)
        assert log.console == []


def test_search_without_a_hit_says_so(open_site, address):
    page = open_site("search.html")
    open_page(page, f"{address}/search.html?q=xylophonist")
    page.wait_for_function("document.querySelector('#search-results p')?.innerText.includes('did not match')")
    assert page.locator("#search-results li").count() == 0


def test_a_long_name_breaks_at_its_dots(open_site, address):
    page = open_site("search.html")
    open_page(page, f"{address}/search.html?q=metrics.counts.accuracy")
    name = page.locator("#search-results a", has_text="course_utils.metrics.counts.accuracy")
    assert name.first.locator("wbr").count() == 3


EXCERPTS = "[...document.querySelectorAll('#search-results p.context')].map((lines) => lines.textContent)"
MARKED = "[...document.querySelectorAll('#search-results .highlighted')].map((word) => word.textContent.toLowerCase())"


@pytest.mark.parametrize(("query", "word"), [
    ("accuracy", "accuracy"), ("skip connection", "skip"), ("U-Net", "U-Net"), ("--nproc-per-node", "--nproc-per-node"),
])  # fmt: skip
def test_what_is_shown_of_a_page_can_be_read(open_site, address, query, word):
    page = open_site("search.html")
    open_page(page, f"{address}/search.html?q={query}")
    page.wait_for_function("document.querySelectorAll('#search-results p.context').length > 1", timeout=5000)
    page.wait_for_timeout(500)
    shown = page.evaluate(EXCERPTS)
    assert any(word in text for text in shown)
    assert [text for text in shown if "\\(" in text or ".ipynb" in text or not 0 < len(text) < 250] == []
    assert {mark for mark in page.evaluate(MARKED) if len(mark) < 3} == set()


PLANTED = """<nav>loss</nav><article><h1>Title of losses<a class="headerlink">#</a></h1>
<p>It begins{words}. The error is <span class="math">\\(\\frac{{1}}{{2}}\\)</span> of the loss
<span class="math">\\(L\\)</span>.</p><pre>loss = net(<span>image</span>)</pre>
<table><tr><th>loss</th><td>rate</td></tr></table>
<div class="solution">A secret.</div><p>Accuracy</p><p>here{words}.</p>
<dl><dt id="term-rate">rate<a class="headerlink">#</a></dt><dd><p>How fast.</p></dd></dl></article>"""


@pytest.fixture(scope="module")
def summary(browser, address):
    """What the search shows of the planted page, with more words between its parts or not, for stems of words."""
    with visit(browser, address, "search.html") as (page, _):

        def shown(words, *stems, anchor=""):
            html = PLANTED.format(words=" and more words" * words)
            call = "([html, stems, anchor]) => Search.makeSearchSummary(html, new Set(stems), anchor).textContent"
            return page.evaluate(call, [html, stems, anchor])

        yield shown


@pytest.mark.parametrize(("stems", "anchor", "text"), [
    (["loss"], "", "It begins. The error is … of the loss L. Accuracy here. rate How fast."),
    (["loss", "imag"], "",
     "It begins. The error is … of the loss L. loss = net(image) loss rate Accuracy here. rate How fast."),
    (["secret"], "", "It begins. The error is … of the loss L. Accuracy here. rate How fast."),
    (["rate"], "#term-rate", "rate: How fast."),
])  # fmt: skip
def test_of_a_short_page_everything_is_shown_with_its_words_apart(summary, stems, anchor, text):
    assert summary(0, *stems, anchor=anchor) == text


def test_of_a_long_page_the_place_is_shown_where_most_of_the_words_are(summary):
    text = summary(50, "error", "loss")
    assert text.startswith("… ") and text.endswith(" …") and len(text) < 250
    assert "more words. The error is … of the loss L." in text
    assert summary(50, "accuraci").count("Accuracy here and more words") == 1
