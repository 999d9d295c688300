"""The built site, served on this machine, and a browser to look at it with."""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser_checks import visit

from tools.site_browser import SITE, chromium, find_chromium, serve, site_pages

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "book" / "_ext"))     # as _config.yml does


def pytest_generate_tests(metafunc):
    """Run a test that asks for `page_path` on every file of the site, for `book_page` on all but its front door."""
    if "page_path" in metafunc.fixturenames:
        metafunc.parametrize("page_path", site_pages(), scope="module")
    if "book_page" in metafunc.fixturenames:
        metafunc.parametrize("book_page", [page for page in site_pages() if page != "index.html"], scope="module")


def pytest_terminal_summary(terminalreporter):
    """Say how fast and how heavy the pages are, and write every one down beside the site."""
    reports = [report for state in ("passed", "failed") for report in terminalreporter.stats.get(state, [])]
    measured = [value for report in reports for name, value in report.user_properties if name == "page"]
    if not measured:
        return
    pages = {urlsplit(url).path.removeprefix("/"): {"first_paint_s": seconds, "bytes": weight}
             for url, seconds, weight in sorted(measured)}
    record = SITE.with_name("pages.json")
    record.write_text(json.dumps(pages, indent=1) + "\n", encoding="utf-8")
    for key in ("first_paint_s", "bytes"):
        page, most = max(((page, found[key]) for page, found in pages.items()), key=lambda pair: pair[1])
        terminalreporter.write_line(f"{len(pages)} pages, largest {key}: {most} ({page}); all in {record}")


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    return SITE


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served."""
    with serve(site) as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    """A headless browser; its absence is an error in CI and a skip elsewhere."""
    if find_chromium() is None and not os.environ.get("CI"):
        pytest.skip("no Chromium or Chrome on this machine: the site was not looked at in a browser")
    with chromium() as instance:
        yield instance


@pytest.fixture
def open_site(browser, address):
    """Opens a page of the site and keeps it open to the end of the test."""
    visits = []

    def opener(page_path):
        visits.append(visit(browser, address, page_path))
        return visits[-1].__enter__()[0]

    yield opener
    for opened in visits:
        opened.__exit__(None, None, None)
