"""The course's own dataset: simulated on first use, then kept in the cache."""

import shutil
from contextlib import suppress
from pathlib import Path

from course_utils import simulate
from course_utils.data.errors import DataError, LayoutError, MissingDataError, SplitError
from course_utils.data.folders import data_folder, shared_folder, warn_not_kept
from course_utils.data.packed import PackedPatches, open_packed, origin, simulate_patches, write_packed
from course_utils.data.samples import Patches
from course_utils.data.splits import COURSE_SCENES, PARTS, course_split
from course_utils.runtime import worker_processes
from course_utils.sensors import PACE_OCI, Sensor

__all__ = ["COURSE_SCENES", "cached_folder", "load_patches", "scenes_of", "shared_twin"]

_opened: dict[Path, tuple[Patches, Path | None]] = {}      # a process opens or simulates patches once; from where


def load_patches(part: str = "train", *, sensor: Sensor = PACE_OCI, scenes: int = COURSE_SCENES, seed: int = 0,
                 progress: bool = True, workers: int | None = None, as_bytes: bool = False) -> PackedPatches:
    """Give one part of the course's patches, simulating them if this is the first time.

    The first call takes some seconds; later ones map the files of the first, or those of a shared folder. Where the
    cache cannot be written (a full disk, a read-only one) the patches stay in memory until the process ends, with
    one warning.

    Args:
        part: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``.
        sensor: which instrument looks at the scenes.
        scenes: how many scenes there are, from number 0. The first 150 keep their places in the frozen split,
            so fewer are a part of them and more are more to train on.
        seed: seed of the simulator.
        progress: whether a progress bar is shown while simulating.
        workers: processes that simulate; None takes two in a notebook and one in a script, where starting
            processes asks for ``if __name__ == "__main__":``. The patches are the same.
        as_bytes: give each image as the bytes that are kept, for `samples.decode` on the model's device.

    Returns:
        The patches, sixteen per scene, in the order of the scenes.

    Raises:
        SplitError: the part has another name, or no scene falls in it.
    """
    wanted = scenes_of(part, scenes)
    folder = cached_folder(sensor, scenes, seed)
    if workers is None:
        workers = worker_processes()
    if folder not in _opened:
        _opened[folder] = _open_or_simulate(folder, sensor, scenes, seed, progress, workers)
    patches, opened = _opened[folder]
    return PackedPatches(patches, wanted, as_bytes, opened)


def scenes_of(part: str, scenes: int = COURSE_SCENES) -> tuple[int, ...]:
    """Name the scenes of one part of the course's split.

    Args:
        part: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``.
        scenes: how many scenes there are, from number 0.

    Returns:
        Their numbers, in increasing order.

    Raises:
        SplitError: the part has another name, or no scene falls in it.

    Example:
        >>> len(scenes_of("train")), len(scenes_of("train", scenes=250))
        (106, 206)
    """
    if part not in (*PARTS, "all"):
        raise SplitError(f"found part {part!r}, expected one of {', '.join(PARTS)}, all")
    later = tuple(range(COURSE_SCENES, scenes))
    numbers = tuple(range(scenes)) if part == "all" else course_split().part(part)
    numbers = tuple(number for number in numbers if number < scenes) + (later if part == "train" else ())
    if not numbers:
        raise SplitError(f"found no scene for {part} among the first {scenes}, expected more scenes; "
                         f"the course uses {COURSE_SCENES}")
    return numbers


def cached_folder(sensor: Sensor = PACE_OCI, scenes: int = COURSE_SCENES, seed: int = 0) -> Path:
    """Name the folder that keeps the patches of these parameters and this version of the simulator.

    Args:
        sensor: which instrument looks at the scenes.
        scenes: how many scenes there are.
        seed: seed of the simulator.

    Returns:
        The folder, which need not exist yet.
    """
    name = "-".join(sensor.name.lower().split())
    return data_folder() / "simulated" / f"{name}-{scenes}-scenes-seed-{seed}-v{simulate.VERSION}"


def shared_twin(folder: Path) -> Path:
    """Name the folder of ``COURSE_DATA`` that is read instead of one in the cache, if it is there.

    A hub fills it once for all: ``COURSE_CACHE=/the/shared/folder python -m course_utils simulate``.

    Args:
        folder: what `cached_folder` returns.

    Returns:
        The folder on the shared disk; the same folder if ``COURSE_DATA`` is not set.
    """
    return (shared_folder() or data_folder()) / folder.relative_to(data_folder())


def _open_or_simulate(folder: Path, sensor: Sensor, scenes: int, seed: int, progress: bool,
                      workers: int) -> tuple[Patches, Path | None]:
    """The cached patches if they are whole and of this origin, else new ones; and their folder, None in memory."""
    about = origin(range(scenes), seed, sensor)
    with suppress(DataError):               # a shared folder is somebody else's to mend
        return open_packed(shared_twin(folder), about), shared_twin(folder)
    try:
        return open_packed(folder, about), folder
    except MissingDataError:
        pass
    except LayoutError:                     # damaged, or not what its name says
        shutil.rmtree(folder, ignore_errors=True)
    patches = simulate_patches(range(scenes), seed, sensor, workers, progress)
    try:
        with suppress(LayoutError):         # another process was faster: take its patches
            write_packed(folder, patches, about)
        return open_packed(folder, about), folder
    except (OSError, DataError) as error:
        warn_not_kept("patches", folder, error, stacklevel=3)
        return patches, None
