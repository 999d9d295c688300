"""Animations are self-contained, light, and played by whoever wants to: by pointer and by keyboard."""

import base64
import io
import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from matplotlib import pyplot as plt
from matplotlib.animation import FuncAnimation
from PIL import Image

from course_utils.animations import AnimationError, player
from tools.site_browser import chromium, find_chromium

PAGE = '<!DOCTYPE html><html lang="en"><head><title>x</title></head><body><main><h1>x</h1>{}</main></body></html>'


def moving_bar(frames=4, interval=40):
    """A white picture with a black bar that moves to the right, frame by frame."""
    plt.switch_backend("Agg")
    fig, ax = plt.subplots(figsize=(2, 1))
    ax.set(position=(0, 0, 1, 1), xlim=(0, 1), ylim=(0, 1))
    ax.axis("off")
    (bar,) = ax.plot([], [], color="black", linewidth=9)
    return FuncAnimation(fig, lambda k: bar.set_data([k / frames + 0.1] * 2, [0, 1]), frames=frames, interval=interval)


@pytest.fixture(scope="module")
def made():
    return player(moving_bar(), alt='A bar moves to the right, "slowly".', dpi=50)


def opened(data):
    """A picture of a player's HTML."""
    return Image.open(io.BytesIO(base64.b64decode(data.removeprefix("data:image/png;base64,")))).convert("RGBA")


def overlays(html):
    """What a player lays over its last frame, as it stands in the HTML."""
    return json.loads(BeautifulSoup(html, "html.parser").find("script", type="application/json").string)


def pictures(html):
    """The frames of a player, put together as a browser does, as grey arrays."""
    last = opened(BeautifulSoup(html, "html.parser").img["src"])
    frames = [Image.alpha_composite(last, opened(overlay)) for overlay in overlays(html)]
    return [np.asarray(frame.convert("L")) for frame in frames]


def test_frames_show_what_was_drawn_in_order(made):
    shown = pictures(made.html)
    assert made.frames == len(shown) == 4 and shown[0].shape == (50, 100)
    centres = [frame.mean(axis=0).argmin() / 100 for frame in shown]
    assert np.allclose(centres, np.arange(4) / 4 + 0.1, atol=0.05)


def test_the_last_frame_stands_with_its_alternative_text(made):
    soup = BeautifulSoup(made.html, "html.parser")
    (image,) = soup.find_all("img")
    assert image["alt"] == 'A bar moves to the right, "slowly".'
    assert np.array_equal(np.asarray(opened(image["src"]).convert("L")), pictures(made.html)[-1])
    assert not np.asarray(opened(overlays(made.html)[-1]))[..., 3].any()        # nothing is laid over the last frame
    assert (image["width"], image["height"]) == ("100", "50")
    assert soup.find("frame-player")["data-interval"] == "40"


def test_nothing_is_asked_of_another_host_and_no_id_can_clash(made):
    assert not re.search(r"https?:|//|\bid=", re.sub(r'base64,[^"]*|\[.*\]', "", made.html))


def test_the_last_frame_does_not_shine_through_on_a_narrow_screen(made):
    size, smooth = (37, 18), Image.Resampling.BILINEAR
    last = opened(BeautifulSoup(made.html, "html.parser").img["src"])
    for whole, overlay in zip(pictures(made.html), overlays(made.html), strict=True):
        shrunk = Image.alpha_composite(last.resize(size, smooth), opened(overlay).resize(size, smooth)).convert("L")
        wanted = Image.fromarray(whole).resize(size, smooth)
        assert np.abs(np.asarray(shrunk, int) - np.asarray(wanted, int)).max() <= 2


def test_it_is_shown_in_a_notebook_and_its_figure_is_closed():
    before = plt.get_fignums()
    made = player(moving_bar(), alt="A bar moves.")
    assert plt.get_fignums() == before
    assert made._repr_html_() == made.html and re.fullmatch(r"<animation of 4 frames, \d+ kB>", repr(made))


def test_every_frame_is_drawn_once_in_a_layout_that_stands_still():
    plt.switch_backend("Agg")
    fig, ax = plt.subplots(figsize=(2, 1), layout="constrained")
    drawn, places = [], []

    def show(number):
        ax.set_title("high\nand higher" if number else "")
        drawn.append(0)

    fig.canvas.mpl_connect("draw_event", lambda event: places.append(ax.get_position().bounds))
    moving = FuncAnimation(fig, show, frames=6)
    count, draw = [], fig.draw
    fig.draw = lambda renderer: (count.append(1), draw(renderer))[1]
    player(moving, alt="A title comes.", dpi=40)
    assert len(count) <= 6 + 2                  # the layout, and the figure before its first frame
    assert len(set(places)) == 1


def test_equal_parts_of_two_frames_have_equal_colours():
    plt.switch_backend("Agg")
    fig, ax = plt.subplots(figsize=(2, 1))
    ax.imshow(np.linspace(0, 1, 500).reshape(10, 50), aspect="auto", cmap="viridis")
    (dot,) = ax.plot([], [], "ro")
    moving = FuncAnimation(fig, lambda k: dot.set_data([k], [0]), frames=[0, 40])
    first, last = pictures(player(moving, alt="A dot", colours=16).html)
    half = first.shape[0] // 2          # the dot moves in the upper half
    assert np.array_equal(first[half + 10:], last[half + 10:])


@pytest.mark.parametrize(("options", "words"), [
    ({"alt": " "}, "no alternative text"),
    ({"alt": "x", "max_bytes": 1000}, r"4 frames that make \d+ kB of HTML, expected at most 1 kB; draw fewer frames"),
])
def test_what_can_not_be_shown_is_refused(options, words):
    with pytest.raises(AnimationError, match=words):
        player(moving_bar(), **options)


def test_an_animation_without_frames_is_refused():
    with pytest.raises(AnimationError, match="without frames"):
        player(FuncAnimation(plt.figure(), lambda k: None, frames=0), alt="nothing")


@pytest.fixture(scope="module")
def browser():
    if find_chromium() is None:
        pytest.skip("no Chromium or Chrome on this machine: the player was not tried")
    with chromium() as instance:
        yield instance


@pytest.fixture
def page(browser, made):
    """A page with two players, at the width of a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.set_content(PAGE.format(made.html + made.html.replace('width="100"', 'width="2000"')))
    yield page
    context.close()


def test_nothing_moves_before_play_is_pressed_and_it_stops_at_the_end(page):
    word, slider = page.locator("frame-player span").first, page.locator("input").first
    page.wait_for_timeout(150)
    assert word.inner_text() == "frame 4 of 4"
    page.locator("button").first.click()
    assert page.locator("button").first.inner_text() == "Pause"
    page.wait_for_function("document.querySelector('button').textContent === 'Play'")
    assert slider.input_value() == "4" and word.inner_text() == "frame 4 of 4"
    assert page.locator("frame-player span").last.inner_text() == "frame 4 of 4"
    assert page.complaints == []


def test_the_keyboard_plays_pauses_and_steps(page, made):
    button, slider = page.locator("button").last, page.locator("input").last
    slider.focus()
    page.keyboard.press("ArrowLeft")
    shown = page.locator("img + img").last.get_attribute("src")
    assert slider.input_value() == "3" and shown.endswith(overlays(made.html)[2])
    page.keyboard.press("Home")
    assert slider.input_value() == "1" and page.locator("input").first.input_value() == "4"
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert button.inner_text() == "Play"
    assert page.complaints == []


def test_a_key_pauses_it_in_the_middle(page):
    word = page.locator("frame-player span").last
    page.evaluate("document.querySelectorAll('frame-player')[1].dataset.interval = 1000")
    page.locator("button").last.focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('frame-player span')[1].textContent === 'frame 2 of 4'")
    page.keyboard.press("Space")
    page.wait_for_timeout(1500)
    assert word.inner_text() == "frame 2 of 4" and page.locator("button").last.inner_text() == "Play"


def test_who_wants_less_motion_sees_none_before_asking(page, made):
    page.emulate_media(reduced_motion="reduce")
    page.set_content(PAGE.format(made.html))
    page.wait_for_timeout(300)
    assert page.locator("frame-player span").all_inner_texts() == ["frame 4 of 4"]
    assert page.locator("img + img").count() == 0


def test_print_has_the_last_frame_without_controls(page):
    page.emulate_media(media="print")
    assert page.locator("frame-player img").first.is_visible()
    assert not page.locator("frame-player .controls").first.is_visible()


def test_without_scripts_the_last_frame_stands_alone(browser, made):
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.set_content(PAGE.format(made.html))
    assert still.locator("frame-player img").is_visible()
    assert not still.locator("frame-player .controls").is_visible()
    context.close()


def test_it_fits_a_phone_and_axe_finds_nothing(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    violations = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in violations] == []


def test_pictures_lie_exactly_on_each_other(page):
    page.locator("button").last.click()
    lower, upper = (page.locator("frame-player").last.locator("img").nth(n).bounding_box() for n in (0, 1))
    assert lower == pytest.approx(upper) and lower["width"] > 300
