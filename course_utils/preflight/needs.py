"""What each chapter needs, against what there is here: data, memory, time, and what it has use for."""

import shutil

from course_utils import budgets
from course_utils.challenge import ChallengeError
from course_utils.data.errors import DataError
from course_utils.data.folders import data_folder
from course_utils.data.local import find
from course_utils.data.registry import DATASETS
from course_utils.deploy import build
from course_utils.doctor import Check, command
from course_utils.preflight import limits, machine
from course_utils.preflight.chapters import CHAPTERS, KEPT, Chapter

__all__ = ["of_chapter", "of_data"]

ONCE = "(on a hub once, into a folder for all: see the instructor guide)"
COMFORT = 1.25                  # times a chapter's peak: less free memory is worth a warning


def of_chapter(chapter: Chapter, data: dict[str, Check], free_mb: float | None, slower: float) -> tuple[Check, ...]:
    """Compare what a chapter needs with what there is.

    Args:
        chapter: which.
        data: what `of_data` found.
        free_mb: memory that its kernel can have, in 10⁶ bytes; None if that is not known.
        slower: how many times as long it takes here as where it was measured.

    Returns:
        Checks: of its data, memory and time; of real data and compilers if it could show more with them.
    """
    own = [data[name] for name in chapter.kept] or [Check("data", "ok", "none to make")]
    return (*own, _memory(chapter, free_mb), _time(chapter, slower), *_use(chapter))


def of_data(can_be_written: bool) -> dict[str, Check]:
    """Look for everything that is simulated and kept.

    Args:
        can_be_written: whether the cache can.

    Returns:
        A check for each entry of `KEPT`, by its name.
    """
    found, missing = {}, []
    for name, kept in KEPT.items():
        try:
            here = kept.is_here()
        except (ChallengeError, DataError, OSError) as error:
            found[name] = Check("data", "error", f"{kept.name}: {error}", "correct COURSE_CHALLENGE or unset it")
            continue
        found[name] = Check("data", "ok", "here")
        missing += [] if here else [name]
    folder = data_folder().absolute()
    room = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.is_dir())).free / 1e6
    wanted = sum(KEPT[name].mb for name in missing) + machine.SPARE_MB
    return found | {name: _missing(KEPT[name].name, can_be_written, room, wanted) for name in missing}


def _missing(what: str, can_be_written: bool, room: float, wanted: float) -> Check:
    """Whether something that is not here can be made and kept."""
    if not can_be_written:
        return Check("data", "error", f"{what} are not here and cannot be kept: every kernel makes them again",
                     "name a folder that can be written in COURSE_CACHE, or one that has them in COURSE_DATA")
    if room < wanted:
        return Check("data", "error", f"{what} are not here, and the disk has {room:,.0f} MB left",
                     f"free {wanted:,.0f} MB in {data_folder()}, or name another folder in COURSE_CACHE")
    return Check("data", "warning", f"{what} are made when first used", f"now: {command('simulate --all')} {ONCE}")


def _memory(chapter: Chapter, free: float | None) -> Check:
    """Whether the chapter's kernel fits in what is free."""
    peak = chapter.peak_mb
    if peak is None or free is None or free >= COMFORT * peak:
        return Check("memory", "ok", "enough")
    heaviest = max(filter(None, (one.peak_mb for one in CHAPTERS)))
    advice = (f"shut down other kernels, or give each learner {heaviest + limits.SERVER_MB:,.0f} MB: {heaviest:,.0f} "
              f"for the heaviest chapter, {limits.SERVER_MB} for JupyterLab")
    if free < peak:
        return Check("memory", "error", f"{free:,.0f} MB of memory are free, fewer than the kernel needs", advice)
    return Check("memory", "warning", f"{free:,.0f} MB of memory are free, hardly more than the kernel needs", advice)


def _time(chapter: Chapter, slower: float) -> Check:
    """Whether the chapter's notebook stays near its budget on this machine."""
    allowed = budgets.seconds_allowed(chapter.name)
    if chapter.seconds is None or chapter.seconds * slower <= machine.SLOW * allowed:
        return Check("time", "ok", "within twice the budget")
    return Check("time", "warning", "the notebook takes more than twice its budget here", "see the line speed above")


def _use(chapter: Chapter) -> list[Check]:
    """What the chapter shows only if it is there: real data, compiled programs."""
    found = []
    for name in chapter.fetched:
        if not all(map(find, DATASETS[name].files)):
            found.append(Check("real data", "ok", f"without all files of {name}, recorded results are shown",
                               command(f"fetch {name}")))
    if chapter.compiles and build.missing():
        found.append(Check("compilers", "warning", f"without {build.missing()} the Fortran part is read, not run",
                           "apt-get install gcc g++ gfortran, or the like of your system"))
    return found
