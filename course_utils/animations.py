"""Animations that play without a network: the frames as small pictures, and three controls (chapters 03 and 07).

matplotlib's own `to_jshtml` asks another host for the icons of its buttons, names none of its controls and starts by
itself. Here nothing moves before the reader presses Play; until then, and where no script runs, the last frame stands.
"""

import base64
import io
import json
import zlib
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.animation import AbstractMovieWriter, Animation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, ImageFilter

MAX_BYTES = 600_000
# What covers a change reaches this many pixels beyond it. A narrow screen blurs the edges of the cover as it shrinks,
# and through blurred edges on a change itself the last frame would shine.
MARGIN = 4

# A custom element: the browser makes players of all the tags of this name, however often the script is met. Children
# are looked for when a control is used, for the tag may be met before them.
_SCRIPT = """
if (!customElements.get("frame-player")) customElements.define("frame-player", class extends HTMLElement {
  connectedCallback() {
    this.onclick = (event) => { if (event.target.closest("button")) this.timer ? this.stop() : this.play(); };
    this.oninput = () => { this.stop(); this.show(Number(this.slider.value)); };
  }
  disconnectedCallback() { this.stop(); }
  get slider() { return this.querySelector("input"); }
  get overlay() {
    if (!this.querySelector("img + img")) {
      this.querySelector("img").after(Object.assign(new Image(), { alt: "" }));
      this.frames = JSON.parse(this.querySelector("script[type]").textContent);
    }
    return this.querySelector("img + img");
  }
  label(text) { this.querySelector("button").textContent = text; }
  show(number) {
    this.overlay.src = "data:image/png;base64," + this.frames[number - 1];
    this.querySelector("span").textContent = `frame ${number} of ${this.frames.length}`;
    this.slider.value = number;
  }
  play() {
    const last = Number(this.slider.max), now = Number(this.slider.value);
    this.show(now < last ? now : 1);
    this.timer = setInterval(() => {
      const next = Number(this.slider.value) + 1;
      if (next <= last) this.show(next);
      if (next >= last) this.stop();
    }, Number(this.dataset.interval));
    this.label("Pause");
  }
  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.isConnected) this.label("Play");
  }
});
"""
# In the dark the site gives images a white card with a margin, which would move one picture against the other, and
# HTML from cells a light one.
_STYLE = """
frame-player { display: block; }
frame-player .picture { position: relative; width: fit-content; max-width: 100%; margin: 0 auto; background: #fff;
  border-radius: .5rem; overflow: hidden; }
frame-player img { display: block; max-width: 100%; height: auto; padding: 0 !important; background: none !important; }
frame-player img + img { position: absolute; inset: 0; width: 100%; height: 100%; }
div.cell_output .text_html:has(frame-player) { background: none !important; color: inherit !important;
  padding: 0 !important; }
frame-player .controls { display: flex; gap: .75rem; align-items: center; max-width: 34rem; margin: .5rem auto 0; }
frame-player:not(:defined) .controls { display: none; }
frame-player button { min-width: 5rem; padding: .3rem 1rem; font: inherit; font-weight: 600; color: inherit;
  background: transparent; border: 1px solid currentColor; border-radius: .3rem; cursor: pointer; }
frame-player input { flex: 1; min-width: 4rem; accent-color: #0072b2; }
frame-player span { min-width: 7rem; font-variant-numeric: tabular-nums; }
@media print { frame-player .controls { display: none; } }
"""


class AnimationError(ValueError):
    """An animation that cannot be shown: without frames, without alternative text, or too heavy."""


@dataclass(frozen=True)
class Player:
    """An animation as HTML; the last value of a notebook's cell, it is shown there and on the site.

    Attributes:
        html: a self-contained piece of a page.
        frames: how many pictures it holds.
    """

    html: str
    frames: int

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return f"<animation of {self.frames} frames, {len(self.html) / 1000:.0f} kB>"


def player(
    animation: Animation, alt: str, *, dpi: float = 150, colours: int = 128, max_bytes: int = MAX_BYTES
) -> Player:
    """Turn a matplotlib animation into HTML with its frames inside, a Play button and a slider, and close its figure.

    Args:
        animation: for example a `FuncAnimation`; its interval (ms) is the pace of the player.
        alt: what the animation shows, for someone who cannot see it.
        dpi: dots an inch; the width in pixels is dpi times the figure's width in inches.
        colours: of the pictures, 2–255; few make small files.
        max_bytes: the largest HTML, bytes.

    Returns:
        Player.

    Raises:
        AnimationError: `alt` is empty, there is no frame, or the HTML is larger than `max_bytes`.

    Source:
        Chapter 03.

    Example:
        >>> from matplotlib.animation import FuncAnimation
        >>> fig, ax = plt.subplots(figsize=(1, 1))
        >>> (dot,) = ax.plot(0, 0, "o")
        >>> moving = FuncAnimation(fig, lambda x: dot.set_data([x], [0]), frames=3)
        >>> player(moving, alt="A dot moves to the right.").frames
        3
    """
    if not alt.strip():
        raise AnimationError("found no alternative text; expected what the animation shows, in a sentence: alt=\"…\"")
    writer = _Frames(colours)
    interval = animation.event_source.interval
    animation.save("frames", writer=writer, dpi=dpi)
    plt.close(writer.fig)
    if not writer.overlays:
        raise AnimationError("found an animation without frames, expected at least one")
    html = _html(writer, alt, interval)
    if len(html) > max_bytes:
        raise AnimationError(
            f"found {len(writer.overlays)} frames that make {len(html) / 1000:.0f} kB of HTML, expected at most "
            f"{max_bytes / 1000:.0f} kB; draw fewer frames, or lower dpi={dpi:g} or colours={colours}"
        )
    return Player(html, len(writer.overlays))


class _Frames(AbstractMovieWriter):
    """A movie writer of matplotlib that keeps the last frame whole, and of each frame what differs from the last.

    All frames take the colours of the last one: with a palette each, parts that stand still would flicker.
    """

    def __init__(self, colours):
        super().__init__()
        self.colours, self.drawn, self.last, self.overlays = colours, [], None, []

    def setup(self, fig, outfile, dpi=None):
        """Draw each frame once, in the size that is kept, and settle the layout: no frame shifts against another."""
        super().setup(fig, outfile, dpi)
        fig.set_dpi(self.dpi)
        FigureCanvasAgg(fig)
        fig.draw_without_rendering()
        fig.set_layout_engine("none")

    def grab_frame(self, **_):
        """Keep what is drawn."""
        drawn = Image.fromarray(np.asarray(self.fig.canvas.buffer_rgba()))
        frame = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")
        self.drawn.append(zlib.compress(frame.tobytes(), level=1))      # a fiftieth of the size

    def finish(self):
        """Make pictures of all that was kept: the last frame, and what each differs in from it."""
        if not self.drawn:
            return
        palette = self._frame(-1).quantize(self.colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        last = self._frame(-1).quantize(palette=palette, dither=Image.Dither.NONE)
        self.last = _png(last)
        shades = palette.getpalette() + [0] * 768
        for number in range(len(self.drawn)):
            frame = self._frame(number).quantize(palette=palette, dither=Image.Dither.NONE)
            changed = Image.fromarray(np.asarray(frame) != np.asarray(last)).convert("L")
            cover = np.asarray(changed.filter(ImageFilter.MaxFilter(2 * MARGIN + 1))) > 0
            overlay = Image.fromarray(np.where(cover, frame, self.colours).astype(np.uint8))
            overlay.putpalette(shades[:768])
            self.overlays.append(_png(overlay, transparency=self.colours))

    def _frame(self, number):
        """A frame as it was drawn."""
        return Image.frombytes("RGB", self.frame_size, zlib.decompress(self.drawn[number]))


def _png(picture, **options):
    """A picture as the text of a data address."""
    file = io.BytesIO()
    picture.save(file, format="PNG", optimize=True, **options)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _html(writer, alt, interval):
    """The player's HTML; the last frame is the picture that stands before anything is pressed."""
    count, (width, height) = len(writer.overlays), writer.frame_size
    return f"""<style>{_STYLE}</style>
<frame-player role="group" aria-label="Animation" data-interval="{interval:g}">
<div class="picture">
<img src="data:image/png;base64,{writer.last}" alt="{escape(alt)}" width="{width}" height="{height}">
</div>
<div class="controls">
<button type="button">Play</button>
<input type="range" aria-label="Frame" min="1" max="{count}" value="{count}">
<span>frame {count} of {count}</span>
</div>
<script type="application/json">{json.dumps(writer.overlays)}</script>
</frame-player>
<script>{_SCRIPT}</script>
"""
