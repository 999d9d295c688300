"""What a reader does on a page: fold out, copy, answer, scroll, switch to the dark, open the menu."""

import re

import pytest
from browser_checks import theme_of, visit
from course_quiz import quiz_html

from tools.site_browser import SITE, open_page, serve, site_pages


def page_with(mark):
    """The first page of the site whose HTML holds a text."""
    found = [page for page in site_pages() if mark in (SITE / page).read_text("utf-8")]
    assert found, f"no page of the site holds {mark!r}"
    return found[0]


@pytest.mark.parametrize("way", ["click", "keyboard"])
def test_solution_folds_out(open_site, way):
    page = open_site(page_with('class="solution dropdown'))
    solution = page.locator("div.solution.dropdown").first
    button, body = solution.locator("button.toggle-button"), solution.locator(":scope > *").last
    assert not body.is_visible()
    if way == "click":
        button.click()
    else:
        button.focus()
        page.keyboard.press("Enter")
    assert body.is_visible()
    assert button.get_attribute("aria-expanded") == "true"


def test_copy_button_copies_the_code(open_site):
    page = open_site(page_with('class="cell docutils container"'))
    cell = page.locator("div.cell_input div.highlight:visible").first
    cell.hover()
    cell.locator("button.copybtn").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.length > 0)")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()


@pytest.mark.parametrize("way", ["click", "keyboard"])
def test_quiz_says_why(open_site, way):
    page = open_site(page_with('class="quiz"'))
    question = page.locator(".quiz fieldset:has(input[type=radio])").first
    answer = question.locator("input[type=radio]").first
    feedback = question.locator(".quiz-feedback > div:visible")
    assert feedback.count() == 0
    if way == "click":
        question.locator("label").first.click()
    else:
        answer.focus()
        page.keyboard.press("Space")
    assert feedback.count() == 1
    assert feedback.inner_text().strip()


NUMBERS = [
    {"question": "How many bands?", "type": "numeric", "answers": [{"type": "value", "value": 12, "correct": True}]},
    {"question": "How wide?", "type": "numeric", "precision": 2, "answers": [
        {"type": "value", "value": 0.14, "correct": True, "feedback": "Yes."},
        {"type": "range", "range": [10, 20], "correct": False, "feedback": "In per cent."},
        {"type": "default", "feedback": "No."},
    ]},
    {"question": "Which?", "type": "many_choice", "answers": [
        {"answer": "this", "correct": True, "feedback": "This."},
        {"answer": "that", "correct": True, "feedback": "That."},
    ]},
]  # fmt: skip


@pytest.fixture(scope="module")
def quiz(browser, site, tmp_path_factory):
    """A page with nothing but a quiz of numbers and of several choices."""
    folder = tmp_path_factory.mktemp("quiz")
    script = (site / "_static" / "quiz.js").read_text("utf-8")
    page = f"<!DOCTYPE html><html lang='en'><title>q</title>{quiz_html(NUMBERS)}<script>{script}</script></html>"
    (folder / "quiz.html").write_text(page, encoding="utf-8")
    with serve(folder) as address, visit(browser, address, "quiz.html") as (page, log):
        yield page
        assert [text for text in log.console if "404" not in text] == []     # the browser asks for an icon


@pytest.mark.parametrize(("question", "typed", "answer"), [
    (0, "12", "Correct."), (0, " 12.0 ", "Correct."), (0, "11", "Not this one."), (0, "twelve", ""), (0, "", ""),
    (1, "0.1414", "Yes."), (1, "0,14", "Yes."), (1, "14", "In per cent."), (1, "20", "No."), (1, "-1", "No."),
])  # fmt: skip
def test_number_is_judged(quiz, question, typed, answer):
    fieldset = quiz.locator("fieldset").nth(question)
    fieldset.locator("input").fill(typed)
    fieldset.locator("input").press("Enter")
    assert fieldset.locator("[role=status]").inner_text().strip().removeprefix("✓ ").removeprefix("✗ ") == answer
    assert (fieldset.locator("input").get_attribute("aria-invalid") == "true") == (answer == "")


def test_several_choices_are_answered_one_by_one(quiz):
    fieldset = quiz.locator("fieldset").nth(2)
    for box in fieldset.locator("input").all():
        box.check()
    assert sorted(fieldset.locator("[role=status]").inner_text().split()) == ["That.", "This."]
    fieldset.get_by_label("this").uncheck()
    assert fieldset.locator("[role=status]").inner_text().split() == ["That."]


def test_theme_button_switches_to_the_dark(open_site):
    page = open_site("book/intro.html")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):              # the button goes round auto, light, dark
        page.locator("button.theme-switch-button").click()
        if theme_of(page) == "dark":
            break
    assert theme_of(page) == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


def test_what_is_printed_from_the_dark_is_light_and_whole(open_site):
    page = open_site(page_with('class="chapter-facts"'))
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator("article h1").first.is_visible()
    cut = "[...document.querySelectorAll('article pre')].filter((box) => box.scrollWidth > box.clientWidth + 1).length"
    assert page.evaluate(cut) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_chapter_becomes_a_pdf_of_some_pages(open_site):
    page = open_site(page_with('class="chapter-facts"'))
    paper = page.pdf(format="A4", margin=dict.fromkeys(("top", "bottom", "left", "right"), "1cm"))
    assert paper.startswith(b"%PDF")
    assert 5 < len(re.findall(rb"/Type\s*/Page\b", paper)) < 60


def test_keyboard_skips_to_the_text(open_site):
    page = open_site("book/intro.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_phone_reader_reaches_the_contents(open_site):
    page = open_site("book/intro.html")
    page.set_viewport_size({"width": 390, "height": 844})
    link = page.locator(".bd-sidebar-primary nav a").first
    link.wait_for(state="hidden")       # it slides away
    page.locator("button.primary-toggle:visible, label.primary-toggle:visible").first.click()
    link.wait_for(state="visible")
    link.click()
    page.wait_for_load_state()
    assert not page.url.endswith("intro.html")


def test_front_door_leads_to_the_book(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/")
    page.wait_for_url("**/book/intro.html")
    context.close()


def test_a_chapter_opens_as_a_file(browser, site):
    """Without any server, as `make book` says at its end: formulas typeset, nothing refused."""
    context = browser.new_context()
    page = context.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    open_page(page, (site / page_with('class="math')).as_uri())
    assert page.locator("mjx-container").count() > 0
    assert messages == []
    context.close()


NOTES_OVER_CONTENTS = """() => {
    const boxes = (selector) => [...document.querySelectorAll(selector)]
        .filter((box) => box.checkVisibility({ opacityProperty: true })).map((box) => box.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const links = boxes(".bd-sidebar-secondary a");
    return boxes("aside.margin > *").filter((note) => links.some((link) => meet(note, link))).length;
}"""
UNPADDED = "aside.margin { margin-top: 0 !important; padding-top: 0 !important; }"


@pytest.mark.parametrize(("planted", "collisions"), [("/* nothing */", 0), (UNPADDED, 1)])
def test_the_contents_make_room_for_a_note_low_in_the_window(open_site, planted, collisions):
    page = open_site("book/space/10_unet.html")
    page.add_style_tag(content=planted)
    page.locator("aside.margin > :visible").first.evaluate("""(note) => scrollTo({
        top: scrollY + note.getBoundingClientRect().top - 0.7 * innerHeight, behavior: "instant" })""")
    page.wait_for_timeout(500)
    assert page.evaluate(NOTES_OVER_CONTENTS) == collisions
