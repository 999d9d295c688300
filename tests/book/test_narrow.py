"""What the site does for narrow screens, without a browser: long lines break, tables of words are stacked."""

import pytest
from course_lines import break_line, break_long_lines, loosen_words, text_of
from course_spaces import close_formulas, harden, keep_code, keep_together
from course_tables import stack_tables
from course_words import keep_words
from docutils import nodes, utils
from page_checks import parse

LONG = "    total = first_number + second_number  # both"


def block(code, kind="highlight-ipython3 notranslate"):
    return f'<div class="{kind}"><div class="highlight"><pre><span></span>{code}\n</pre></div></div>'


def test_a_long_line_breaks_deeper_than_it_began_and_says_the_same():
    page = block(f"<span>x</span> = 1\n{LONG}\n")
    broken = break_long_lines(page)
    (line,) = parse(broken).select("span.long")
    assert line["style"] == "--in:4" and line.get_text() == LONG
    assert parse(broken).get_text() == parse(page).get_text()
    assert break_long_lines(broken) == broken


@pytest.mark.parametrize("line", ["x = 1", "x" * 32, f"<span>{'&lt;' * 32}</span>", f"<span>{LONG.strip()}"])
def test_a_line_that_fits_or_is_no_whole_stays(line):
    assert break_line(line) == line


def test_indentation_is_marked_once_in_every_line_of_code():
    page = block(f"for x in y:\n    f(x)\n{LONG}\n<span class=\"w\">        </span><span>z</span>\n\n    ")
    broken = break_long_lines(page)
    assert [mark.get_text() for mark in parse(broken).select(".in")] == [" " * 4, " " * 4, " " * 8]
    assert [mark["style"] for mark in parse(broken).select("[style]")] == ["--in:4", "--in:4", "--in:8"]
    assert parse(broken).get_text() == parse(page).get_text()
    assert break_long_lines(broken) == broken


@pytest.mark.parametrize(("line", "loose"), [
    ("plots.show_image(plots.composite(image))", "plots.show_image(<wbr>plots.composite(image))"),
    ("<i>&lt; [] f</i>(a_word_that_is_long)<i>.g()</i>", "<i>&lt; [] f</i>(<wbr>a_word_that_is_long)<i><wbr>.g()</i>"),
    ("print(shape) and tuple(pixels.shape)", "print(shape) and tuple(pixels.shape)"),
])  # fmt: skip
def test_only_long_words_break_and_only_where_a_writer_would_break_them(line, loose):
    assert loosen_words(line) == loose


def test_entities_and_tags_are_no_letters():
    assert text_of('<span class="o">a &lt; b</span>') == "a < b"


@pytest.mark.parametrize(("kind", "code", "breaks"), [
    ("output stream highlight-myst-ansi", "one message that is longer than the screen", True),
    ("output stream highlight-myst-ansi", "It ends here.  Then another sentence begins", True),
    ("output stream highlight-myst-ansi", "one message that is longer than the  screen", True),
    ("output stream highlight-myst-ansi", "one message that is longer than the screen\nmean   0.5", False),
    ("highlight-text", "image   3  427  640      and the rest of the line\nmeans", False),
    ("doctest highlight-default", ">>> value = function(of, many, arguments)   # 3", True),
])  # fmt: skip
def test_columns_stay_in_line(kind, code, breaks):
    assert ('class="long"' in break_long_lines(block(code, kind))) == breaks


def test_a_note_in_a_comment_for_the_batch_system_is_kept_together():
    line = '<span class="c1">#SBATCH --nodes=2     # machines that work together</span>'
    broken = break_line(line)
    assert text_of(broken) == text_of(line)
    assert [note.get_text() for note in parse(broken).select(".long > .c1 ~ .c1")] == ["# machines that work together"]
    comment = '<span class="c1"># a comment of many words, with a # in it</span>'
    assert comment in break_line(comment)


@pytest.mark.parametrize(("text", "kept"), [
    ("A U-Net, for (Landsat-8), 2–3 cross-entropy", ["U-Net", "Landsat-8", "2–3", "cross-entropy"]),
    ('<code><span class="pre">--batch-size=2</span> <span class="pre">-m</span></code>', ["--batch-size", "-m"]),
    ('<pre>torchrun<span class="w"> </span>--rdzv-endpoint=host</pre>', ["--rdzv-endpoint"]),
    ("two-dimensional, 3 - 2, -1, a –, x--", []), ('<a href="#u-net" title="a-b > c-d">no</a>', []),
    (r'<span class="math notranslate">\(a-b\)</span><script>a-b</script><!-- a-b --><svg><text>a-b</text></svg>', []),
    (r'<div class="math notranslate" id="equation-field"><span>(7.4)</span>\[(k-1)\]</div>', []),
])  # fmt: skip
def test_short_words_with_a_hyphen_and_options_stay_in_one_line(text, kept):
    page = f"<title>a U-Net</title><body>{text}</body>"
    words = keep_words(page)
    assert [word.get_text() for word in parse(words).select(".unbroken")] == kept
    assert words.replace('<span class="unbroken">', "").replace("</span>", "") == page.replace("</span>", "")
    assert keep_words(words) == words


def table(*rows):
    """A table with a head, as the parser makes it."""
    lines = [nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in row)) for row in rows]
    group = nodes.tgroup("", nodes.thead("", lines[0]), nodes.tbody("", *lines[1:]))
    document = utils.new_document("page")
    document += nodes.table("", group)
    stack_tables(None, document)
    return document.next_node(nodes.table)


def test_three_columns_of_words_are_stacked_and_each_cell_says_its_column():
    stacked = table(["part", "model", "source"], ["sky", "a long description of it", "a book with a long title"])
    assert stacked["classes"] == ["stack"]
    cells = [cell.astext() for cell in stacked.next_node(nodes.tbody).findall(nodes.entry)]
    assert cells == ["sky", "model: a long description of it", "source: a book with a long title"]


@pytest.mark.parametrize("rows", [
    (["what", "how"], ["a long description of it", "another long description of it"]),
    (["model", "IoU", "recall"], ["a long description of it", "0.5", "0.7"]),
    (["from", "what", "minutes"], ["09:00", "a long description of what happens", "90"]),
])  # fmt: skip
def test_tables_that_fit_stay_tables(rows):
    assert table(*rows)["classes"] == []


@pytest.mark.parametrize(("text", "kept"), [
    ("snow at 1.6 µm, 70 % of 3 metres", "snow at 1.6~µm, 70~% of 3 metres"),
    ("an image (B, C, H, W) of 64 × 64, in chapter 02", "an image (B,~C,~H,~W) of 64~×~64, in chapter~02"),
    ("a mask (see there, too) 2 steps on", "a mask (see there, too) 2 steps on"),
    ("10, Stamps", "10,~Stamps"), ("in 10, Stamps", "in 10, Stamps"),
])  # fmt: skip
def test_what_belongs_together_stays_in_one_line(text, kept):
    assert harden(text) == kept.replace("~", "\xa0")


def test_code_and_formulas_keep_their_spaces():
    document = utils.new_document("page")
    code, formula = nodes.literal("", "x = (2, 3)"), nodes.math("", "(2, 3)")
    document += nodes.paragraph("", "", nodes.Text("of shape (2, 3)"), code, formula)
    document += nodes.literal_block("", "y = 3 % 2")
    keep_together(None, document)
    assert document[0][0] == "of shape (2,\xa03)"
    assert code.astext() == "x = (2, 3)" and formula.astext() == "(2, 3)"
    assert document[1].astext() == "y = 3 % 2"


def test_short_code_stays_in_one_line_but_not_in_a_table():
    document = utils.new_document("page")
    short, long, in_table = (nodes.literal("", text) for text in ("make lab", "conda env create -f own.yml", "x y"))
    document += [nodes.paragraph("", "", short, long), nodes.entry("", nodes.paragraph("", "", in_table))]
    keep_code(None, document)
    assert [code["classes"] for code in (short, long, in_table)] == [["unbroken"], [], []]
    assert short.astext() == "make lab"


@pytest.mark.parametrize(("before", "kept", "rest"), [
    (". Then more", ".", " Then more"), ("-th place", "-th", " place"), (").", ").", ""),
])  # fmt: skip
def test_a_formula_stays_in_one_line_with_the_mark_after_it(before, kept, rest):
    paragraph = nodes.paragraph("", "", nodes.Text("as "), nodes.math("", "x"), nodes.Text(before))
    close_formulas(None, paragraph)
    closed = paragraph[1]
    assert closed["classes"] == ["unbroken"] and closed.astext() == "x" + kept
    assert paragraph[2].astext() == rest and paragraph.astext() == f"as x{before}"


@pytest.mark.parametrize("parts", [[], [nodes.Text(" and more")], [nodes.emphasis("", ".")]])
def test_a_formula_without_a_mark_after_it_stays_as_it_is(parts):
    paragraph = nodes.paragraph("", "", nodes.math("", "x"), *parts)
    close_formulas(None, paragraph)
    assert not list(paragraph.findall(nodes.inline)) and isinstance(paragraph[0], nodes.math)
