"""Pictures of the site's pages, to look at: desktop, tablet and phone, light and dark.

    python tools/screenshots.py                        # every page, into _build/screenshots
    python tools/screenshots.py tensors intro --out DIR --widths 390 --modes dark
    python tools/screenshots.py tensors --at .quiz     # only the first such element, with its surroundings

A page is photographed window by window, `<page>-<width>-<mode>-<number>.png`, read from top to bottom: one picture of
the whole page would be taller than browsers lay out well.
"""

import argparse
from pathlib import Path

from playwright.sync_api import Browser
from site_browser import SITE, chromium, open_page, serve, site_pages

WIDTHS = (1440, 820, 390)           # desktop, tablet, phone
HEIGHT = 1600                       # of the window, pixels; taller pictures are shrunk by most viewers
HEADER = 60                         # pixels that the page's header covers
PAUSE = 500                         # milliseconds, until pictures are loaded and the list of contents has made room


def shoot(browser: Browser, url: str, stem: str, width: int, mode: str, out: Path, at: str | None) -> list[Path]:
    """Take one page at one width in one mode; see the module's description for the files' names."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=mode)
    try:
        page = context.new_page()
        open_page(page, url)
        stem = f"{stem}-{width}-{mode}"
        if at:
            page.locator(at).first.scroll_into_view_if_needed()
            paths = [out / f"{stem}.png"]
            page.screenshot(path=paths[0])
            return paths
        height = page.evaluate("document.documentElement.scrollHeight")
        paths = []
        for number, top in enumerate(range(0, max(1, height - HEADER), HEIGHT - HEADER)):
            page.evaluate("top => scrollTo({top, behavior: 'instant'})", top)
            page.wait_for_timeout(PAUSE)
            paths.append(out / f"{stem}-{number:02d}.png")
            page.screenshot(path=paths[-1])
        return paths
    finally:
        context.close()


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", help="parts of page names; none: every page")
    parser.add_argument("--site", type=Path, default=SITE, help="the built site")
    parser.add_argument("--out", type=Path, default=SITE.parent / "screenshots")
    parser.add_argument("--widths", type=int, nargs="+", default=list(WIDTHS))
    parser.add_argument("--modes", nargs="+", choices=("light", "dark"), default=["light", "dark"])
    parser.add_argument("--at", metavar="CSS", help="only one screenful, at the first element that matches")
    args = parser.parse_args()
    pages = [page for page in site_pages(args.site) if page != "index.html"]
    chosen = [page for page in pages if not args.pages or any(part in page for part in args.pages)]
    if not chosen:
        found = ", ".join(pages) or "no page at all: run `make book`"
        parser.error(f"no page of {args.site} matches {args.pages}; there is {found}")
    args.out.mkdir(parents=True, exist_ok=True)
    with serve(args.site) as address, chromium() as browser:
        for page in chosen:
            for width in args.widths:
                for mode in args.modes:
                    paths = shoot(browser, f"{address}/{page}", Path(page).stem, width, mode, args.out, args.at)
                    print(*paths, sep="\n")


if __name__ == "__main__":
    main()
