"""Every error that the data room raises on bad input; the message says found, expected, what to do."""

__all__ = [
    "DataError",
    "DownloadError",
    "HashMismatchError",
    "InvalidReflectanceError",
    "LayoutError",
    "MissingDataError",
    "NoConnectionError",
    "NotTriedError",
    "SplitError",
    "UnknownDatasetError",
    "UnsafeArchiveError",
]


class DataError(ValueError):
    """Something is wrong with data that came from outside the package; the parent of all errors here."""


class UnknownDatasetError(DataError):
    """A name that is not in the registry; the message lists the names that are."""


class MissingDataError(DataError):
    """Files that have to be fetched first, or were only fetched in part."""


class DownloadError(DataError):
    """A file could not be downloaded; the message names the manual alternative."""


class NoConnectionError(DownloadError):
    """A server could not be reached, or sent nothing; there is no sense in asking it for the next file."""


class NotTriedError(DownloadError):
    """A file that was not asked for, because its server could not be reached a moment ago."""


class HashMismatchError(DataError):
    """A file whose bytes are not the published ones; it is kept aside as ``.corrupt`` and never used."""


class UnsafeArchiveError(DataError):
    """An archive with a member that would leave its folder; nothing of it was written."""


class LayoutError(DataError):
    """A folder, file or array that does not have the shape, type or files that its format asks for."""


class InvalidReflectanceError(DataError):
    """A reflectance that is not a finite number where the pixel counts as measured."""


class SplitError(DataError):
    """A train/validation/test split that overlaps, names unknown items, or would be overwritten."""
