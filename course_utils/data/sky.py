"""Labelled pictures of the sky: read from a folder with `images/` and `masks/` of the same names, or simulated."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from course_utils.codes import CLOUD, OUTSIDE, SKY, SKY_CODES
from course_utils.data.errors import LayoutError, MissingDataError
from course_utils.files import plain_file, reading
from course_utils.simulate.sky import sky_frame, sky_photo
from course_utils.simulate.sky_picture import LabelledSky

__all__ = ["FRAME_EVERY", "SkyPicture", "read_sky_folder", "simulate_each", "simulate_pictures"]

FRAME_EVERY = 8         # one simulated picture in so many is an all-sky frame, the others are photographs
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")


@dataclass(frozen=True)
class SkyPicture(LabelledSky):
    """A picture of the sky with a mask.

    Attributes:
        name: its file's name without the ending.
        picture: (H, W, 3) uint8 red, green, blue.
        codes: (H, W) uint8, 100 sky, 255 cloud, 0 outside.
    """

    name: str
    picture: np.ndarray
    codes: np.ndarray


def read_sky_folder(folder: str | Path) -> list[SkyPicture]:
    """Read labelled pictures of the sky.

    Args:
        folder: holds ``images/`` (PNG, JPEG, TIFF or BMP, colour) and ``masks/`` (one channel: 255 cloud, 100 sky,
            0 outside), a file of the same name in each.

    Returns:
        The pictures, in alphabetical order of their names.

    Raises:
        MissingDataError: there is no such folder, or no picture in it.
        LayoutError: a picture has no mask, a mask no picture, or two files share a name; a file is no picture, a mask
            has another size or other codes.
    """
    return [_read(name, *pair) for name, pair in _pairs(Path(folder)).items()]


def simulate_pictures(numbers: Iterable[int], seed: int = 0, size: int = 128, workers: int = 1,
                      progress: bool = False) -> list[SkyPicture]:
    """Simulate pictures to train on: daytime photographs, and an all-sky frame by day or night now and then.

    Args:
        numbers: which pictures; the same number and seed always give the same picture.
        seed: which series of skies.
        size: pixels along one side.
        workers: processes that share the work; the result is the same. A script that asks for more than one guards
            its main part with `if __name__ == "__main__":`.
        progress: show a bar on stderr.

    Returns:
        The pictures, in the order of the numbers.

    Example:
        >>> [picture.name for picture in simulate_pictures([7, 8], size=32)]
        ['photo-7', 'frame-8']
    """
    return list(simulate_each(partial(_simulate, seed=seed, size=size), numbers, workers, progress))


def simulate_each(make: Callable[[Any], SkyPicture], wanted: Iterable, workers: int = 1,
                  progress: bool = False) -> Iterator[SkyPicture]:
    """Simulate one picture for each item of a list.

    Args:
        make: turns an item into a picture; a function that another process can import.
        wanted: what to simulate.
        workers: processes that share the work.
        progress: show a bar on stderr.

    Yields:
        The pictures, in the order of the items.
    """
    wanted = list(wanted)
    hidden = {} if progress else {"disable": True}           # leave it to TQDM_DISABLE otherwise
    bar = partial(tqdm, total=len(wanted), desc="simulating", unit="picture", **hidden)
    if workers <= 1:
        yield from bar(map(make, wanted))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from bar(pool.map(make, wanted, chunksize=4))


def _simulate(number: int, seed: int, size: int) -> SkyPicture:
    """One simulated picture."""
    kind, make = ("frame", sky_frame) if number % FRAME_EVERY == 0 else ("photo", sky_photo)
    frame = make(number, seed, size=size)
    return SkyPicture(f"{kind}-{number}", frame.picture, frame.codes)


def _pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Picture and mask by name."""
    found = {part: _by_stem(folder / part) for part in ("images", "masks")}
    images, masks = found["images"], found["masks"]
    if not images:
        raise MissingDataError(f"found no picture in {folder / 'images'}, expected files ending in "
                               f"{', '.join(PICTURES)}, and masks of the same names in {folder / 'masks'}")
    for these, those, what in ((images, masks, "mask"), (masks, images, "picture")):
        alone = [name for name in these if name not in those]
        if alone:
            raise LayoutError(f"found no {what} for {_few(alone)} in {folder}, expected images/NAME and masks/NAME "
                              "with the same name; add the file or remove its partner")
    return {name: (images[name], masks[name]) for name in images}


def _by_stem(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their name without ending; none if there is no folder."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURES)
    by_stem = {path.stem: path for path in files}
    if len(by_stem) < len(files):
        twice = next(path for path in files if by_stem[path.stem] != path)
        raise LayoutError(f"found {twice.name} and {by_stem[twice.stem].name} in {folder}, expected one file of "
                          "each name; remove one")
    return by_stem


def _read(name: str, image: Path, mask: Path) -> SkyPicture:
    """One labelled picture."""
    one = SkyPicture(name, _open(image, "RGB"), _open(mask, "L", ("L", "1", "P", "I", "I;16")))
    _check(one, mask)
    return one


def _open(path: Path, mode: str, modes: Sequence[str] | None = None) -> np.ndarray:
    """A picture, read to its end; one of another mode than these, or too large for any camera, is refused."""
    with (reading(f"no readable picture in {path}", "PNG, JPEG, TIFF or BMP; replace the file", LayoutError),
          warnings.catch_warnings()):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(plain_file(path), formats=FORMATS) as opened:
            if modes is not None and opened.mode not in modes:
                raise LayoutError(f"found a mask of mode {opened.mode} in {path}, expected one channel of 8 bits: "
                                  "255 cloud, 100 sky, 0 outside")
            return np.asarray(opened.convert(mode))


def _check(one: SkyPicture, where: Path) -> None:
    """Refuse sizes that differ and codes that are not known."""
    if one.picture.shape != (*one.codes.shape, 3):
        raise LayoutError(f"found a picture {one.picture.shape} with a mask {one.codes.shape} in {where}, expected "
                          "(H, W, 3) and (H, W) of the same size")
    unknown = sorted(set(np.unique(one.codes).tolist()) - set(SKY_CODES))
    if unknown:
        raise LayoutError(f"found code {', '.join(map(str, unknown[:5]))} in {where}, expected only {CLOUD} cloud, "
                          f"{SKY} sky, {OUTSIDE} outside; write masks without smoothing, as PNG")


def _few(names: Iterable[str]) -> str:
    """A few names, for a message."""
    names = list(names)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
