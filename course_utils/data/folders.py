"""Where files are kept: the learner's own cache, and a folder of ready files that others share."""

import os
import warnings
from pathlib import Path

from pooch import os_cache

from course_utils.data.errors import LayoutError

__all__ = ["data_folder", "refuse_existing", "settle", "shared_folder", "warn_not_kept"]


def data_folder() -> Path:
    """Name the folder that downloads and simulated patches are kept in; it need not exist yet.

    The environment variable ``COURSE_CACHE`` names it; otherwise it is ``learning-to-see-clouds`` in the
    place where the system keeps caches.

    Returns:
        The folder.
    """
    named = os.environ.get("COURSE_CACHE")
    return Path(named).expanduser() if named else Path(os_cache("learning-to-see-clouds"))


def shared_folder() -> Path | None:
    """Name the folder of files that somebody has downloaded already, such as a hub's shared disk.

    The environment variable ``COURSE_DATA`` names it. It is looked up first and never written to.

    Returns:
        The folder, or None if the variable is not set.
    """
    named = os.environ.get("COURSE_DATA")
    return Path(named).expanduser() if named else None


def refuse_existing(folder: Path) -> None:
    """Refuse to make a folder that is there: nothing is written over, for somebody may be reading it.

    Args:
        folder: what is to be made.

    Raises:
        LayoutError: it is there already.
    """
    if folder.exists():
        raise LayoutError(f"found {folder} already there, expected to make it; remove it or choose another name")


def settle(finished: Path, folder: Path) -> None:
    """Give a folder that was filled under another name its own; of two who come at once, one is refused.

    Args:
        finished: the folder as it is called now.
        folder: what it is to be called.

    Raises:
        LayoutError: somebody else was faster.
        OSError: it cannot be renamed.
    """
    try:
        finished.rename(folder)
    except OSError:
        refuse_existing(folder)
        raise


def warn_not_kept(what: str, path: Path, error: Exception, stacklevel: int) -> None:
    """Say that something simulated could not be written to the cache, and what can be done about it.

    Args:
        what: name of what was simulated, in the plural.
        path: where it was to be kept.
        error: what came in the way.
        stacklevel: of the warning, counted from the caller, as for `warnings.warn`.
    """
    warnings.warn(f"could not keep the simulated {what} in {path} ({getattr(error, 'strerror', None) or error}); they "
                  "stay in memory and are simulated again next time. COURSE_CACHE can name another folder",
                  stacklevel=stacklevel + 1)
