"""Run every benchmark, print a table, write `_build/bench.json`.

`make bench` runs all of them but those that take minutes, `python -m benchmarks dense fit` those that are named.
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

import benchmarks
from course_utils.files import aside
from course_utils.runtime import describe_machine

OUT = Path("_build/bench.json")
MINUTES = {"accelerator"}             # run when asked for by name


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all that take seconds, and add their results to those already written."""
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_")]
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"found benchmark {', '.join(unknown)}, expected some of: {', '.join(known)}")
    machine = describe_machine()
    results = json.loads(OUT.read_text(encoding="utf-8")) if names and OUT.exists() else {}
    results["machine"] = machine
    print(", ".join(f"{k} {v}" for k, v in machine.items()))
    for name in names or [name for name in known if name not in MINUTES]:
        module = importlib.import_module(f"benchmarks.{name}")
        measured = module.main()
        results |= measured
        for key, value in measured.items():
            print(f"{key:24} {value:12.6g}   {module.__doc__.splitlines()[0]}", flush=True)
    with aside(OUT) as new:
        new.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
