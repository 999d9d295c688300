"""What each chapter takes of a reader's machine: seconds and memory of its notebook, run alone.

    python -m benchmarks.book               all chapters, added to _build/bench.json
    python -m benchmarks.book 03 unet       those whose names contain a word
    python -m benchmarks.book --record      all, into the record that the book and the doctor show; on a quiet machine

Every notebook gets a kernel of its own and, as at a reader's, a thread for each core.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import _results
from course_utils import recorded
from course_utils.budgets import measured
from course_utils.preflight.chapters import KEPT
from course_utils.preflight.machine import training_step
from course_utils.runtime import describe_machine
from tools import notebooks
from tools.execution import execute

COMMAND = "python -m benchmarks.book --record"
QUIET = 0.6                      # processes that wait for a core, on average over a minute


def run(words: list[str]) -> dict[str, Any]:
    """Run the chapters whose names contain one of the words, or all, one after another.

    Args:
        words: parts of file names; empty for all.

    Returns:
        ``notebooks``: what each took, by path; ``book_seconds`` if it was all of them.

    Raises:
        SystemExit: no chapter's name contains any of the words.
    """
    every = notebooks.chapters()
    chosen = [chapter for chapter in every if not words or any(word in chapter.stem for word in words)]
    if not chosen:
        sys.exit(f"found no chapter with {' or '.join(words)} in its name, expected a part of one of: "
                 f"{', '.join(chapter.stem for chapter in every)}")
    os.environ.setdefault("COURSE_CACHE", str(notebooks.ROOT / "_build" / "cache"))
    for kept in KEPT.values():          # simulated when first used, once for all chapters: no chapter's time holds it
        kept.make()
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        written = {path.stem: path for path in notebooks.build(Path(folder) / "book")}
        for chapter in chosen:
            _, usage = execute(written[chapter.stem])
            took[chapter.relative_to(notebooks.ROOT).as_posix()] = usage.as_dict()
            print(f"{chapter.stem:18} {usage.seconds:6.1f} s, {usage.cpu_seconds:6.1f} s of processors, "
                  f"{usage.peak_rss_mb:5.0f} MB", flush=True)
    whole = {"book_seconds": round(sum(one["seconds"] for one in took.values()), 1)} if chosen == every else {}
    return {**whole, "notebooks": took}


def main() -> dict[str, Any]:
    """Run all chapters."""
    return run([])


def record() -> None:
    """Run all chapters on a quiet machine and keep what they took in the package.

    Raises:
        SystemExit: the machine has other work, so the times would be too long.
    """
    busy = os.getloadavg()[0]
    if busy > QUIET:
        sys.exit(f"found a load of {busy:.1f}, expected a quiet machine (below {QUIET}): end what runs, wait a minute")
    found = run([])
    step = {"training_step": round(training_step(), 4)}
    recorded.save_results("chapters", {"machine": describe_machine(), **step, **found}, COMMAND, [])
    _results.store(_results.stored() | found)
    print(measured())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="parts of chapters' names")
    parser.add_argument("--record", action="store_true", help="all chapters, into the package's record")
    options = parser.parse_args()
    if options.record:
        record()
    else:
        before, found = _results.stored(), run(options.words)
        found["notebooks"] = {**before.get("notebooks", {}), **found["notebooks"]}
        _results.store(before | found)
        print(", ".join(f"{key} {value}" for key, value in describe_machine().items()))
