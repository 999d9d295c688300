"""How a checker is made and what it says: verdicts, hints, and running a learner's function safely.

A checker is a function from an answer to a verdict. It states expectations (``checks.expect``); the first that
does not hold becomes the ✗ message. If all hold, the first sentence of its docstring is printed after ✓, so
write there what has been verified.

Example:
    In ``course_utils/checks/tensors.py``::

        import torch

        from course_utils.checks.core import call, exercise
        from course_utils.checks.expect import expect_close, expect_dtype, expect_range


        @exercise(hints=(
            "Which axis of an image counts the bands?",
            "`image[0]` is red and `image[2]` is blue. Both have shape (H, W).",
        ))
        def cloud_index(answer):
            \"\"\"The index is blue minus red over their sum, per pixel, and 0 where both are 0.\"\"\"
            generator = torch.Generator().manual_seed(1)
            for shape in [(3, 4, 5), (3, 1, 7), (4, 6, 6)]:
                image = torch.rand(shape, generator=generator)
                image[:, 0, 0] = 0                                   # a pixel off the swath
                red, blue = image[0], image[2]
                total = torch.where(red + blue > 0, red + blue, torch.ones_like(red))
                got = call(answer, image)
                expect_dtype(got, torch.float32)
                expect_close(
                    got, (blue - red) / total,
                    expected="one value per pixel, between -1 and 1",
                    cause="the formula",
                    slips=[((red - blue) / total, "red and blue are swapped"),
                           ((blue - red) / (red + blue), "0 / 0 where a pixel has no light")],
                )

    In the chapter: ``check.tensors.cloud_index(cloud_index)``, or with ``hint=2`` for the first two hints.
    In ``tests/exercises/tensors.py``, at least two wrong answers with words that their message must contain::

        WRONG = {
            "cloud_index": [
                (lambda image: image[0] - image[2], "the formula"),
                (lambda image: image * 2, "shape"),
            ],
        }
"""

import functools
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Verdict:
    """What a checker concluded: whether the answer passed, and the text to show (without hints)."""

    passed: bool
    message: str


class Checker:
    """A checker that can be called on an answer; made by the decorator ``exercise``.

    Args:
        function: states the expectations; its docstring says what was verified.
        hints: from a nudge to almost everything.
    """

    def __init__(self, function: Callable, hints: tuple[str, ...]):
        functools.update_wrapper(self, function)
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self.hints = hints
        self._function = function

    def __call__(self, answer, *, hint: int = 0) -> None:
        """Print the verdict on an answer.

        Args:
            answer: what the exercise asks for: a function, a class, a tensor, a number, or a tuple of these.
            hint: how many hints to show if the answer does not pass yet; each says more than the one before.

        Raises:
            ValueError: ``hint`` is not a whole number from 0 up.
        """
        if not isinstance(hint, int) or hint < 0:
            raise ValueError(f"found hint={hint!r}, expected a whole number: 1 is the first hint")
        verdict = self.evaluate(answer)
        lines = [verdict.message]
        if not verdict.passed:
            lines += [f"  hint {n}    {text}" for n, text in enumerate(self.hints[:hint], 1)]
            lines += [self._more(hint)]
        print("\n".join(_wrapped(line) for line in "\n".join(lines).splitlines()))

    def evaluate(self, answer) -> Verdict:
        """Judge an answer without printing.

        Args:
            answer: as for calling the checker.

        Returns:
            The verdict. Its message never contains the right answer.
        """
        try:
            require_filled(answer)
            self._function(answer)
        except RejectedError as rejected:
            return Verdict(False, self._failure(rejected))
        except Exception as error:  # noqa: BLE001  (any answer at all may be passed: none may end in a traceback)
            found = f"{describe(answer)}, on which the check stopped with {type(error).__name__}: {error}"
            return Verdict(False, self._failure(RejectedError(
                found, "an answer of the kind that the exercise describes", "another type or number of parts")))
        return Verdict(True, f"✓ {self.name}\n  {self._summary()}")

    def _summary(self) -> str:
        return " ".join(self.__doc__.strip().split("\n\n")[0].split())

    def _failure(self, rejected: RejectedError) -> str:
        rows = [("found", rejected.found), ("expected", rejected.expected), ("likely cause", rejected.cause)]
        return "\n".join([f"✗ {self.name}"] + [f"  {label}: {text}" for label, text in rows if text])

    def _more(self, hint: int) -> str:
        count = len(self.hints)
        if hint < count:
            return f"  For {'a' if hint == 0 else 'another'} hint, add hint={hint + 1} to the call."
        if hint == count:
            return "  That was the last hint."
        return f"  There {'is' if count == 1 else 'are'} only {count} hint{'s'[:count > 1]}."

    def __repr__(self):
        return f"<check.{self.name}(answer), {len(self.hints)} hints: {self._summary()}>"


def exercise(hints: tuple[str, ...]) -> Callable[[Callable], Checker]:
    """Turn a function that states expectations about an answer into a checker.

    Args:
        hints: from a nudge to almost everything; at least one. None of them is the answer.

    Returns:
        A decorator. The decorated function has one argument, the answer, and a docstring that says what a
        passing answer has been verified to do; it raises ``RejectedError`` through the functions of
        ``checks.expect``.

    Raises:
        TypeError: ``hints`` is empty or a bare string, or the function has no docstring.
    """
    if isinstance(hints, str) or not hints:
        raise TypeError(f"found hints={hints!r}, expected a tuple of at least one hint")

    def decorate(function):
        if not function.__doc__:
            raise TypeError(f"{function.__name__} has no docstring; write what a passing answer was verified to do")
        return Checker(function, tuple(hints))

    return decorate


def exercises(module) -> dict[str, Checker]:
    """List the checkers of a chapter.

    Args:
        module: a chapter's module of checkers.

    Returns:
        The checkers by the name of their exercise, in the order of the module.
    """
    return {name: value for name, value in vars(module).items() if isinstance(value, Checker)}


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
    if isinstance(value, type) or callable(value):
        return f"the {'class' if isinstance(value, type) else 'function'} {getattr(value, '__name__', value)!s}"
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}, {text[:50]} …"


def _identical(a, b) -> bool:
    if torch.is_tensor(a):
        a, b = a.detach().cpu().numpy(), b.detach().cpu().numpy()
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


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
    (NameError, "", "a name that is not defined inside the function; is it one of the arguments?"),
    (AttributeError, "ndarray", "a torch method called on a numpy array"),
    (AttributeError, "Tensor", "a numpy method called on a torch tensor"),
    (IndexError, "", "an axis or an index too far; compare with the shape of the input"),
    (ZeroDivisionError, "", "a division by 0; before dividing, ask whether the divisor can be 0"),
    (RuntimeError, "must match", "shapes that do not broadcast; write them below each other, aligned on the right"),
    (ValueError, "broadcast", "shapes that do not broadcast; write them below each other, aligned on the right"),
)


def _cause_of(error: Exception) -> str:
    for kind, words, cause in _CAUSES:
        if isinstance(error, kind) and words in str(error):
            return cause
    return "call your function on a small input of your own and read the traceback from below"


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 76, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
