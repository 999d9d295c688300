"""Where files are kept: the learner's own cache, and a folder of ready files that others share."""

import os
import warnings
from pathlib import Path

from pooch import os_cache

__all__ = ["data_folder", "shared_folder", "warn_not_kept"]


def data_folder() -> Path:
    """Name the folder that downloads and simulated patches are kept in; it need not exist yet.

    The environment variable ``COURSE_CACHE`` names it; without, it is ``learning-to-see-clouds`` in the
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


def warn_not_kept(what: str, path: Path, error: Exception, stacklevel: int) -> None:
    """Say that something simulated could not be written to the cache, and what can be done about it.

    Args:
        what: it is, in the plural.
        path: where it was to be kept.
        error: what came in the way.
        stacklevel: of the warning, counted from the caller, as for `warnings.warn`.
    """
    warnings.warn(f"could not keep the simulated {what} in {path} ({getattr(error, 'strerror', None) or error}); they "
                  "stay in memory and are simulated again next time. COURSE_CACHE can name another folder",
                  stacklevel=stacklevel + 1)
