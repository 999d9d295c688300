"""Run every benchmark, print a table, write `_build/bench.json`.

`make bench` runs all of them but those that need asking for, `python -m benchmarks dense fit` those that are named.
"""

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks import _results
from course_utils.runtime import describe_machine

ON_DEMAND = {"accelerator"}           # run when asked for by name


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all but those on demand, and add their results to those already written."""
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_")]
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"found benchmark {', '.join(unknown)}, expected some of: {', '.join(known)}")
    machine = describe_machine()
    results = _results.stored() if names else {}
    print(", ".join(f"{k} {v}" for k, v in machine.items()))
    for name in names or [name for name in known if name not in ON_DEMAND]:
        module = importlib.import_module(f"benchmarks.{name}")
        measured = module.main()
        results |= measured
        for key, value in measured.items():
            if isinstance(value, float):
                print(f"{key:24} {value:12.6g}   {module.__doc__.splitlines()[0]}", flush=True)
    _results.store(results)


if __name__ == "__main__":
    main(sys.argv[1:])
