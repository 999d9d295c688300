"""The few figures that recur: pictures, masks, confusion, bands.

Every function draws on the axes it is given, or makes some, and returns them; none calls `show()`. Arrays may
be numpy arrays or torch tensors, on any device. The colours are those of `course_utils.colours`.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from course_utils.codes import IGNORE, THICK
from course_utils.colours import CLOUD, CODE_COLOURS, CONFUSION_COLOURS, INVALID, STYLE
from course_utils.sensors import Sensor, UnknownBandError

if TYPE_CHECKING:
    from course_utils.metrics.counts import Array

# What a colour word means on an instrument that has no band of that name (wavelength in nm).
COLOUR_WORDS = {"blue": 475.0, "green": 555.0, "red": 655.0, "nir": 865.0, "swir1": 1612.0, "swir2": 2170.0}
WORD_REACH_NM = 60.0


def use_style() -> None:
    """Set matplotlib's defaults to the look of the course, for the rest of the session.

    What was imported until then is left out of Python's search for garbage. Among a million objects that stay, Python
    searches so seldom that closed figures, tens of megabytes, would wait for it till the end of a chapter.

    Example:
        >>> use_style()
        >>> mpl.rcParams["font.size"]
        11.0
    """
    mpl.rcParams.update(STYLE)
    if not gc.get_freeze_count():
        gc.freeze()


def composite(
    image: Array,
    sensor: Sensor,
    bands: tuple[str | float, str | float, str | float] = ("red", "green", "blue"),
    stretch: tuple[float, float] = (0.0, 0.8),
    gamma: float = 1.6,
) -> np.ndarray:
    """Put three bands of an image into the red, green and blue of a picture.

    Args:
        image: (C, H, W) reflectance; the sensor's bands come first, further channels are not looked at.
        sensor: the instrument, from `course_utils.sensors`.
        bands: three of them for red, green, blue: a band name, a wavelength in nm, or one of the words in
            `COLOUR_WORDS`, which takes the nearest band.
        stretch: the reflectances shown as black and as white; fixed, so that two pictures compare.
        gamma: brightens the dark parts, as screens and eyes expect; 1 is linear.

    Returns:
        (H, W, 3) float32 in 0–1. Not-a-number becomes 0.

    Raises:
        ValueError: too few channels, not three bands, or black ≥ white.
        UnknownBandError: a band that the sensor does not have.

    Example:
        >>> from course_utils.sensors import LANDSAT8
        >>> composite(np.full((7, 2, 2), 0.8), LANDSAT8).max()
        np.float32(1.0)
    """
    image = _array(image)
    if image.ndim != 3 or image.shape[0] < len(sensor.band_names):
        raise ValueError(
            f"found an image of shape {image.shape}; expected (C, H, W) with at least the "
            f"{len(sensor.band_names)} bands of {sensor.name}; pass the image of this sensor, channels first"
        )
    if len(bands) != 3:
        raise ValueError(f"found {len(bands)} bands {tuple(bands)}; expected three, for red, green and blue")
    black, white = stretch
    if not black < white:
        raise ValueError(f"found stretch={stretch}; expected (black, white) with black < white")
    picture = np.stack([image[band_index(sensor, band)] for band in bands], axis=-1).astype(np.float32)
    picture = np.clip((np.nan_to_num(picture) - black) / (white - black), 0.0, 1.0)
    return picture ** np.float32(1.0 / gamma)


def band_index(sensor: Sensor, band: str | float) -> int:
    """Find the channel of a band given by name, by wavelength, or by a word such as "red".

    Args:
        sensor: the instrument, from `course_utils.sensors`.
        band: a band name, a wavelength in nm, or a key of `COLOUR_WORDS`.

    Returns:
        The channel number, counted from 0.

    Raises:
        UnknownBandError: the sensor has no such band, or measures nothing near the word's wavelength.

    Example:
        >>> from course_utils.sensors import LANDSAT8
        >>> band_index(LANDSAT8, "blue")
        0
    """
    if band in sensor.band_names or band not in COLOUR_WORDS:
        return sensor.index(band)
    distance = np.abs(np.asarray(sensor.wavelengths) - COLOUR_WORDS[band])
    if distance.min() > WORD_REACH_NM:
        raise UnknownBandError(
            f"found band {band!r}, about {COLOUR_WORDS[band]:.0f} nm; {sensor.name} measures no such light; "
            f"expected one of its bands: {', '.join(sensor.band_names)}"
        )
    return int(distance.argmin())


def show_image(picture: Array, ax: Axes | None = None, title: str | None = None, **imshow: Any) -> Axes:
    """Show a picture or a single band without ticks.

    Args:
        picture: (H, W) or (H, W, 3).
        ax: where to draw; made when absent.
        title: a short heading.
        **imshow: passed on to `Axes.imshow`, for example `vmin=0, vmax=1`.

    Returns:
        The axes.

    Raises:
        ValueError: a shape that is no picture; (C, H, W) is named with its cure.
    """
    picture = _array(picture)
    if picture.ndim != 2 and not (picture.ndim == 3 and picture.shape[2] == 3):
        raise ValueError(
            f"found shape {picture.shape}; expected (H, W) or (H, W, 3); "
            "choose one band of a (C, H, W) image, or make a picture with composite(image, sensor)"
        )
    ax = _axes(ax)
    ax.imshow(picture, **imshow)
    return _bare(ax, title)


def show_mask(
    mask: Array, valid: Array | None = None, ax: Axes | None = None, title: str | None = None, legend: bool = True
) -> Axes:
    """Show a cloud mask, or the label codes of a scene, in the class colours.

    Args:
        mask: (H, W) bool, true = cloud; or (H, W) codes 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore.
        valid: (H, W) bool; the rest is shown as no data.
        ax: where to draw; made when absent.
        title: a short heading.
        legend: name the classes that are present below the picture.

    Returns:
        The axes.

    Raises:
        ValueError: an unknown code, or shapes that differ.
    """
    codes = _array(mask)
    unknown = sorted(set(np.unique(codes).tolist()) - set(CODE_COLOURS))
    if unknown:
        raise ValueError(f"found codes {unknown[:8]}; expected 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore; "
                         "compare probabilities with a threshold first")
    names = dict(CODE_COLOURS)
    if codes.dtype == bool:
        names[THICK] = ("cloud", CLOUD)
    codes = np.where(_valid(valid, codes.shape), codes, IGNORE)
    return _show_classes(codes, names, ax, title, legend)


def confusion_map(
    pred: Array,
    mask: Array,
    valid: Array | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Show where a prediction agrees with the truth, and which way it errs where it does not.

    Args:
        pred: (H, W) bool, true = called cloud.
        mask: (H, W) bool, true = cloud.
        valid: (H, W) bool; the rest is shown as no data.
        ax: where to draw; made when absent.
        title: a short heading.
        legend: name the kinds that are present below the picture.

    Returns:
        The axes.

    Raises:
        ValueError: arrays that are not bool, or shapes that differ.
    """
    pred, mask = _array(pred), _array(mask)
    if pred.dtype != bool or mask.dtype != bool:
        raise ValueError(
            f"found {pred.dtype} and {mask.dtype}; expected two bool masks; compare with a threshold first"
        )
    if pred.shape != mask.shape:
        raise ValueError(f"found shapes {pred.shape} and {mask.shape}; expected one prediction a pixel")
    kinds = list(CONFUSION_COLOURS)
    codes = np.select([(pred == p) & (mask == m) for p, m in kinds], range(len(kinds)))
    codes = np.where(_valid(valid, codes.shape), codes, IGNORE)
    names = {number: CONFUSION_COLOURS[kind] for number, kind in enumerate(kinds)} | {IGNORE: CODE_COLOURS[IGNORE]}
    return _show_classes(codes, names, ax, title, legend)


def show_bands(
    image: Array,
    sensor: Sensor,
    axes: np.ndarray | None = None,
    columns: int = 4,
    limits: tuple[float, float] | None = (0.0, 0.8),
) -> np.ndarray:
    """Show every band of an image side by side, each with its wavelength.

    Args:
        image: (C, H, W) reflectance; a channel beyond the sensor's bands is headed with its number.
        sensor: the instrument, from `course_utils.sensors`.
        axes: an array of at least C axes; made when absent.
        columns: how many side by side, when the axes are made.
        limits: reflectance shown as black and as white in every band; None takes each band's own 2nd and
            98th percentile.

    Returns:
        The array of axes, flat, one per channel.

    Raises:
        ValueError: an image that is not (C, H, W), or fewer axes than channels.
    """
    image = _array(image)
    if image.ndim != 3:
        raise ValueError(f"found shape {image.shape}; expected (C, H, W)")
    count = image.shape[0]
    if axes is None:
        rows = -(-count // columns)
        _, axes = plt.subplots(rows, columns, figsize=(6.4, 1.75 * rows), squeeze=False)
    axes = np.ravel(axes)
    if axes.size < count:
        raise ValueError(f"found {axes.size} axes; expected at least {count}, one per channel")
    headings = [f"{nm:.0f} nm" for nm in sensor.wavelengths]
    for number, ax in enumerate(axes[:count]):
        black, white = limits if limits is not None else np.nanpercentile(image[number], (2, 98))
        heading = headings[number] if number < len(headings) else f"channel {number + 1}"
        show_image(image[number], ax, heading, vmin=black, vmax=white)
    for ax in axes[count:]:
        ax.set_visible(False)
    return axes[:count]


def _array(values: Array) -> np.ndarray:
    """A numpy array of what may be a tensor on some device."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _axes(ax: Axes | None) -> Axes:
    """The axes given, or new ones."""
    return plt.subplots()[1] if ax is None else ax


def _bare(ax: Axes, title: str | None) -> Axes:
    """Axes without ticks or frame."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title)
    return ax


def _valid(valid: Array | None, shape: tuple[int, ...]) -> np.ndarray:
    """The validity mask, everywhere true when absent."""
    valid = np.ones(shape, bool) if valid is None else _array(valid).astype(bool)
    if valid.shape != shape:
        raise ValueError(f"found a validity mask of {valid.shape}; expected {shape}, the shape of the mask")
    return valid


def _show_classes(
    codes: np.ndarray, names: dict[int, tuple[str, str]], ax: Axes | None, title: str | None, legend: bool
) -> Axes:
    """Paint integer codes in their colours and name those that are present."""
    ax = _axes(ax)
    picture = np.zeros((*codes.shape, 3), np.float32)
    for code, (_, colour) in names.items():
        picture[codes == code] = to_rgb(colour)
    ax.imshow(picture)
    if legend:
        present = [names[code] for code in names if (codes == code).any()]
        handles = [Patch(facecolor=hue, edgecolor=INVALID, linewidth=0.5, label=name) for name, hue in present]
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 2}
        ax.legend(handles=handles, **place, handlelength=1.0, columnspacing=1.0)
    return _bare(ax, title)
