"""Try the newest version of everything that is pinned, and say what breaks: `make canary`.

Nothing of the course is changed: the versions go into an environment of their own, the report into `_build/canary.txt`.
Tests that fail are run again. When they fail twice, each package that has moved is put back to its pin, alone: the
package with which they then pass is the one to look at. `--tests` and `--chapters` choose a sample.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from course_utils.files import aside
from tools.notebooks import ROOT

FOLDER = ROOT / ".venv-canary"
REPORT = ROOT / "_build" / "canary.txt"
NOT_UNIT = ("book", "notebooks", "hub")         # as for `make unit`: they need the site, nbval's options, a hub
HELD = {"jupyter-book": ("<2", "Jupyter Book 2 reads neither _config.yml nor _toc.yml")}
PIN = re.compile(r"^([\w.-]+)==([^\s#]+)", re.MULTILINE)
FAILED = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+)", re.MULTILINE)        # all cases of a test that has several


@dataclass(frozen=True)
class Moved:
    """A package whose newest version is not the pinned one.

    Attributes:
        name: its name.
        pinned: the version that the course is tested with.
        newest: the newest that there is.
        tried: the one that was installed: the newest that goes with the others, or that is not held back.
    """

    name: str
    pinned: str
    newest: str
    tried: str


def normal(name: str) -> str:
    """A package's name as the registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(*files: Path) -> dict[str, str]:
    """The pinned versions of requirement files, by normal name."""
    return {normal(name): version for file in files for name, version in PIN.findall(file.read_text(encoding="utf-8"))}


def moved(pinned: dict[str, str], installed: dict[str, str], outdated: dict[str, str]) -> list[Moved]:
    """The packages that differ from their pins; `outdated` has the newest of those that pip did not take."""
    found = (Moved(name, version, outdated.get(name, installed.get(name, "")), installed.get(name, "not installed"))
             for name, version in sorted(pinned.items()))
    return [one for one in found if (one.newest, one.tried) != (one.pinned, one.pinned)]


def blame(failed: set[str], candidates: list[Moved], run: Callable[[set[str]], set[str]],
          put: Callable[[str, str], None]) -> dict[str, set[str]]:
    """Find for failing tests the package whose pin cures them.

    Args:
        failed: the tests.
        candidates: packages that have moved.
        run: runs tests, returns those that fail.
        put: installs one version of one package and nothing else.

    Returns:
        The tests that pass when a package is as pinned, by its name; by "" those that no single one cures.
    """
    guilty, left = {}, set(failed)
    for one in candidates:
        if not left:
            break
        put(one.name, one.pinned)
        cured = left - run(left)
        put(one.name, one.tried)
        if cured:
            guilty[one.name] = cured
            left -= cured
    return guilty | ({"": left} if left else {})


def table(packages: list[Moved], guilty: dict[str, set[str]], failed: set[str],
          unsteady: set[str] = frozenset()) -> str:
    """The report: a line for each package that has moved, then the tests that broke, and those that broke only once."""
    def result(one: Moved) -> str:
        if one.name in guilty:
            return f"breaks {len(guilty[one.name])}: {', '.join(sorted(guilty[one.name])[:3])}"
        if one.tried != one.pinned:
            return "works" if not guilty.get("") else "not the only cause of what fails"
        return f"held: {HELD[one.name][1]}" if one.name in HELD else "held by another package"

    rows = [("package", "pinned", "newest", "tried", "result"),
            *((one.name, one.pinned, one.newest, one.tried, result(one)) for one in packages)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += ["", f"failed: {len(failed)}", *(f"  {test}" for test in sorted(failed))]
    for heading, tests in (("no single pin cures (do they pass with all?)", guilty.get("")),
                           ("failed, then passed with the same versions", unsteady)):
        lines += [heading, *(f"  {test}" for test in sorted(tests))] if tests else []
    return "\n".join(lines)


# --- the environment, and what is run in it ---------------------------------------------------------

def python(*arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
    """Run the canary environment's Python at the root of the course; programs that it starts are that environment's."""
    path = os.pathsep.join([str(FOLDER / "bin"), os.environ["PATH"]])
    return subprocess.run([FOLDER / "bin" / "python", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PATH": path, **environment}, check=check)


def listed(*options: str, key: str = "version") -> dict[str, str]:
    """What pip lists: versions by normal name, without the mark of a build."""
    found = json.loads(python("-m", "pip", "list", "--format", "json", *options).stdout)
    return {normal(one["name"]): one[key].split("+")[0] for one in found}


def install(names: list[str]) -> None:
    """Make the environment, or renew it, with the newest versions."""
    if not (FOLDER / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    wanted = [name + HELD.get(name, ("",))[0] for name in names]
    python("-m", "pip", "install", "--quiet", "--upgrade", "--upgrade-strategy", "eager", *wanted)
    python("-m", "pip", "install", "--quiet", "--no-deps", "-e", ".")


def put(name: str, version: str) -> None:
    """Install one version of one package, whatever the others ask for."""
    python("-m", "pip", "install", "--quiet", "--no-deps", f"{name}=={version}")


def run(tests: set[str], processes: str) -> set[str]:
    """Run tests and notebooks; those that fail, a notebook as a whole."""
    notebooks = {test.partition("::")[0] for test in tests if ".ipynb" in test}
    nbval = ("-p", "tests.notebooks.plugin", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300",
             "--dist", "loadscope")
    others = {test for test in tests if ".ipynb" not in test}
    return (_failing(others, processes, *(f"--ignore=tests/{folder}" for folder in NOT_UNIT))
            | {test.partition("::")[0] for test in _failing(notebooks, processes, *nbval)})


def _failing(tests: set[str], processes: str, *options: str) -> set[str]:
    """The tests of which pytest says that they fail; all of them if it cannot even begin."""
    if not tests:
        return set()
    done = python("-m", "pytest", "-q", "-rfE", "--tb=no", "-n", processes, *options, *sorted(tests), check=False,
                  OMP_NUM_THREADS="1")
    return set(FAILED.findall(done.stdout)) or (tests if done.returncode else set())


def main(arguments: list[str] | None = None) -> int:
    """Install, test, blame, report.

    Args:
        arguments: of the command line.

    Returns:
        1 if something breaks.
    """
    parser = argparse.ArgumentParser(prog="make canary", description=__doc__.splitlines()[0])
    parser.add_argument("--tests", nargs="*", default=["tests"], help="files or folders of tests (default: all)")
    parser.add_argument("--chapters", nargs="*", default=[""], help="numbers of chapters (default: all)")
    parser.add_argument("--processes", default="2", help="that run tests side by side (default: 2)")
    options = parser.parse_args(arguments)

    required = pins(ROOT / "requirements.txt")
    print(f"installing the newest of {len(required)} packages in {FOLDER.name}; this takes minutes", flush=True)
    install(list(required))
    pinned = required | pins(ROOT / "constraints.txt")
    packages = moved(pinned, listed(), listed("--outdated", key="latest_version"))
    python("-m", "tools.notebooks")
    notebooks = [path.relative_to(ROOT).as_posix() for path in (ROOT / "_build" / "notebooks").glob("*/*.ipynb")
                 if path.name.startswith(tuple(options.chapters))]
    tests = {*options.tests, *notebooks}
    print(f"{sum(one.tried != one.pinned for one in packages)} packages have moved; running the tests", flush=True)
    once = run(tests, options.processes)
    failed = run(once, options.processes) if once else set()
    candidates = [one for one in packages if one.tried not in (one.pinned, "not installed")]
    guilty = blame(failed, candidates, lambda left: run(left, options.processes), put) if failed else {}
    report = table(packages, guilty, failed, once - failed)
    with aside(REPORT) as new:
        new.write_text(report + "\n", encoding="utf-8")
    print(f"\n{report}\n\nkept in {REPORT.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
