"""What a page must and must not hold, checked on its HTML; each function returns a list of problems."""

import re
from collections import Counter
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
# Paths of the machine that built the page.
MACHINE_PATHS = re.compile("|".join(map(re.escape, {f"{ROOT}/", f"{Path.home()}/", "/root/", "/site-packages/"})))


def parse(html):
    """The page as a tree."""
    return BeautifulSoup(html, "html.parser")


LEAST_ALT = 20              # characters in which a figure's finding can be said


def structure_problems(soup):
    """One h1, no level of headings left out, a title, a language, captions, alternative texts, no id twice."""
    problems = []
    headings = soup.find_all("h1")
    if len(headings) != 1:
        problems.append(f"{len(headings)} h1 headings, expected 1")
    main = soup.find("main") or soup
    levels = [int(heading.name[1]) for heading in main.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])]
    problems += [f"an h{level} follows an h{above}" for above, level in pairwise(levels) if level > above + 1]
    if not (soup.title and soup.title.get_text(strip=True)):
        problems.append("no title")
    if not (soup.html and soup.html.get("lang")):
        problems.append("no language on the html element")
    decorative = soup.select("img.logo__image")     # the course's name stands beside it
    for image in soup.find_all("img"):
        if not image.get("alt", "").strip() and image not in decorative:
            problems.append(f"image without alternative text: {image.get('src', '')[:80]}")
    for figure in soup.find_all("figure"):
        image, caption = figure.find("img"), figure.find("figcaption")
        name = figure.get("id") or str(figure)[:80]
        if not (caption and caption.get_text(strip=True)):
            problems.append(f"figure without a caption: {name}")
        if image and len(image.get("alt", "")) < LEAST_ALT:
            problems.append(f"figure whose alternative text says too little: {name}")
    ids = Counter(element["id"] for element in soup.find_all(id=True))
    problems += [f"id used {count} times: {name}" for name, count in ids.items() if count > 1]
    return problems


def content_problems(soup):
    """No unrendered formula, no unexpected error or warning output, no path of the machine."""
    problems = []
    for output in soup.select(".output.stderr"):
        problems.append(f"a cell wrote to stderr: {output.get_text()[:80]!r}")
    for output in soup.select(".cell_output"):
        meant = output.find_parent(class_="tag_raises-exception")
        if "Traceback (most recent call last)" in output.get_text() and not meant:
            problems.append("a traceback in the output of a cell that is not tagged raises-exception")
    broken = soup.select("div.math > :not(.eqno), span.math > *")     # the browser sets what is text alone
    problems += [f"markup within a formula: {element}" for element in broken]
    found = MACHINE_PATHS.search(str(soup))
    if found:
        problems.append(f"a path of this machine: {found.group()}")
    texts = (text for text in soup.find_all(string=True) if not text.find_parent(["pre", "code", "script", "style"]))
    prose = " ".join(texts)
    problems += [f"unrendered {mark} in the text" for mark in ("$$", "```", "{numref}", "{cite}") if mark in prose]
    return problems


def link_problems(site, page_path, soup):
    """Every internal link leads to a file and to an id in it; nothing but links leads outside."""
    problems = []
    for element in soup.find_all(href=True) + soup.find_all(src=True):
        target = element.get("href", element.get("src"))
        url = urlsplit(target)
        if url.scheme in ("data", "mailto"):
            continue
        if url.scheme or url.netloc:
            if element.name != "a":
                problems.append(f"<{element.name}> asks another host: {target}")
            continue
        file = site / Path(page_path).parent / unquote(url.path) if url.path else site / page_path
        if not file.is_file():
            problems.append(f"no such file: {target}")
        elif url.fragment and file.suffix == ".html" and unquote(url.fragment) not in ids_of(file):
            problems.append(f"no such place on its page: {target}")
    return problems


_IDS = {}


def ids_of(file):
    """Every id of an HTML file, read once."""
    if file not in _IDS:
        _IDS[file] = {unescape(name) for name in re.findall(r"""<[^>]*\sid=["']([^"']+)""", file.read_text("utf-8"))}
    return _IDS[file]
