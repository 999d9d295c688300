"""A short word with a hyphen stays in one line, U-Net and Landsat-8, and so does an option of a command, --list.

A browser breaks a line after any hyphen. The words are wrapped on the written page, not spelled otherwise: what is
searched for and what is copied stays as it was typed.
"""

import re

SHORT = 14                  # characters of a word that no reader wants to see in two lines
WORDS = re.compile(
    rf"""(?P<other>
      <!--.*?-->
    | <(?P<hidden>script|style|svg)\b.*?</(?P=hidden)>
    | <(?P<formula>span|div)\ class="[^"]*\bmath\b[^"]*"[^>]*>.*?</(?P=formula)>
    | <span\ class="unbroken">[^<]*</span>
    | <(?:[^"'>]|"[^"]*"|'[^']*')*>
    )
    | (?<![\w-])--?[A-Za-z][\w-]*
    | (?<![\w–-])(?=[\w–-]{{3,{SHORT}}}(?![\w–-]))\w+(?:[–-]\w+)+""",
    re.DOTALL | re.VERBOSE,
)


def wrap(match: re.Match) -> str:
    """A word in an element that does not break; tags, formulas and what is wrapped already stay."""
    return match[0] if match["other"] else f'<span class="unbroken">{match[0]}</span>'


def keep_words(page: str) -> str:
    """A page whose short words do not break; doing it again changes nothing.

    Example:
        >>> keep_words("<body><p>A U-Net is two-dimensional.</p>")
        '<body><p>A <span class="unbroken">U-Net</span> is two-dimensional.</p>'
    """
    head, start, body = page.partition("<body")
    return head + WORDS.sub(wrap, start + body)
