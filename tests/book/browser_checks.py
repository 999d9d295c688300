"""What a reader's browser must find on a page; each function returns a list of problems."""

import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError

from tools.site_browser import open_page

WIDTHS = (1440, 820, 390)
PAPER = 718                 # pixels between the margins of a sheet of A4
MAX_WEIGHT = 2_000_000      # bytes over the line
MAX_PAINT = 3.0             # seconds to the first paint; below 1 on a quiet machine, and test machines are not quiet
COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg")
STILL = "* { transition: none !important; animation: none !important; }"
RAW_FORMULA = r"""() => {
    const box = document.querySelector("main") ?? document.body;
    const text = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    const found = [];
    while (text.nextNode()) {
        const holder = text.currentNode.parentElement;
        if (!holder.closest("pre, code, script, style, mjx-container") && /\$\$|\\\(|\\\[/.test(text.currentNode.data))
            found.push(text.currentNode.data.trim().slice(0, 60));
    }
    return found;
}"""
# MathJax prints a command that it does not know, such as \topG, in red; any other error is a node of its own.
WRONG_FORMULA = """() => [...document.querySelectorAll("mjx-merror, mjx-assistive-mml mtext[mathcolor='red']")]
    .map((node) => node.dataset.mjxError ?? node.textContent)"""
UNFOLD = """() => {
    document.querySelectorAll("details").forEach((box) => { box.open = true; });
    document.querySelectorAll(".toggle-button-hidden").forEach((button) => button.click());
    document.querySelectorAll(".quiz-feedback > div").forEach((text) => { text.hidden = false; });
}"""
# What reaches beyond the window and is in no box that scrolls or cuts; and code that has to be scrolled to be read, or
# that breaks right after its indentation.
TOO_WIDE = """() => {
    const said = (box) => `${box.outerHTML.slice(0, 80)} (${Math.ceil(box.getBoundingClientRect().right)} px)`;
    const held = (box) => box && (getComputedStyle(box).overflowX !== "visible" || held(box.parentElement));
    const main = document.querySelector("main") ?? document.body;
    const beyond = [...main.querySelectorAll("*")].filter((box) =>
        box.checkVisibility() && box.getBoundingClientRect().right > innerWidth + 1 && !held(box.parentElement)
            && getComputedStyle(box).position !== "fixed");
    const code = [...main.querySelectorAll("[class*=highlight-ipython3] pre, .doctest pre")]
        .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1);
    const top = (box) => box.getClientRects()[0].top;
    const hollow = [...main.querySelectorAll(".long .in + span")]
        .filter((word) => word.checkVisibility() && top(word) > top(word.previousElementSibling) + 8);
    return [...beyond.map(said), ...code.map((box) => "code scrolls: " + box.textContent.slice(0, 60)),
        ...hollow.map((word) => "an empty row before " + word.closest(".long").textContent.trim().slice(0, 60))];
}"""
# On paper nothing scrolls: what a box would hide is lost.
CUT = """() => [...document.querySelectorAll("article :is(pre, table, img, .text_html, figure)")]
    .filter((box) => box.checkVisibility() && (box.scrollWidth > box.clientWidth + 1
        || box.getBoundingClientRect().right > innerWidth + 1))
    .map((box) => box.outerHTML.slice(0, 120))"""


@dataclass
class Log:
    """What happened while a page was open."""

    host: str
    outside: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    console: list = field(default_factory=list)
    weight: int = 0

    def on_request(self, request):
        """Note requests that leave this machine (the browser resolves no other host's name)."""
        if urlsplit(request.url).netloc != self.host and not request.url.startswith(("data:", "blob:")):
            self.outside.append(request.url)

    def on_response(self, response):
        """Note failures, and add up what a server that compresses text would send."""
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")
        elif response.ok:
            self.weight += sent_bytes(response)

    def on_console(self, message):
        """Note errors and warnings."""
        if message.type in ("error", "warning"):
            self.console.append(message.text)

    def problems(self):
        """Everything that a quiet, self-contained, light page does not do."""
        found = [f"request to another host: {url}" for url in self.outside]
        found += [f"failed request: {text}" for text in self.failed]
        found += [f"console: {text}" for text in self.console]
        if self.weight > MAX_WEIGHT:
            found.append(f"the page weighs {self.weight / 1e6:.1f} MB, at most {MAX_WEIGHT / 1e6:.0f} MB")
        return found


_SENT = {}


def sent_bytes(response):
    """The size of a response as a server that compresses text would send it, worked out once for each address."""
    if response.url not in _SENT:
        body, kind = response.body(), response.headers.get("content-type", "")
        _SENT[response.url] = len(zlib.compress(body)) if kind.startswith(COMPRESSED) else len(body)
    return _SENT[response.url]


@contextmanager
def visit(browser, address, page_path):
    """Open a page as a new reader; yields the page and the log of its visit."""
    context = browser.new_context(
        viewport={"width": WIDTHS[0], "height": 900}, color_scheme="light", reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    log = Log(host=urlsplit(address).netloc)
    page = context.new_page()
    page.on("request", log.on_request)
    page.on("response", log.on_response)
    page.on("console", log.on_console)
    page.on("pageerror", lambda error: log.console.append(str(error)))
    try:
        open_page(page, f"{address}/{page_path}")
        yield page, log
    finally:
        context.close()


def formula_problems(page):
    """Every formula of the page is typeset, none is an error, no raw TeX is left in the text."""
    formulas, typeset = page.evaluate(
        """() => [".math", ".math mjx-container"].map((selector) => document.querySelectorAll(selector).length)"""
    )
    problems = [f"raw TeX: {text!r}" for text in page.evaluate(RAW_FORMULA)]
    if typeset < formulas:
        problems.append(f"{formulas - typeset} of {formulas} formulas are not typeset")
    return problems + [f"an error in a formula: {text}" for text in page.evaluate(WRONG_FORMULA)]


def first_paint(page):
    """Seconds from the request of the page to the first thing that the reader saw."""
    painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    page.bring_to_front()                           # a browser need not paint what nobody sees
    page.wait_for_function(painted, polling=50)     # a page may be loaded before it is painted
    return page.evaluate(painted) / 1000


def paint_problems(seconds):
    """A reader does not look at an empty window."""
    return [f"first paint after {seconds:.1f} s, at most {MAX_PAINT:.0f} s"] if seconds > MAX_PAINT else []


def width_problems(page):
    """Everything unfolded, nothing is wider than the window at any width, and code breaks instead of scrolling."""
    page.evaluate(UNFOLD)
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            problems.append(f"the page needs {needed} px where {width} are")
        problems += [f"wider than {width} px: {text}" for text in page.evaluate(TOO_WIDE)]
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return problems


def print_problems(page):
    """On a sheet of paper nothing is cut."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    problems = [f"cut on paper: {text}" for text in page.evaluate(CUT)]
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return problems


def theme_of(page):
    """The mode that the page is shown in."""
    return page.evaluate("document.documentElement.dataset.theme")


def show_in(page, mode):
    """Let the reader want the light or the dark mode, until a page that knows modes shows it.

    A busy browser was once seen to lose the wish, so it is uttered again.
    """
    shown = "(mode) => [mode, undefined].includes(document.documentElement.dataset.theme)"
    for _ in range(3):
        page.bring_to_front()
        page.emulate_media(color_scheme=mode, reduced_motion="reduce")
        with suppress(TimeoutError):
            page.wait_for_function(shown, arg=mode, polling=100, timeout=10_000)
            return
        page.emulate_media(color_scheme="no-preference", reduced_motion="reduce")
    raise AssertionError(f"found the page in the mode {theme_of(page)}, expected {mode}")
