"""How a checker is made and what it says: verdicts and hints. How a learner's function is run: `answers.py`.

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

from course_utils.checks.answers import RejectedError, call, describe, require_filled
from course_utils.progress import record as progress

__all__ = ["Checker", "RejectedError", "Verdict", "call", "describe", "exercise", "exercises", "require_filled"]


@dataclass(frozen=True)
class Verdict:
    """What a checker concluded.

    Attributes:
        passed: whether the answer passed.
        message: the text to show, without hints.
        filled: whether there was an answer, not an untouched stub.
    """

    passed: bool
    message: str
    filled: bool = True


class Checker:
    """A checker that can be called on an answer; made by the decorator `exercise`.

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
        if verdict.filled:
            progress.note(self.name, verdict.passed, min(hint, len(self.hints)))    # off, unless the instructor asks
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
        filled = False
        try:
            require_filled(answer)
            filled = True
            self._function(answer)
        except RejectedError as rejected:
            return Verdict(False, self._failure(rejected), filled)
        except Exception as error:  # noqa: BLE001  (any answer at all may be passed: none may end in a traceback)
            found = f"{describe(answer)}, on which the check stopped with {type(error).__name__}: {error}"
            return Verdict(False, self._failure(RejectedError(
                found, "an answer of the kind that the exercise describes", "another type or number of parts")))
        return Verdict(True, f"✓ {self.name}\n  {self._summary()}")

    def _summary(self) -> str:
        """What has been verified, in one line."""
        return " ".join(self.__doc__.strip().split("\n\n")[0].split())

    def _failure(self, rejected: RejectedError) -> str:
        """The text of a ✗, a line for each thing that there is to say."""
        rows = [("found", rejected.found), ("expected", rejected.expected), ("likely cause", rejected.cause)]
        return "\n".join([f"✗ {self.name}"] + [f"  {label}: {text}" for label, text in rows if text])

    def _more(self, hint: int) -> str:
        """How to get the next hint, or that there is none."""
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


def _wrapped(line: str) -> str:
    """A line, broken where it would not fit a narrow page."""
    return textwrap.fill(line, 76, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
