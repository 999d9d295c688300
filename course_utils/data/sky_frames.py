"""The course's all-sky camera: frames by day and night, simulated on first use, then kept in the cache."""

from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from course_utils.data.cached import shared_twin
from course_utils.data.errors import DataError, SplitError
from course_utils.data.folders import data_folder, warn_not_kept
from course_utils.data.npz import read_npz
from course_utils.data.sky import SkyPicture, simulate_each
from course_utils.files import aside
from course_utils.runtime import worker_processes
from course_utils.simulate.sky import SKY_VERSION, sky_frame

__all__ = ["FRAME_PARTS", "FRAME_SIZE", "frames_are_kept", "load_frames", "load_series"]

SITE = 23               # where the camera stands: its town, its horizon, its colours
FRAME_SIZE = 256
# The number of a frame is the number of its sky, by day and by night, so its clouds are in no other part.
FRAME_PARTS = {"train": range(48), "validation": range(48, 60), "test": range(60, 76)}
TIMES = ("day", "night")
LARGEST = 2**28         # bytes of an array of frames

Sky = tuple[int, str, float]        # number, time, minutes

_opened: dict[Path, list[SkyPicture]] = {}      # a process reads or simulates frames once


def load_frames(part: str = "train", time: str = "day", progress: bool = True) -> list[SkyPicture]:
    """Give one part of the course's all-sky frames, simulating all parts if this is the first time.

    Args:
        part: ``"train"``, ``"validation"`` or ``"test"``; no sky is in two of them.
        time: ``"day"`` or ``"night"``.
        progress: whether a bar is shown while simulating, one for all parts.

    Returns:
        The frames, 256×256 pixels each, in the order of their numbers.

    Raises:
        SplitError: the part or the time has another name.
    """
    if part not in FRAME_PARTS or time not in TIMES:
        raise SplitError(f"found part {part!r}, time {time!r}; expected one of {', '.join(FRAME_PARTS)}, and "
                         f"{' or '.join(TIMES)}")
    return _kept(f"{part}-{time}", _parts(), FRAME_SIZE, progress)


def load_series(number: int, time: str = "night", frames: int = 36, every: float = 15.0, size: int = FRAME_SIZE,
                progress: bool = True) -> list[SkyPicture]:
    """Give the frames of one camera through a night (or a day), simulating them if this is the first time.

    Args:
        number: which sky, as in `simulate.sky_frame`.
        time: ``"night"`` or ``"day"``.
        frames: how many.
        every: minutes between them.
        size: pixels along one side.
        progress: whether a bar is shown while simulating.

    Returns:
        The frames, in order.

    Raises:
        SplitError: the time has another name.
    """
    if time not in TIMES:
        raise SplitError(f"found time {time!r}, expected {' or '.join(TIMES)}")
    name, skies = _series(number, time, frames, every)
    return _kept(name, {name: skies}, size, progress)


def frames_are_kept(number: int) -> bool:
    """Say whether the frames of all parts and of one night are on this machine, without simulating any.

    Args:
        number: which sky's night, as in `load_series`.

    Returns:
        True if `load_frames`, and `load_series` of this number, would find all that they give.
    """
    return all(_find(name, skies, FRAME_SIZE) for name, skies in [*_parts().items(), _series(number)])


def _parts() -> dict[str, list[Sky]]:
    """The skies of every part by day and by night, by the name of their file."""
    return {f"{part}-{time}": [(number, time, 0.0) for number in numbers]
            for part, numbers in FRAME_PARTS.items() for time in TIMES}


def _series(number: int, time: str = "night", frames: int = 36, every: float = 15.0) -> tuple[str, list[Sky]]:
    """Name and skies of one night or day."""
    return (f"sky-{number}-{time}-{frames}-every-{every:g}-min",
            [(number, time, step * every) for step in range(frames)])


def _kept(name: str, sets: dict[str, list[Sky]], size: int, progress: bool) -> list[SkyPicture]:
    """Frames of the set of this name: from memory, from a file, or simulated, at once with all that are absent."""
    path = _path(name, size)
    if path not in _opened and (found := _find(name, sets[name], size)):
        _opened[path] = found
    if path not in _opened:
        _simulate({one: skies for one, skies in sets.items()      # this one also if somebody has written it by now
                   if one == name or not (_path(one, size) in _opened or _find(one, skies, size))}, size, progress)
    return list(_opened[path])


def _path(name: str, size: int) -> Path:
    """The file in the cache that frames are kept in."""
    return data_folder() / "simulated" / f"all-sky-{SITE}-{name}-{size}-pixels-v{SKY_VERSION}.npz"


def _find(name: str, skies: Sequence[Sky], size: int) -> list[SkyPicture]:
    """The frames of a file in the shared folder or in the cache; none if there is no whole one."""
    path, names = _path(name, size), [f"{time}-{number}-{minutes:g}" for number, time, minutes in skies]
    return _read(shared_twin(path), names, size) or _read(path, names, size)


def _read(path: Path, names: list[str], size: int) -> list[SkyPicture]:
    """The frames of a file; none if it is not there, damaged, or holds other frames."""
    try:
        found, pictures, codes = read_npz(path, ("names", "pictures", "codes"), LARGEST).values()
    except DataError:
        return []
    whole = (found.tolist() == names and pictures.shape == (len(names), size, size, 3)
             and codes.shape == (len(names), size, size) and pictures.dtype == codes.dtype == np.uint8)
    return list(map(SkyPicture, names, pictures, codes)) if whole else []


def _simulate(sets: dict[str, list[Sky]], size: int, progress: bool) -> None:
    """Make new frames; each set is written when it is whole, as long as files can be written."""
    skies, keep = [sky for each in sets.values() for sky in each], True
    frames = simulate_each(partial(_frame, size=size), skies, worker_processes(), progress)
    for name, each in sets.items():
        path = _path(name, size)
        _opened[path] = list(islice(frames, len(each)))
        try:
            if keep:
                _write(path, _opened[path])
        except OSError as error:
            keep = False
            warn_not_kept("frames", path, error, stacklevel=4)
    next(frames, None)          # there is none: now the bar is full, and the processes end


def _write(path: Path, frames: list[SkyPicture]) -> None:
    """Keep frames in a file."""
    with aside(path) as new:
        np.savez(new, names=[one.name for one in frames], pictures=np.stack([one.picture for one in frames]),
                 codes=np.stack([one.codes for one in frames]))


def _frame(sky: Sky, size: int) -> SkyPicture:
    """One simulated frame."""
    number, time, minutes = sky
    frame = sky_frame(number, time=time, size=size, minutes=minutes, site=SITE)
    return SkyPicture(f"{time}-{number}-{minutes:g}", frame.picture, frame.codes)
