"""What the site says of chapters, plans and their map follows from the chapters; a plan nobody can teach is refused."""

import io
import re
from datetime import datetime

import course_map
import matplotlib as mpl
import pytest
import yaml
from course_chapters import Chapter, builds_on, nearest_needs, parse_chapter, read_chapters
from course_plans import (
    day_markdown,
    facts_markdown,
    hours,
    paths_markdown,
    plan_markdown,
    read_plans,
    times_markdown,
    working_minutes,
)
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from page_checks import parse
from sphinx.errors import ExtensionError

from tools.notebooks import ROOT, directives

PLANS = ROOT / "book" / "plans.yml"
GUIDE = ROOT / "book" / "appendix" / "instructor_guide.md"
FRONT = "---\nchapter: {teach_minutes: 80, difficulty: 2, needs: [1, 08]}\n---\n\n# Clouds\n\nText.\n"
NOTE = """
```{admonition} For instructors
:class: dropdown instructor
**Timing** (80 minutes): much 40, more 40. With
45 minutes: the first
figure.

**What to skip first**: the rest.
```
"""


@pytest.fixture(scope="module")
def chapters():
    return read_chapters(ROOT)


@pytest.fixture(scope="module")
def plans(chapters):
    return read_plans(PLANS, chapters)


def made_up(needs):
    """Chapters of 60 minutes, 30 in short, with the given needs."""
    return {number: Chapter(number, f"book/part/{number:02}_x", "Part", f"Title {number}", 60, tuple(below), 30)
            for number, below in needs.items()}


def test_every_chapter_of_the_table_of_contents_is_read_in_its_order(chapters):
    named = re.findall(r"file: (book/\w+/(\d\d)_\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert [(one.docname, one.label) for one in chapters.values()] == named
    assert list(chapters) == sorted(chapters)


def test_a_chapter_is_read_from_its_front_matter_and_its_note():
    chapter = parse_chapter(FRONT + NOTE, 9, "book/part/09_clouds", "Part")
    assert (chapter.title, chapter.minutes, chapter.needs) == ("Clouds", 80, (1, 8))
    assert (chapter.short_minutes, chapter.keep, chapter.skip) == (45, "The first figure.", "The rest.")


def test_what_a_chapter_does_not_say_stays_open():
    bare = parse_chapter("---\nchapter: {teach_minutes: 80, difficulty: 2}\n---\n# Clouds\n", 9, "doc", "Part")
    assert (bare.needs, bare.short_minutes, bare.keep, bare.skip) == (None, None, "", "")
    with pytest.raises(ExtensionError, match="expected teach_minutes"):
        parse_chapter("# No front matter\n", 9, "doc", "Part")


def test_a_chapter_that_needs_a_later_one_is_refused(tmp_path):
    (tmp_path / "book" / "part").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text("parts: [{caption: Part, chapters: [{file: book/part/07_clouds}]}]")
    (tmp_path / "book" / "part" / "07_clouds.md").write_text(FRONT)
    with pytest.raises(ExtensionError, match=r"found needs \[1, 8\], expected chapters that stand before it"):
        read_chapters(tmp_path)


def named_in(text):
    """Numbers of the chapters that a sentence names, also as "01 to 04"."""
    found = set()
    for first, last in re.findall(r"(?<!\d)(\d\d)(?:\s+to\s+(\d\d))?(?!\d)", text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_front_matter_needs_what_the_page_says_it_needs(chapters):
    for chapter in chapters.values():
        text = (ROOT / f"{chapter.docname}.md").read_text(encoding="utf-8")
        said = re.search(r"^\*\*You need\*\*(.*?)\n\n", text, re.DOTALL | re.MULTILINE)[1]
        if chapter.needs is not None:
            assert set(chapter.needs) <= named_in(said), chapter.docname
            first_sentence = re.split(r"\.\s", said)[0]
            assert named_in(first_sentence) <= builds_on(chapters, chapter.number), chapter.docname


@given(st.data())
def test_the_fewest_lines_of_the_map_lead_to_all_that_a_chapter_builds_on(data):
    needs = {number: data.draw(st.sets(st.integers(1, number - 1))) if number > 1 else set() for number in range(1, 8)}
    invented = made_up(needs)
    fewest = made_up({number: nearest_needs(invented, number) for number in invented})
    for number in invented:
        assert builds_on(fewest, number) == builds_on(invented, number)
        for one in fewest[number].needs:
            rest = set(fewest[number].needs) - {one}
            assert one not in rest.union(*(builds_on(invented, other) for other in rest))


def clock(text):
    return datetime.strptime(text, "%H:%M")


def test_the_days_of_each_plan_add_up(chapters, plans):
    """Minutes are looked up again here: in the file of plans, in front matter and in the notes' own words."""
    stored = yaml.safe_load(PLANS.read_text(encoding="utf-8"))
    assert list(plans) == list(stored)
    for name, plan in plans.items():
        for day, wanted in zip(plan.days, stored[name]["days"], strict=True):
            total = work = 0
            for entry in wanted["sessions"]:
                minutes = entry.get("pause", entry.get("meet", entry.get("minutes", 0)))
                if "teach" in entry:
                    text = (ROOT / f"{chapters[entry['teach']].docname}.md").read_text(encoding="utf-8")
                    note = text[text.index("} For instructors"):]
                    whole = re.search(r"teach_minutes: (\d+)", text)
                    minutes = int((re.search(r"With\s+(\d+)\s+minutes", note) if entry.get("short") else whole)[1])
                total += minutes
                work += 0 if "pause" in entry else minutes
            lines = day_markdown(day, chapters).splitlines()
            ends = clock(re.search(r"\d\d:\d\d", lines[-1])[0])
            assert (ends - clock(wanted["starts"])).seconds == 60 * total
            assert f"{hours(work)} of work" in lines[-1]
            assert working_minutes(day) == work


def test_every_chapter_is_in_some_plan_and_none_before_one_that_it_needs(chapters, plans):
    for plan in plans.values():
        order = [session.chapter for session in plan.sessions if session.chapter]
        for place, number in enumerate(order):
            assert builds_on(chapters, number) <= set(order[:place]), plan.title
    assert {number for plan in plans.values() for number in plan.taught} == set(chapters)


TAUGHT = "[{teach: 1}, {pause: 15}, {teach: 2}]"


@pytest.mark.parametrize(("sessions", "message"), [
    ("[{teach: 2}]", r"chapter 2 without \[1\], which it needs"),
    ("[{teach: 2}, {teach: 1}]", r"chapter 2 without \[1\]"),
    ("[{teach: 1}, {home: 3}]", r"chapter 3 without \[2\]"),
    ("[{teach: 1}, {tell: 1, minutes: 10}]", "chapter 1 twice"),
    ("[{teach: 9}]", "found chapter 9, expected one of the table of contents"),
    ("[{teach: 1, short: true}, {teach: 2}, {meet: 45}]", "135 minutes without a pause, expected at most 120"),
    ("[{teach: 4, short: true}]", "expected the words \"With ... minutes\""),
    ("[{dance: 15}]", "expected one of teach, tell, home, meet, pause"),
])  # fmt: skip
def test_a_plan_that_can_not_be_taught_is_refused(tmp_path, sessions, message):
    invented = made_up({1: [], 2: [1], 3: [2]}) | {4: Chapter(4, "doc", "Part", "Four", 60, ())}
    for words in (TAUGHT, sessions):
        file = tmp_path / "plans.yml"
        file.write_text(f"trial:\n  title: T\n  for: you\n  days:\n    - {{starts: '09:00', sessions: {words}}}\n")
        if words == TAUGHT:
            assert working_minutes(read_plans(file, invented)["trial"].sessions) == 120
        else:
            with pytest.raises(ExtensionError, match=message):
                read_plans(file, invented)


@pytest.mark.parametrize(("minutes", "words"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (355, "5 h 55 min")])
def test_durations_in_words(minutes, words):
    assert hours(minutes).replace("\u00a0", " ") == words


def test_tables_name_what_they_are_about(chapters, plans):
    times, paths = times_markdown(chapters), paths_markdown(plans, chapters)
    for chapter in chapters.values():
        assert f"</{chapter.docname}>" in times and chapter.keep in times and chapter.skip in times
    for plan in plans.values():
        assert hours(working_minutes(plan.sessions)) in paths
        laid_out = plan_markdown(plan, chapters)
        assert all(f"</{chapters[number].docname}>" in laid_out for number in plan.taught)


def test_the_front_page_says_at_once_for_whom_and_how_long(chapters, plans):
    facts = facts_markdown(plans, chapters)
    hours_in_all = round(sum(chapter.minutes for chapter in chapters.values()) / 60)
    lengths = [plan.title.lower() for plan in plans.values()]
    assert all(said in facts for said in ("numpy", f"{len(chapters)} chapters", f"{hours_in_all}\u00a0h", *lengths))


def test_the_map_shows_every_chapter_with_its_minutes_and_no_letter_on_another(chapters, plans):
    fig = course_map.draw(chapters, plans)
    (ax,) = fig.axes
    shown = [text.get_text() for text in ax.texts]
    for chapter in chapters.values():
        place = shown.index(f"{chapter.label}  {chapter.title}")
        assert shown[place + 1] == str(chapter.minutes)
    assert {chapter.part for chapter in chapters.values()} <= set(shown)
    renderer = FigureCanvasAgg(fig).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in ax.texts]
    assert all(fig.bbox.contains(*corner) for box in boxes for corner in (box.min, box.max))
    touching = [(shown[i], shown[j]) for i in range(len(boxes)) for j in range(i) if boxes[i].overlaps(boxes[j])]
    assert touching == []


def test_the_map_is_the_same_file_each_time_and_said_in_words(chapters, plans):
    files = []
    for _ in range(2):
        with mpl.rc_context(course_map.SVG):
            course_map.draw(chapters, plans).savefig(file := io.BytesIO(), format="svg", metadata={"Date": None})
        files.append(file.getvalue())
    assert files[0] == files[1] and len(files[0]) < 200_000
    words = course_map.in_words(chapters)
    assert all(f"{chapter.label} on " in words for chapter in chapters.values() if chapter.needs)


def test_the_guide_shows_every_plan(plans):
    used = [block.argument for block in directives(GUIDE.read_text(encoding="utf-8")) if block.name == "chapter-plan"]
    assert used == list(plans)


def test_the_finished_guide_adds_up(site, plans):
    page = parse((site / "book" / "appendix" / "instructor_guide.html").read_text(encoding="utf-8"))
    days = [day for plan in plans.values() for day in plan.days]
    tables = [table for table in page.select("article table") if table.select("th")[0].get_text() == "from"]
    for table, day in zip(tables, days, strict=True):
        rows = [[cell.get_text() for cell in row.select("td")] for row in table.select("tbody tr")]
        assert sum(int(row[2] or 0) for row in rows) == sum(session.minutes for session in day)
        assert rows[-1][1] == f"end; {hours(working_minutes(day))} of work"
    (picture,) = page.select("#fig-chapter-map img")
    assert "builds on which" in picture["alt"]
