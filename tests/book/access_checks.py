"""A page for everybody: what axe finds against WCAG 2.1 A and AA, and what the Tab key reaches; lists of problems."""

from axe_playwright_python.sync_playwright import Axe
from browser_checks import STILL, UNFOLD, show_in

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
CONTRAST = "color-contrast"
MODES = ("light", "dark")
OPTIONS = {"resultTypes": ["violations"], "preload": False}

# A page has thousands of words and some dozens of looks. Two texts of the same colour, size and weight on the same
# grounds have the same contrast, so one of each is marked to be judged.
ONE_TEXT_OF_EACH_LOOK = """() => {
    const grounds = new WeakMap(), seen = new Set();
    const ground = (box) => {
        if (!box) return "";
        if (!grounds.has(box)) {
            const { backgroundColor, backgroundImage, opacity } = getComputedStyle(box);
            const own = `${backgroundColor} ${backgroundImage} ${opacity}`;
            grounds.set(box, ground(box.parentElement) + (own === "rgba(0, 0, 0, 0) none 1" ? "" : `/${own}`));
        }
        return grounds.get(box);
    };
    const seenByAReader = (box) => {
        const { right, bottom, width, height } = box.getBoundingClientRect();
        return right > 0 && bottom > 0 && width > 1 && height > 1 && box.checkVisibility({ visibilityProperty: true });
    };
    document.querySelectorAll("input[type=text], input[type=search]").forEach((box) => { box.dataset.judged = ""; });
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const box = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !seenByAReader(box)) continue;
        const { color, fontSize, fontWeight } = getComputedStyle(box);
        const look = [color, fontSize, fontWeight, ground(box)].join();
        if (!seen.has(look)) box.dataset.judged = "";
        seen.add(look);
    }
}"""

# What holds nothing to be judged only costs time. It stays, empty: stripes of a table count its rows.
EMPTY_THE_REST = """() => {
    for (const box of [...document.body.querySelectorAll("*")])
        if (!box.matches("[data-judged]") && !box.querySelector("[data-judged]") && !box.closest("[data-judged]"))
            box.replaceChildren();
}"""

# The page keeps a list of what gets the focus, with what a reader sees of it then.
WATCH = """() => {
    const stops = "a[href], button, input, select, textarea, summary, iframe, audio, video, [tabindex]";
    const always = "[role=button], [onclick]";       // what reacts to a click has to be reached, whatever it is made of
    const group = (box) => box.type === "radio" ? `${[...document.forms].indexOf(box.form)} ${box.name}` : box;
    window.expected = new Map([...document.querySelectorAll(`${stops}, ${always}`)]
        .filter((box) => box.checkVisibility({ visibilityProperty: true }) && !box.disabled
            && (box.tabIndex >= 0 || box.matches(always)))
        .map((box) => [group(box), box]));
    window.reached = new Map();
    document.addEventListener("focusin", ({ target }) => {
        const { outlineStyle, outlineWidth, boxShadow, opacity } = getComputedStyle(target);
        const ringed = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
        reached.set(group(target), { target, ringed, seen: opacity > 0.3 && target.getClientRects().length > 0 });
    });
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    return expected.size;
}"""
JUDGE = """() => {
    const said = (box) => box.outerHTML.slice(0, 120);
    const missed = [...expected].filter(([key]) => !reached.has(key)).map(([, box]) => box);
    const found = missed.map((box) => `Tab does not reach ${said(box)}`);
    let last = null;
    for (const { target, ringed, seen } of reached.values()) {
        if (!ringed) found.push(`no ring shows the focus of ${said(target)}`);
        if (!seen) found.push(`focused but not seen: ${said(target)}`);
        if (last && !(last.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING))
            found.push(`out of the order of the page: ${said(target)}`);
        last = target;
    }
    if (missed.length && document.activeElement === last) found.push(`a trap: ${said(last)}`);
    return found;
}"""
TAB = {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


def _violations(page, options, context=None):
    """One line for each element that axe objects to."""
    found = Axe().run(page, context=context, options=OPTIONS | options).response["violations"]
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:120]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for rule in found for node in rule["nodes"]
    ]  # fmt: skip


def _unfold(page):
    """Show all that the page holds, and let it rest."""
    page.add_style_tag(content=STILL)
    page.evaluate(UNFOLD)


def structure_problems(page):
    """Every rule of axe but that of contrast, everything unfolded."""
    _unfold(page)
    return _violations(page, {"runOnly": WCAG, "rules": {CONTRAST: {"enabled": False}}})


def contrast_problems(page):
    """Text that is hard to read in the light or in the dark mode, everything unfolded; empties the page."""
    _unfold(page)
    for mode in MODES:
        show_in(page, mode)
        page.evaluate(ONE_TEXT_OF_EACH_LOOK)
    page.evaluate(EMPTY_THE_REST)
    problems = []
    for mode in MODES:
        show_in(page, mode)
        found = _violations(page, {"runOnly": [CONTRAST]}, {"include": [["[data-judged]"]]})
        problems += [f"{mode}: {problem}" for problem in found]
    return problems


def keyboard_problems(page):
    """Press Tab through the whole page: all that can be used gets the focus, in order, and a ring shows where it is."""
    _unfold(page)
    stops = page.evaluate(WATCH)
    keyboard = page.context.new_cdp_session(page)
    for _ in range(stops):
        keyboard.send("Input.dispatchKeyEvent", TAB)
    return page.evaluate(JUDGE)
