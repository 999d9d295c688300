"""Long lines of code break on the page, and what follows the break is indented: nobody scrolls sideways to read a line.

What a cell printed breaks, too, unless it is a table: its columns would fall apart. Indentation is marked, so that a
phone can show it narrower: where the first word after it did not fit, the break would leave an empty line.
"""

import html
import re

FITS = 32                   # characters that the narrowest phone shows in a line
LONG_WORD = 25              # characters without a space that may be broken at their brackets and dots
DEEPEST = 8                 # characters of a message's indentation that are repeated after a break
BLOCK = re.compile(r'(<div class="([^"]*highlight-[^"]*)"><div class="highlight"><pre[^>]*>)(.*?)(</pre>)', re.DOTALL)
TAG = re.compile(r"(<[^>]*>)")
LETTER = re.compile(r"&[^;\s]+;|.")             # to a reader, an entity is one
NO_CODE = re.compile(r"\boutput\b|highlight-(?:text|none)\b")
COLUMNS = re.compile(r"[^\s.!?] {2,}\S")        # some end a sentence with two spaces
MARKED = re.compile(r'class="(?:long|in)"')
INDENT = re.compile(r"^((?:<[^>]*>)*)( +)(?=\S)")
NOTE = re.compile(r'(<span class="c1">#[^<]*\S {2,})(?=# )')        # of #SBATCH, for the shell a comment itself
WORD = re.compile(rf"\S{{{LONG_WORD},}}")
JOINT = re.compile(r"(?<=[(\[])(?=[^)\]]{6})|(?<=[)\]])(?=\.)")     # after a bracket that holds much, before .this


def text_of(line: str) -> str:
    """What a reader sees of a line."""
    return html.unescape(TAG.sub("", line))


def loosen_words(line: str) -> str:
    """Let the long words of a line of highlighted code break at their joints, where a writer would break them.

    Example:
        >>> loosen_words("torch.Generator().manual_seed(7)")
        'torch.Generator()<wbr>.manual_seed(7)'
    """
    words = WORD.finditer(text_of(line))
    joints = {word.start() + joint.start() for word in words for joint in JOINT.finditer(word[0])}
    loose, position = "", 0
    for number, part in enumerate(TAG.split(line)):
        if number % 2:
            loose += part
            continue
        for letter in LETTER.findall(part):
            loose += "<wbr>" * (position in joints) + letter
            position += 1
    return loose


def break_line(line: str, is_code: bool = True) -> str:
    """Mark a line's indentation, and wrap the line in an element that breaks it, if it is long and stands for itself.

    Example:
        >>> break_line("    return " + "x" * 40)[:61]
        '<span class="long" style="--in:4"><span class="in">    </span'
    """
    text = text_of(line)
    indent = len(text) - len(text.lstrip())
    if len(text) <= FITS or line.count("<span") != line.count("</span>"):
        return INDENT.sub(rf'\1<span class="in" style="--in:{indent}">\2</span>', line) if is_code else line
    if not is_code:
        return f'<span class="long" style="--in:{min(indent, DEEPEST)}">{line}</span>'
    marked = INDENT.sub(r'\1<span class="in">\2</span>', loosen_words(NOTE.sub(r'\1</span><span class="c1">', line)))
    return f'<span class="long" style="--in:{indent}">{marked}</span>'


def is_table(lines: list[str]) -> bool:
    """Whether printed lines have columns; a line that stands alone has none."""
    texts = [text for text in map(text_of, lines) if text]
    return len(texts) > 1 and any(map(COLUMNS.search, texts))


def break_block(match: re.Match) -> str:
    """Break the long lines of a block, which is left alone where its columns have to stay in line."""
    start, kind, code, end = match.groups()
    lines = code.split("\n")
    is_code = not NO_CODE.search(kind)
    if MARKED.search(code) or (not is_code and is_table(lines)):
        return match.group()
    return start + "\n".join(break_line(line, is_code) for line in lines) + end


def break_long_lines(page: str) -> str:
    """A page whose blocks of code do not scroll; doing it again changes nothing."""
    return BLOCK.sub(break_block, page)
