"""Expectations that a checker states about an answer. Each rejects with found / expected / likely cause.

Every function takes what the learner's code produced first and never puts a wanted value into its message.
``cause`` names the most likely slip. ``slips`` are pairs (the value that a known slip leads to, its cause).
"""

import numbers
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from course_utils.checks.core import RejectedError, describe

__all__ = [
    "expect_choice",
    "expect_close",
    "expect_dtype",
    "expect_equal",
    "expect_parts",
    "expect_property",
    "expect_raises",
    "expect_range",
    "expect_shape",
    "expect_type",
]


def expect_type(got, types: type | tuple[type, ...], *, expected: str = "", cause: str = "") -> None:
    """Expect an instance of one of some types.

    Args:
        got: any value.
        types: one type, or a tuple of them.
        expected: what is wanted, in words; the names of the types if empty.
        cause: the likely cause.

    Raises:
        RejectedError: it is of another type.
    """
    if not isinstance(got, types):
        names = " or ".join(t.__name__ for t in (types if isinstance(types, tuple) else (types,)))
        raise RejectedError(f"{describe(got)}, of type {type(got).__name__}", expected or names, cause)


def expect_parts(got, count: int, parts: str = "", *, cause: str = "") -> tuple:
    """Expect a tuple or list of so many parts.

    Args:
        got: any value.
        count: how many parts.
        parts: what they are, in words, in order; answers as the stub has them if empty.
        cause: the likely cause.

    Returns:
        The parts.

    Raises:
        RejectedError: it is neither, or has more or fewer parts.
    """
    expected = parts or f"{count} answers in order, as in the stub"
    expect_type(got, (tuple, list), expected=expected, cause=cause)
    if len(got) != count:
        raise RejectedError(f"a {type(got).__name__} of length {len(got)}", expected, cause)
    return tuple(got)


def expect_shape(got, shape: Sequence[int], *, cause: str = "") -> None:
    """Expect a tensor or array of a shape.

    Args:
        got: a tensor, array, number or nested list of numbers.
        shape: its shape.
        cause: the likely cause.

    Raises:
        RejectedError: it is neither, or of another shape.
    """
    if np.shape(_as_array(got)) != tuple(shape):
        raise RejectedError(describe(got), f"shape {tuple(shape)}", cause)


def expect_dtype(got, *dtypes, cause: str = "") -> None:
    """Expect one of some dtypes; numpy and torch dtypes of the same name are the same.

    Args:
        got: a tensor or array.
        dtypes: for example ``torch.float32``, or ``torch.float32, torch.float64``.
        cause: the likely cause; a general one is given if empty.

    Raises:
        RejectedError: it is neither tensor nor array, or has another dtype.
    """
    _as_array(got)
    names = [_dtype_name(dtype) for dtype in dtypes]
    if not hasattr(got, "dtype") or _dtype_name(got.dtype) not in names:
        wide = "float64" in str(getattr(got, "dtype", "")) and "float32" in names
        general = "numpy and Python numbers are float64; convert before or after the arithmetic" if wide else ""
        raise RejectedError(describe(got), f"dtype {' or '.join(names)}", cause or general)


def expect_range(got, low: float, high: float, *, cause: str = "") -> None:
    """Expect finite values from ``low`` to ``high``, both included.

    Args:
        got: a tensor, array, number or nested list of numbers.
        low: the smallest value.
        high: the largest value.
        cause: the likely cause; a division by zero is named for values that are not finite if empty.

    Raises:
        RejectedError: a value is outside, infinite or NaN.
    """
    values = _as_array(got)
    if not np.isfinite(values).all():
        raise RejectedError("values that are NaN or infinite", f"finite values from {low:g} to {high:g}",
                            cause or "a division by zero")
    if values.size and not (values.min() >= low and values.max() <= high):
        raise RejectedError(f"values from {values.min():.6g} to {values.max():.6g}",
                            f"values from {low:g} to {high:g}", cause)


def expect_property(holds, found: str, expected: str, *, cause: str = "") -> None:
    """Expect anything else that can be said in words.

    Args:
        holds: whether the property holds; a Python, numpy or torch truth value.
        found: what is so instead; the learner's own values may be shown.
        expected: the property.
        cause: the likely cause.

    Raises:
        RejectedError: it does not hold.
    """
    if not bool(holds):
        raise RejectedError(found, expected, cause)


def expect_close(got, want, *, expected: str = "", cause: str = "", slips: Sequence[tuple] = (),
                 rtol: float = 1e-5, atol: float = 1e-7) -> None:
    """Expect the same shape and, everywhere, the same values up to rounding.

    Args:
        got: a tensor, array, number or nested list of numbers.
        want: the wanted values; they are never shown.
        expected: what the values are, in words, without giving them.
        cause: the likely cause if none of the slips fits.
        slips: pairs (values that a known slip leads to, its cause).
        rtol: tolerance relative to the wanted value.
        atol: absolute tolerance.

    Raises:
        RejectedError: a shape or a value differs. The message shows the learner's value at the first place that
            differs and whether it is too high or too low.
    """
    got_values, want_values = _as_array(got), _as_array(want)
    if _close(got_values, want_values, rtol, atol):
        return
    slip = next((why for value, why in slips if _close(got_values, _as_array(value), rtol, atol)), "")
    if got_values.shape != want_values.shape:
        shape = f"shape {want_values.shape}" if want_values.ndim else "a single number"
        raise RejectedError(describe(got), f"{shape}{': ' if expected else ''}{expected}", slip)
    bad = ~np.isclose(got_values, want_values, rtol=rtol, atol=atol, equal_nan=True)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    mine, wanted = got_values[first], want_values[first]
    count = f"{int(bad.sum())} of {bad.size} values differ; the first at {list(first)}, where yours is "
    shown = str(mine.item()) if mine.dtype.kind == "b" else f"{mine.item():.6g}"
    found = f"{count if first else ''}{shown}{_direction(mine, wanted)}"
    raise RejectedError(found, expected, slip or (cause if np.isfinite(mine) else "a division by zero"))


def expect_equal(got, want, *, expected: str = "", cause: str = "", slips: Sequence[tuple] = ()) -> None:
    """Expect exactly the same number, text, truth value, or sequence of these.

    Args:
        got: a value; a tuple, a list and a ``torch.Size`` are the same.
        want: the wanted value; it is never shown.
        expected: what it is, in words, without giving it.
        cause: the likely cause if none of the slips fits.
        slips: pairs (the value that a known slip leads to, its cause).

    Raises:
        RejectedError: it differs. A number is called too high or too low; of a sequence the first wrong part is named.
    """
    plain, target = _plain(got), _plain(want)
    if _same(plain, target):
        return
    cause = next((why for value, why in slips if _same(plain, _plain(value))), cause)
    detail = ""
    if isinstance(target, tuple):
        if not isinstance(plain, tuple) or len(plain) != len(target):
            expected = f"{len(target)} values in order{': ' if expected else ''}{expected}"
        else:
            pairs = enumerate(zip(plain, target, strict=True), start=1)
            detail = f", of which part {next(n for n, pair in pairs if not _same(*pair))} is not right"
    elif _is_number(plain) and _is_number(target):
        detail = _direction(plain, target)
    raise RejectedError(f"{describe(got)}{detail}", expected, cause)


def expect_choice(got, right: str, wrong: Mapping[str, str]) -> None:
    """Expect one of a few named choices, and say for each wrong one what speaks against it.

    Args:
        got: the learner's choice, for example "b"; case and outer spaces do not matter.
        right: the right choice.
        wrong: each other choice and the reasoning slip behind it.

    Raises:
        RejectedError: it is a wrong choice or not one of them.
    """
    choice = got.strip().lower() if isinstance(got, str) else got
    if choice == right.lower():
        return
    causes = {name.lower(): cause for name, cause in wrong.items()}
    names = ", ".join(repr(name) for name in sorted([right, *wrong]))
    cause = causes.get(choice, "") if isinstance(choice, str) else ""
    raise RejectedError(repr(got), "another choice" if cause else f"one of {names}", cause)


def expect_raises(function: Callable, *inputs, error: type[Exception], words: str = "", cause: str = "") -> None:
    """Expect the learner's code to refuse an input.

    Args:
        function: the learner's function or class.
        inputs: what it must refuse.
        error: the exception that it must raise.
        words: a text that the message must contain.
        cause: the likely cause.

    Raises:
        RejectedError: it returned, raised another exception, or one without those words.
    """
    expected = f"{error.__name__}{f' with {words!r} in its message' if words else ''}"
    given = ", ".join(describe(value) for value in inputs)
    try:
        function(*inputs)
    except error as raised:
        if words not in str(raised):
            raise RejectedError(f"{error.__name__}: {raised}", expected, cause) from raised
    except Exception as other:
        raise RejectedError(f"{type(other).__name__}: {other}, when given {given}", expected, cause) from other
    else:
        raise RejectedError(f"no error when given {given}", expected, cause)


def _as_array(value) -> np.ndarray:
    """Convert numbers, nested lists, arrays and tensors; reject everything else."""
    try:
        if isinstance(value, Sequence) and any(torch.is_tensor(part) for part in value):
            value = torch.stack([torch.as_tensor(part) for part in value])
        array = value.detach().cpu().numpy() if torch.is_tensor(value) else np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise RejectedError(describe(value), "numbers in rows of equal length", "") from error
    if array.dtype.kind not in "biuf":
        raise RejectedError(f"{describe(value)}, of type {type(value).__name__}", "a tensor, an array or a number", "")
    return array


def _close(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> bool:
    """Whether shapes are the same and values are, up to rounding; NaN is NaN."""
    return a.shape == b.shape and np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)


def _dtype_name(dtype) -> str:
    """The name that numpy and torch share."""
    return str(dtype if isinstance(dtype, torch.dtype) else np.dtype(dtype)).removeprefix("torch.")


def _plain(value):
    """Reduce tensors, arrays and sequences to numbers and tuples."""
    if torch.is_tensor(value) or isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(_plain(part) for part in value) if isinstance(value, list | tuple) else value


def _same(a, b) -> bool:
    """Compare exactly, True being no 1 and "3" no 3."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and type(a == b) is bool and a == b


def _is_number(value) -> bool:
    """Whether a value is a number; True is none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _direction(mine, wanted) -> str:
    """Too high or too low, where that can be said."""
    if isinstance(mine, bool | np.bool_) or not np.isfinite([float(mine), float(wanted)]).all():
        return ""
    return ", which is too high" if mine > wanted else ", which is too low"
