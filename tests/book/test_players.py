"""Every moving picture of the site: light, described, still at first, played and paused by keys."""

import pytest
from browser_checks import visit
from page_checks import parse

from tools.site_browser import SITE, site_pages

MAX_BYTES = 700_000
PLAYER = "frame-player"


def pages_with_players():
    """The pages of the site that hold a moving picture."""
    return [page for page in site_pages() if f"<{PLAYER}" in (SITE / page).read_text("utf-8")]


def player_problems(soup):
    """A moving picture is light, says what it shows, has a caption, and is fed by nobody else."""
    problems = []
    for player in soup.find_all(PLAYER):
        name = player.img.get("alt", "")[:40]
        figure = player.find_parent("figure")
        if len(str(player).encode()) >= MAX_BYTES:
            problems.append(f"{len(str(player).encode())} bytes, expected fewer than {MAX_BYTES}: {name}")
        if len(name) < 40:
            problems.append(f"alternative text that says little: {name!r}")
        if figure is None or figure.figcaption is None:
            problems.append(f"no caption: {name}")
        if not player.img["src"].startswith("data:image/png"):
            problems.append(f"no picture inside: {name}")
    return problems


@pytest.mark.parametrize("page_with_player", pages_with_players())
def test_moving_pictures_are_light_and_described(page_with_player):
    assert player_problems(parse((SITE / page_with_player).read_text("utf-8"))) == []


@pytest.mark.parametrize("page_with_player", pages_with_players())
def test_keys_play_and_pause_what_stands_still_at_first(browser, address, page_with_player):
    """The reader of `visit` prefers reduced motion."""
    with visit(browser, address, page_with_player) as (page, log):
        for player in page.locator(PLAYER).all():
            button, count = player.locator("button"), player.locator("input").get_attribute("max")
            assert player.locator("span").inner_text() == f"frame {count} of {count}"
            assert player.locator("img").count() == 1, "something is shown over the last frame before Play was pressed"
            button.focus()
            page.keyboard.press("Enter")
            assert button.inner_text() == "Pause"
            page.keyboard.press("Enter")
            assert button.inner_text() == "Play"
        assert log.problems() == []


def test_the_check_of_players_can_fail():
    page = f'<{PLAYER}><img src="https://example.org/x.png" alt="short"><script>{"x" * MAX_BYTES}</script></{PLAYER}>'
    marks = ["bytes, expected fewer than", "alternative text that says little", "no caption", "no picture inside"]
    assert [mark in problem for mark, problem in zip(marks, player_problems(parse(page)), strict=True)] == 4 * [True]
