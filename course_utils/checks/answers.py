"""What a learner answers: run safely, described in words, refused while it is still a stub."""

from collections.abc import Callable

import numpy as np
import torch


class RejectedError(Exception):
    """An expectation that does not hold: what was found, what was expected in kind, and the likely cause.

    Args:
        found: what the answer is or did. The learner's own values may be shown, never the wanted ones.
        expected: shape, dtype, range or property. Never the answer.
        cause: the slip that most often leads here; empty if there is none to name.
    """

    def __init__(self, found: str, expected: str = "", cause: str = ""):
        super().__init__(found)
        self.found, self.expected, self.cause = found, expected, cause


def call(function: Callable, *inputs, in_place: bool = False):
    """Run a learner's function and give its result back, or reject with what happened.

    Args:
        function: the learner's function or class.
        inputs: what to call it with. Tensors and arrays must come back unchanged.
        in_place: allow the function to change its inputs.

    Returns:
        What the function returned, never None and never a tuple with an empty place.

    Raises:
        RejectedError: it is not callable, it raised, it changed an input, or it returned nothing.
    """
    if not callable(function):
        raise RejectedError(describe(function), "a function", "the function was called and its result passed to "
                            "the check: pass its name, without parentheses")
    before = [value.clone() if torch.is_tensor(value) else np.copy(value) if isinstance(value, np.ndarray) else None
              for value in inputs]
    given = ", ".join(describe(value) for value in inputs) or "no argument"
    try:
        result = function(*inputs)
    except RejectedError:
        raise
    except Exception as error:
        raise RejectedError(f"your code raised {type(error).__name__}: {error}, when given {given}",
                            "a result without an error", _cause_of(error)) from error
    if not in_place:
        for value, copy in zip(inputs, before, strict=True):
            if copy is not None and not _identical(value, copy):
                raise RejectedError("your code changed its input", "the input left as it was",
                                    "an operation in place (`+=`, `[...] =`, a method ending in `_`) on the argument "
                                    "or on a view of it")
    require_filled(result, "what your code returns")
    return result


def require_filled(value, what: str = "your answer") -> None:
    """Reject an answer that is still a stub: ``...``, None, or a function or class with nothing inside.

    Args:
        value: the answer, a part of it, or what a learner's function returned.
        what: how to call it in the message.

    Raises:
        RejectedError: the value, or one part of a tuple, list or dictionary, is not filled in.
    """
    hollow = value is None or value is ... or _is_hollow(value)
    if not hollow and isinstance(value, tuple | list | dict):
        places = value.items() if isinstance(value, dict) else enumerate(value, start=1)
        for place, part in places:
            if part is None or part is ...:
                hollow, what = True, f"{what}, part {place!r},"
                break
    if hollow:
        raise RejectedError(f"{what} is not filled in yet", "your own code in place of `...`",
                            "a function without `return` gives back None" if what.startswith("what") else "")


def describe(value) -> str:
    """Describe a value in words.

    Args:
        value: anything.

    Returns:
        Type, dtype and shape of an array; of anything else the value itself if it is short.
    """
    if torch.is_tensor(value) or isinstance(value, np.ndarray):
        kind = "tensor" if torch.is_tensor(value) else "numpy array"
        dtype = str(value.dtype).removeprefix("torch.")
        single = f" with value {value.item():.6g}" if value.ndim == 0 else ""
        return f"a {dtype} {kind} of shape {tuple(value.shape)}{single}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    text = " ".join(repr(value).split())                   # a network's takes many lines
    return text if len(text) <= 60 else f"a {type(value).__name__}, {text[:50]} …"


def _identical(a, b) -> bool:
    """Whether two arrays or tensors hold the same numbers, NaN being NaN."""
    if torch.is_tensor(a):
        a, b = a.detach().cpu().numpy(), b.detach().cpu().numpy()
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


# What hollow functions compile to, with and without a docstring.
def _bare(): ...


def _documented():
    """Only a docstring."""


def _is_hollow(value) -> bool:
    """Tell whether a function, or any method of a class, has no body but ``...`` or ``pass``."""
    if isinstance(value, type):
        methods = [part for part in vars(value).values() if hasattr(part, "__code__")]
        return value.__module__ != "builtins" and (not methods or any(map(_is_hollow, methods)))
    code = getattr(value, "__code__", None)
    empty = (_bare.__code__.co_code, _documented.__code__.co_code)
    return code is not None and code.co_code in empty and code.co_consts[-1] is None


_CAUSES = (      # (exception, words in its message, likely cause)
    (TypeError, "argument", "the arguments are not those of the stub"),
    (TypeError, "NoneType", "a function that changes its argument in place returns nothing"),
    (NameError, "", "a name that is not defined inside the function; is it an argument, or not imported yet?"),
    (AttributeError, "ndarray", "a torch method called on a numpy array"),
    (AttributeError, "Tensor", "a numpy method called on a torch tensor"),
    (IndexError, "", "an axis or an index too far; compare with the shape of the input"),
    (ZeroDivisionError, "", "a division by 0; before dividing, ask whether the divisor can be 0"),
    (RuntimeError, "must match", "shapes that do not broadcast; write them below each other, aligned on the right"),
    (ValueError, "broadcast", "shapes that do not broadcast; write them below each other, aligned on the right"),
)


def _cause_of(error: Exception) -> str:
    """The likely cause of an exception in a learner's code."""
    for kind, words, cause in _CAUSES:
        if isinstance(error, kind) and words in str(error):
            return cause
    return "call your function on a small input of your own and read the traceback from below"
