"""Where benchmarks leave their numbers: `_build/bench.json`."""

import json
from pathlib import Path
from typing import Any

from course_utils.files import aside
from course_utils.runtime import describe_machine

OUT = Path("_build/bench.json")


def stored() -> dict[str, Any]:
    """What was measured before; empty if nothing was."""
    return json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}


def store(results: dict[str, Any]) -> None:
    """Write results and the machine that gave them; those of earlier times are replaced."""
    with aside(OUT) as new:
        new.write_text(json.dumps({**results, "machine": describe_machine()}, indent=2) + "\n", encoding="utf-8")
