"""Long lines of code break on the page, and what follows the break is indented: nobody scrolls sideways to read a line.

What a cell printed breaks, too, unless it is a table: its columns would fall apart.
"""

import html
import re

FITS = 32                   # characters that the narrowest phone shows in a line
DEEPEST = 8                 # characters of indentation that are repeated after a break
BLOCK = re.compile(r'(<div class="([^"]*highlight-[^"]*)"><div class="highlight"><pre>)(.*?)(</pre>)', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
NO_CODE = re.compile(r"\boutput\b|highlight-(?:text|none)\b")
COLUMNS = re.compile(r"[^\s.!?] {2,}\S")        # some end a sentence with two spaces


def text_of(line: str) -> str:
    """What a reader sees of a line."""
    return html.unescape(TAG.sub("", line))


def break_line(line: str) -> str:
    """Wrap a line of highlighted code in an element that breaks it, if it is long and stands for itself.

    Example:
        >>> break_line("    return " + "x" * 40)[:37]
        '<span class="long" style="--in:4">   '
    """
    text = text_of(line)
    if len(text) <= FITS or line.count("<span") != line.count("</span>"):
        return line
    indent = min(len(text) - len(text.lstrip()), DEEPEST)
    return f'<span class="long" style="--in:{indent}">{line}</span>'


def break_block(match: re.Match) -> str:
    """Break the long lines of a block, which is left alone where its columns have to stay in line."""
    start, kind, code, end = match.groups()
    lines = code.split("\n")
    is_table = NO_CODE.search(kind) and any(COLUMNS.search(text_of(line)) for line in lines)
    if is_table or 'class="long"' in code:
        return match.group()
    return start + "\n".join(map(break_line, lines)) + end


def break_long_lines(page: str) -> str:
    """A page whose blocks of code do not scroll; doing it again changes nothing."""
    return BLOCK.sub(break_block, page)
