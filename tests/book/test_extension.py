"""The site's own Sphinx extension, without a build."""

import course
import pytest
from course_outputs import join_streams
from course_pages import clean_page
from course_quiz import quiz_html, rich_text
from docutils import nodes, utils
from page_checks import parse, structure_problems
from sphinx.errors import ExtensionError

from course_utils.checks.core import _wrapped


@pytest.mark.parametrize(("seconds", "words"), [
    (0.4, "under 1 s"), (14.2, "14 s"), (59.6, "1 min 0 s"), (75, "1 min 15 s"),
])  # fmt: skip
def test_duration_in_words(seconds, words):
    assert course.duration(seconds) == words


def test_chapter_header_tells_time_and_difficulty():
    text = parse(course.chapter_header({"teach_minutes": 75, "difficulty": 2}, 14.2, 2, 21)).get_text(" ")
    assert "75 min" in text
    assert "21 min" in text
    assert "14 s" in text
    assert "2 cores" in text
    assert "●●○" in text


def test_chapter_header_of_a_page_that_was_not_run_claims_no_time():
    text = course.chapter_header({"teach_minutes": 5, "difficulty": 1}, None, 2, 3)
    assert "runs in" not in text


@pytest.mark.parametrize("chapter", [{"teach_minutes": 75}, {"difficulty": 1}, {"teach_minutes": 75, "difficulty": 4}])
def test_chapter_header_refuses_incomplete_front_matter(chapter):
    with pytest.raises(ExtensionError, match="expected teach_minutes"):
        course.chapter_header(chapter, 1.0, 2, 3)


@pytest.mark.parametrize(("words", "minutes"), [(0, 1), (299, 1), (1000, 5)])
def test_reading_time_counts_the_prose_that_is_not_folded(words, minutes):
    page = utils.new_document("page")
    folded = nodes.admonition("", nodes.paragraph("", "word " * 5000), classes=["dropdown"])
    page += [nodes.paragraph("", "word " * words), nodes.literal_block("", "code " * 5000), folded]
    assert course.reading_minutes(page) == minutes


def test_an_arrow_stays_with_the_type_that_it_points_to():
    arrow = '<span class="sig-return-icon">&#x2192;</span>'
    cleaned = clean_page(f'{arrow} <span class="sig-return-typehint">')
    assert cleaned == f'{arrow}\u00a0<span class="sig-return-typehint">' == clean_page(cleaned)


def test_cleaning_drops_what_asks_other_hosts_and_repeats():
    script = "<script>let toggleHintShow = 'Click to show';</script>"
    page = (
        script + script
        + '<script src="_static/vendor/fontawesome/6/js/all.min.js"></script>'
        + '<script>const THEBE_JS_URL = "https://unpkg.com/thebe";</script><script>let kept = 1;</script>'
        + '<section id="exercise-content"></section><section id="exercise-content"></section>'
        + '<input id="search-input"><input id="search-input">Long <em>et al.</em>, 2006'
        + '<p class="prev-next-title"><span class="section-number">5. </span>Backpropagation</p>'
    )  # fmt: skip
    cleaned = clean_page(page)
    assert cleaned.count("toggleHintShow") == 1
    assert "let kept" in cleaned
    assert "unpkg" not in cleaned
    assert "fontawesome" not in cleaned
    assert "exercise-content" not in cleaned
    assert cleaned.count("search-input") == 1
    assert "et\xa0al." in cleaned
    assert "5.\xa0</span>Backpropagation" in cleaned
    assert clean_page(cleaned) == cleaned


def printed(text, classes=("output", "stream")):
    return nodes.literal_block(text, text, classes=list(classes))


def test_pieces_of_one_print_are_joined_as_they_came():
    document = utils.new_document("page")
    figure = nodes.paragraph("", "a figure")
    cell = nodes.container("", printed("653"), printed(" pixels\n"), printed("and\n"), figure, printed("later\n"))
    document += cell
    join_streams(None, document)
    assert [child.astext() for child in cell] == ["653 pixels\nand\n", "a figure", "later\n"]
    assert cell[0]["classes"] == ["output", "stream"]


@pytest.mark.parametrize("line", [
    "✓ tensors.mean", "✗ tensors.mean: " + "many a word that says what was found and what was expected " * 3 + "here",
])  # fmt: skip
def test_the_page_breaks_the_lines_of_a_check_by_itself(line):
    kept = "\n    a short line of its own\n  hint 1    look at the shapes"
    document = utils.new_document("page")
    document += nodes.container("", printed(_wrapped(line) + kept), nodes.paragraph(), printed(_wrapped("Not " + line)))
    join_streams(None, document)
    assert document[0][0].astext() == line + kept
    assert document[0][2].astext() == _wrapped("Not " + line)


def test_code_and_values_beside_printed_output_stay_apart():
    document = utils.new_document("page")
    code, value = printed("x = 1", ["cell_input"]), printed("(2,)", ["output", "text_plain"])
    cell = nodes.container("", code, printed("1\n"), value)
    document += cell
    join_streams(None, document)
    assert len(cell) == 3


def test_verdict_marks_are_coloured_in_printed_output_only():
    output = '<div class="output stream highlight"><pre><span></span>✓ one\n✗ two\nnot ✓ three</pre></div>'
    source = "<pre><span></span>✓ a comment</pre>"
    cleaned = clean_page(output + source)
    assert '<b class="right">✓</b> one' in cleaned
    assert '<b class="wrong">✗</b> two' in cleaned
    assert "not ✓ three" in cleaned
    assert source in cleaned
    assert clean_page(cleaned) == cleaned


CHOICE = {
    "question": "Is $x < 1$?", "type": "multiple_choice",
    "answers": [{"answer": "yes", "correct": True, "feedback": "It is."}, {"answer": "no", "correct": False}],
}  # fmt: skip
NUMBER = {
    "question": "How many?", "type": "numeric",
    "answers": [{"type": "value", "value": 3, "correct": True}, {"type": "default", "feedback": "Count again."}],
}  # fmt: skip


def test_quiz_is_a_form_that_can_be_read_aloud():
    tree = parse(f"<html lang='en'><title>t</title><h1>h</h1>{quiz_html([CHOICE, NUMBER])}</html>")
    assert structure_problems(tree) == []
    assert len(tree.select("form.quiz > fieldset > legend")) == 2
    assert all(box.find_parent("label") for box in tree.select("input"))
    assert all("hidden" in text.attrs for text in tree.select("[role=status] > div"))
    names = [box["name"] for box in tree.select("input")]
    assert names == ["quiz-1", "quiz-1", "quiz-2"]


def test_quiz_choices_of_which_several_are_right_are_checkboxes():
    tree = parse(quiz_html([CHOICE | {"type": "many_choice"}]))
    assert {box["type"] for box in tree.select("input")} == {"checkbox"}


def test_the_right_answer_of_a_quiz_stands_in_any_place_and_in_every_build_in_the_same():
    answers = [{"answer": "right", "correct": True}] + [{"answer": f"wrong {i}", "correct": False} for i in range(3)]
    questions = [{"question": f"Question {i}?", "type": "multiple_choice", "answers": answers} for i in range(20)]
    assert quiz_html(questions) == quiz_html(questions)
    fields = parse(quiz_html(questions)).select("fieldset")
    places = [[span.get_text() for span in field.select(".quiz-answers span")].index("right") for field in fields]
    assert set(places) == {0, 1, 2, 3}
    marked = [field.select_one("[role=status] > .right")["data-answer"] for field in fields]
    assert marked == [str(place) for place in places]


@pytest.mark.parametrize(("question", "message"), [
    (CHOICE | {"type": "string"}, "expected multiple_choice, many_choice or numeric"),
    (CHOICE | {"answers": [{"answer": "no", "correct": False}]}, "no correct answer"),
])  # fmt: skip
def test_quiz_refuses_what_it_can_not_mark(question, message):
    with pytest.raises(ExtensionError, match=message):
        quiz_html([question])


def test_quiz_text_knows_formulas_links_and_html():
    text = rich_text("<b>Why</b> $a<b$? See [this](x.html), the model's: <code>d['s']</code>.")
    assert '<span class="math notranslate nohighlight">\\(a&lt;b\\)</span>' in text
    assert '<a href="x.html">this</a>' in text
    assert text.startswith("<b>Why</b>")
    assert text.endswith("the model\N{RIGHT SINGLE QUOTATION MARK}s: <code class=\"unbroken\">d['s']</code>.")
    assert "unbroken" not in rich_text("<code>bright = image[image > 1]; bright += 1</code>")
