"""Every page of the site, read as HTML."""

import pytest
from page_checks import content_problems, link_problems, parse, structure_problems


@pytest.fixture(scope="module")
def soup(site, page_path):
    return parse((site / page_path).read_text("utf-8"))


def test_page_is_well_formed(soup):
    assert structure_problems(soup) == []


def test_page_shows_what_was_meant(soup):
    assert content_problems(soup) == []


def test_links_lead_somewhere(site, page_path, soup):
    assert link_problems(site, page_path, soup) == []


BAD_PAGE = """<html><head><title> </title><link rel="stylesheet" href="https://cdn.example/x.css"></head><body>
<h1>One</h1><h1>Two</h1><h3>Three</h3><img src="missing.png">
<figure id="f"><img src="missing.png" alt="plot"></figure><p id="a">$$x$$ see {numref}`fig`</p><p id="a"></p>
<div class="math">\\[(<b>k-1</b>)\\]<span class="eqno">(1)</span></div>
<a href="other.html#nowhere">x</a> <a href="#nowhere">y</a> <a href="https://example.org">fine</a>
<div class="cell"><div class="cell_output"><div class="output stderr">UserWarning: no</div>
<pre>Traceback (most recent call last) in /root/x.py</pre></div></div></body></html>"""


@pytest.mark.parametrize("expected", [
    "2 h1 headings", "an h3 follows an h1", "no title", "no language", "without alternative text", "id used 2 times",
    "without a caption: f", "says too little: f",
])  # fmt: skip
def test_structure_check_can_fail(expected):
    assert any(expected in problem for problem in structure_problems(parse(BAD_PAGE)))


@pytest.mark.parametrize("expected", [
    "stderr", "traceback", "a path of this machine", "unrendered $$", "{numref}", "within a formula: <b>",
])  # fmt: skip
def test_content_check_can_fail(expected):
    assert any(expected in problem for problem in content_problems(parse(BAD_PAGE)))


def test_a_traceback_that_teaches_is_allowed():
    page = BAD_PAGE.replace('class="cell"', 'class="cell tag_raises-exception"')
    assert not any("traceback" in problem for problem in content_problems(parse(page)))


def test_link_check_can_fail(tmp_path):
    (tmp_path / "bad.html").write_text(BAD_PAGE)
    (tmp_path / "other.html").write_text("<p id='here'></p>")
    problems = link_problems(tmp_path, "bad.html", parse(BAD_PAGE))
    assert sorted(problem.split(":")[0] for problem in problems) == [
        "<link> asks another host", *2 * ["no such file"], *2 * ["no such place on its page"],
    ]  # fmt: skip
