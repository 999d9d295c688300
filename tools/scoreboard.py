"""Collect the scoreboard's recorded rows from the references of the compared cells named `…-scoreboard`.

    python tools/scoreboard.py            write course_utils/scoreboard.json
    python tools/scoreboard.py --check    only say whether it is up to date (exit code 1 if not)

`make references` runs this after it has written the references.
"""

import argparse
import json
import sys
from pathlib import Path

from course_utils.files import aside
from course_utils.scoreboard import Row, dumps

ROOT = Path(__file__).resolve().parents[1]
REFERENCES = ROOT / "tests/notebooks/references"
STORED = ROOT / "course_utils/scoreboard.json"


def collect(references: Path) -> str:
    """The text of scoreboard.json that follows from a folder of references."""
    rows = []
    for path in sorted(references.glob("*.json")):
        for name, cell in json.loads(path.read_text(encoding="utf-8")).items():
            if name.endswith("-scoreboard"):
                rows += [Row.parse(line) for line in cell["text"].replace("|\n", "| ").splitlines()
                         if line.strip()]
    return dumps(rows)


def main(arguments=None) -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(arguments)
    text = collect(REFERENCES)
    current = STORED.is_file() and STORED.read_text(encoding="utf-8") == text
    if not options.check and not current:
        with aside(STORED) as new:
            new.write_text(text, encoding="utf-8")
    state = "up to date" if current else "out of date" if options.check else "rewritten"
    print(f"{STORED.relative_to(ROOT)} is {state}")
    return 1 if options.check and not current else 0


if __name__ == "__main__":
    sys.exit(main())
