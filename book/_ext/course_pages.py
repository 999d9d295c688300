"""The last touch on every written page: what would ask for the network, weigh a lot or break a rule of HTML goes."""

import re
from pathlib import Path

from course_lines import break_long_lines
from course_words import keep_words

INLINE_SCRIPT = re.compile(r"<script>.*?</script>\s*", re.DOTALL)
UNWANTED = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        # 1.5 MB of icons as a script; the style sheet beside it draws the same icons from a font.
        r'<script src="[^"]*vendor/fontawesome[^"]*"></script>\s*',
        # Icon fonts are fetched when an icon needs one; ahead of that, a page opened as a file may not.
        r'<link rel="preload" as="font"[^>]*/>\s*',
        # Code that runs on the page through an outside server: never configured here, it names a CDN.
        r"<script>(?:(?!</script>).)*THEBE_JS_URL.*?</script>\s*",
        r'<script[^>]*sphinx-thebe\.js[^>]*></script>\s*',
        r'<link[^>]*sphinx-thebe\.css[^>]*/>\s*',
        # A style sheet on a CDN that matplotlib's animations link for the icons of their buttons.
        r'<link rel="stylesheet"\s+href="https://maxcdn\.bootstrapcdn\.com[^>]*>\s*',
        # The same id on every exercise, solution and theorem of a page.
        r' id="(?:exercise|solution|proof)-content"',
    )
)
LINKED_SPACE = re.compile(r"(Solution to)(<a [^>]*>) ")
ARROW = '<span class="sig-return-icon">&#x2192;</span>'         # stays with the type that it points to
NUMBER_OF_NEXT = re.compile(r'(prev-next-title"><span class="section-number">\d+\.) ')
MARK = re.compile(r"(?m)^((?:.*<pre>(?:<span></span>)?)?)([✓✗])(?= )")
OUTPUT = re.compile(r'<div class="output stream.*?</pre>', re.DOTALL)
MARK_CLASSES = {"✓": "right", "✗": "wrong"}


def mark_verdicts(html: str) -> str:
    """Colour the ✓ and ✗ with which a check's printed lines begin."""

    def mark(match: re.Match) -> str:
        return f'{match[1]}<b class="{MARK_CLASSES[match[2]]}">{match[2]}</b>'

    return OUTPUT.sub(lambda output: MARK.sub(mark, output.group()), html)


def drop_repeats(html: str) -> str:
    """Keep only the first of identical inline scripts: a second `let` of one name is an error."""
    seen = set()

    def keep_first(match: re.Match) -> str:
        script = match.group().strip()
        if script in seen:
            return ""
        seen.add(script)
        return match.group()

    return INLINE_SCRIPT.sub(keep_first, html)


def drop_second_search_field_id(html: str) -> str:
    """On the search page two fields share one id; the scripts mean the first."""
    first, found, rest = html.partition(' id="search-input"')
    return first + found + rest.replace(' id="search-input"', "")


def clean_page(html: str) -> str:
    """A written page without what it does not need; cleaning it again changes nothing."""
    for pattern in UNWANTED:
        html = pattern.sub("", html)
    html = html.replace('role="doc-biblioentry"', 'role="listitem"')     # deprecated in ARIA 1.3
    html = LINKED_SPACE.sub(r"\1 \2", html).replace("<em>et al.</em>", "<em>et\u00a0al.</em>")
    html = html.replace(f"{ARROW} ", f"{ARROW}\u00a0")
    html = NUMBER_OF_NEXT.sub("\\1\u00a0", html)                            # 5. stays with Backpropagation
    return keep_words(break_long_lines(mark_verdicts(drop_second_search_field_id(drop_repeats(html)))))


def clean_site(site: Path) -> None:
    """Clean every page of a built site in place."""
    for page in site.rglob("*.html"):
        if "_static" in page.relative_to(site).parts:
            continue
        html = page.read_text(encoding="utf-8")
        cleaned = clean_page(html)
        if cleaned != html:
            page.write_text(cleaned, encoding="utf-8")
