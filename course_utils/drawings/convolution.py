"""A kernel that slides, channels that mix, and what one output has seen (chapter 07)."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from course_utils.colours import CLOUD, FALSE_POSITIVE

PALE = "#D9E2EA"
GRID = 801          # points of a function that is drawn
SHIFT = 0.22        # of one map against the map behind it, in sides of a map


def slide(image: torch.Tensor, kernels: Sequence[torch.Tensor], axes: Sequence[Axes]) -> FuncAnimation:
    """Animate kernels that slide over an image and over each other's results, then what one last number has seen.

    Args:
        image: (H, W).
        kernels: one (K, K) for each layer; nothing is padded.
        axes: one for the image and one for each layer, all of one figure.

    Returns:
        The animation, for `animations.player`.

    Raises:
        ValueError: not one axes more than kernels.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> from course_utils.animations import player
        >>> fig, axes = plt.subplots(1, 2)
        >>> moving = slide(torch.eye(4), [torch.ones(3, 3)], axes)
        >>> player(moving, alt="A window slides over a picture.").frames
        6
    """
    axes = list(axes)
    if len(axes) != len(kernels) + 1:
        raise ValueError(f"found {len(axes)} axes for {len(kernels)} kernels; expected one more axes than kernels")
    maps = [image]
    for kernel in kernels:
        maps.append(F.conv2d(maps[-1][None, None], kernel[None, None])[0, 0])
    pictures = []
    for number, (ax, values) in enumerate(zip(axes, maps, strict=True)):
        ax.set(xticks=[], yticks=[], facecolor=PALE, title=f"layer {number}" if number else "image")
        ax.spines[:].set_visible(False)
        pictures.append(ax.imshow(values.numpy(), vmin=values.min(), vmax=values.max()))
    # Hard edges: half-covered pixels would give a player's few colours a tint that grey cells then take.
    windows = [ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=FALSE_POSITIVE, linewidth=2.5, visible=False,
                                      antialiased=False)) for ax in axes]
    frames = [(1, place) for place in range(maps[1].numel())]
    for layer in range(2, len(maps)):               # later layers a row at a time
        height, width = maps[layer].shape
        frames += [(layer, width * (row + 1) - 1) for row in range(height)]
    frames += [("seen", layer) for layer in reversed(range(len(maps)))]

    def show(frame):
        kind, place = frame
        for window in windows:
            window.set_visible(False)
        if kind == "seen":
            _mark_seen(windows, maps, kernels, first=place)
        else:
            _mark_step(windows, maps, kernels[kind - 1], kind, place)
        for layer, (picture, values) in enumerate(zip(pictures, maps, strict=True)):
            done = values.numel() if kind == "seen" or layer < kind else place + 1 if layer == kind else 0
            filled = torch.arange(values.numel()).view(values.shape) < done
            picture.set_data(torch.where(filled, values, torch.nan).numpy())

    return FuncAnimation(axes[0].figure, show, frames=frames, interval=90)


def _mark_step(windows, maps, kernel, layer, place):
    """Outline the window that is read and the place that is written."""
    row, column = divmod(place, maps[layer].shape[1])
    _outline(windows[layer - 1], row, column, *kernel.shape)
    _outline(windows[layer], row, column, 1, 1)


def _mark_seen(windows, maps, kernels, first):
    """Outline the middle number of the last layer and what it has seen, back to layer `first`."""
    row, column = (size // 2 for size in maps[-1].shape)
    height = width = 1
    for layer in reversed(range(first, len(maps))):
        _outline(windows[layer], row, column, height, width)
        if layer:
            height, width = height + kernels[layer - 1].shape[0] - 1, width + kernels[layer - 1].shape[1] - 1


def _outline(window, row, column, height, width):
    """Put a window's frame around cells."""
    window.set(xy=(column - 0.5, row - 0.5), width=width, height=height, visible=True)


def sweep(f: Callable, g: Callable, span: tuple[float, float], axes: Sequence[Axes], frames: int = 40) -> FuncAnimation:
    """Animate the convolution of two functions: one is turned round and slides, the area of the product is kept.

    Args:
        f: takes and gives numpy arrays; it stands still.
        g: the same; it is turned round and slides.
        span: first and last position of the slide; also the limits of the axes.
        axes: two of one figure: above for the functions, below for their convolution.
        frames: how many.

    Returns:
        The animation, for `animations.player`.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> from course_utils.animations import player
        >>> box = lambda t: 1.0 * ((t >= 0) & (t < 1))
        >>> player(sweep(box, box, (-1, 3), plt.subplots(2)[1], frames=3), alt="A box slides over a box.").frames
        3
    """
    above, below = axes
    places = np.linspace(*span, GRID)
    shifts = places[np.linspace(0, GRID - 1, frames).round().astype(int)]
    areas = np.array([np.trapezoid(f(places) * g(shift - places), places) for shift in places])
    above.plot(places, f(places), color=CLOUD, label="f(τ)")
    (turned,) = above.plot(places, g(shifts[-1] - places), color=FALSE_POSITIVE, label="g(t − τ)")
    (curve,) = below.plot(places, areas, color="black")
    (dot,) = below.plot(places[-1], areas[-1], "o", color="black", markersize=7)
    above.set(xlim=span, ylabel="f and g")
    below.set(xlim=span, xlabel="t", ylabel="(f ∗ g)(t)", ylim=(-0.05 * areas.max(), 1.15 * areas.max()))
    above.legend(loc="upper left")
    product = [None]

    def show(number):
        shift = shifts[number]
        turned.set_ydata(g(shift - places))
        if product[0]:
            product[0].remove()
        product[0] = above.fill_between(places, f(places) * g(shift - places), color="black", alpha=0.35, linewidth=0)
        so_far = places <= shift
        curve.set_data(places[so_far], areas[so_far])
        dot.set_data(places[so_far][-1:], areas[so_far][-1:])

    return FuncAnimation(above.figure, show, frames=frames, interval=120)


def cone(ax: Axes, size: int, layers: Sequence[dict], title: str | None = None, at: int | None = None) -> Axes:
    """Draw layers of a one-dimensional network as rows of cells, and mark what one of the last cells has seen.

    Args:
        ax: where to draw.
        size: cells of the input, which is the lowest row.
        layers: for each layer its ``kernel`` and, if they are not 1, 0, 1: ``stride``, ``padding``, ``dilation``.
        title: a short heading.
        at: which cell of the last row; the middle one when absent.

    Returns:
        The axes.

    Raises:
        ValueError: a layer that is longer than the row below it.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> ax = cone(plt.figure().gca(), 9, [{"kernel": 3}, {"kernel": 3, "dilation": 2}], "two layers")
    """
    rows = [np.arange(size, dtype=float)]               # where the centre of each cell lies, row by row
    reads = []          # for each row above the input, (cells, kernel): which cells of the row below each of them reads
    for layer in layers:
        kernel, stride, padding, dilation = (layer.get(key, default) for key, default in
                                             (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)))
        count = (len(rows[-1]) + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        if count < 1:
            raise ValueError(f"found {layer} above a row of {len(rows[-1])} cells; expected a kernel that fits")
        taps = np.arange(count)[:, None] * stride - padding + dilation * np.arange(kernel)
        gap = rows[-1][1] - rows[-1][0] if len(rows[-1]) > 1 else 1.0
        reads.append(taps)
        rows.append(rows[-1][0] + gap * taps.mean(axis=1))
    _draw_rows(ax, rows, reads, len(rows[-1]) // 2 if at is None else at)
    ax.set(aspect="equal")
    ax.axis("off")
    if title:
        ax.set_title(title)
    return ax


def _draw_rows(ax, rows, reads, at):
    """From the last row down: cells, and lines from every marked cell to those that it reads."""
    height, seen = 2.2, {at}
    for level in reversed(range(len(rows))):
        for number, across in enumerate(rows[level]):
            colour = FALSE_POSITIVE if number in seen else PALE
            ax.add_patch(Rectangle((across - 0.4, level * height - 0.4), 0.8, 0.8, facecolor=colour))
        if not level:
            break
        gap = rows[level - 1][1] - rows[level - 1][0] if len(rows[level - 1]) > 1 else 1.0
        below = set()
        for number in seen & set(range(len(rows[level]))):
            for tap in reads[level - 1][number].tolist():
                foot = rows[level - 1][0] + gap * tap
                ax.plot([rows[level][number], foot], [level * height - 0.4, (level - 1) * height + 0.4],
                        color=FALSE_POSITIVE, linewidth=1, alpha=0.8)
                below.add(tap)
                if not 0 <= tap < len(rows[level - 1]):
                    ax.add_patch(Rectangle((foot - 0.4, (level - 1) * height - 0.4), 0.8, 0.8, facecolor="none",
                                           edgecolor=FALSE_POSITIVE, linestyle=":"))
        seen = below
    ax.autoscale_view()


def channels(ax: Axes, count_in: int, count_out: int, kernel: int = 3, size: int = 8) -> Axes:
    """Draw a convolution of several channels: one output number reads a small window of every input channel.

    Args:
        ax: where to draw.
        count_in: input channels.
        count_out: output channels.
        kernel: pixels on a side of the window.
        size: pixels on a side of a map.

    Returns:
        The axes.

    Example:
        >>> from matplotlib import pyplot as plt
        >>> ax = channels(plt.figure().gca(), 4, 3)
    """
    side, window = 1.0, kernel / size
    start = 0.35                                    # lower left corner of the window, in sides of a map
    target = 1.9 + SHIFT * count_in
    ends = [(target + SHIFT * k + start + window / 2, SHIFT * k + start + window / 2) for k in range(count_out)]
    for number in reversed(range(count_out)):
        _map(ax, target + SHIFT * number, SHIFT * number, side, CLOUD if number == 0 else PALE)
    for number in reversed(range(count_in)):
        corner = (SHIFT * number, SHIFT * number)
        _map(ax, *corner, side, PALE)
        ax.add_patch(Rectangle((corner[0] + start, corner[1] + start), window, window, facecolor=FALSE_POSITIVE,
                               edgecolor="white", zorder=3))
        ax.plot([corner[0] + start + window, ends[0][0]], [corner[1] + start + window / 2, ends[0][1]],
                color=FALSE_POSITIVE, linewidth=1, zorder=4)
    pixel = 1 / size
    ax.add_patch(Rectangle((ends[0][0] - pixel / 2, ends[0][1] - pixel / 2), pixel, pixel, facecolor=FALSE_POSITIVE,
                           edgecolor="white", zorder=5))
    for across, count, name in ((0, count_in, "in"), (target, count_out, "out")):
        ax.text(across + side / 2, -0.12, f"{count} channels {name}", ha="center", va="top")
    top = side + SHIFT * max(count_in, count_out)
    ax.set(aspect="equal", xlim=(-0.1, target + side + SHIFT * count_out), ylim=(-0.4, top))
    ax.axis("off")
    return ax


def _map(ax, across, up, side, colour):
    """A square that stands for a map."""
    ax.add_patch(Rectangle((across, up), side, side, facecolor=colour, edgecolor="white", linewidth=1.5, zorder=2))
