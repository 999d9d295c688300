"""Checks that a learner calls on an answer: one module per chapter, one checker per exercise.

A chapter module is imported at its first use, so that ``from course_utils import checks as check`` is instant.

Example:
    >>> from course_utils import checks as check
    >>> check.no_such_chapter
    Traceback (most recent call last):
        ...
    AttributeError: found 'no_such_chapter', expected one of the chapters: ...
"""

import importlib
import pkgutil

_MACHINERY = {"answers", "core", "expect"}


def chapters() -> tuple[str, ...]:
    """List the chapters that have checks, by topic.

    Returns:
        Names that work as ``check.<name>``, sorted: the file name of the chapter without its number.
    """
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in _MACHINERY))


def __getattr__(name):
    if name in chapters():
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"found {name!r}, expected one of the chapters: {', '.join(chapters())}")


def __dir__():
    return ["chapters", *chapters()]
