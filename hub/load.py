"""A class on one machine: ``python -m hub.load --users 30`` starts a hub and lets each user run a whole chapter.

Every user's server is asked for at once, as when everybody logs in. Each user then brings the notebooks with
nbgitpuller, saves the chapter with its solutions filled in, opens a kernel and runs it from top to bottom. Servers and
kernels stay until the last user is done, and only then is their memory read. All of them share two processor cores.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import statistics
import sys
import time
from contextlib import nullcontext, suppress
from datetime import date
from pathlib import Path

import psutil

from course_utils.files import aside
from hub.client import CellError, User
from hub.process import Running, fresh_hub
from hub.start import ROOT
from tools.notebooks import chapters, tags, to_notebook

CORES = 2
LEARNER = "learner-"          # and a number: their names
TARGET = 600                # MiB of resident memory for one user, server and kernel together


async def one_user(user: User, repository: str, notebook, path: str, turn: asyncio.Semaphore) -> dict:
    """Do what a learner does, and say how long it took or what went wrong."""
    found = {"user": user.name, "error": None, "cells": []}
    try:
        await user.create()
        found["ready"] = await user.start()
        async with turn:
            await user.pull(repository)
            await user.save(path, notebook)
            kernel = await user.open_kernel(path)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    start = time.perf_counter()
                    with suppress(CellError) if "raises-exception" in tags(cell) else nullcontext():
                        if "✗" in (printed := await kernel.run(cell.source)):
                            raise RuntimeError(f"a check said {printed.strip()}")
                    found["cells"].append(time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is the result for this user, and the others go on
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def memory(hub: Running) -> list[dict]:
    """MiB of a learner's server and kernel: resident now, resident at the peak, and the fair share of shared pages."""
    rows = []
    for kind, words in (("server", "jupyterhub-singleuser"), ("kernel", "ipykernel_launcher")):
        for process in hub.commands(words):
            if not process.environ().get("JUPYTERHUB_USER", "").startswith(LEARNER):
                continue
            status = _kilobytes(f"/proc/{process.pid}/status")
            rollup = _kilobytes(f"/proc/{process.pid}/smaps_rollup")
            rows.append({"kind": kind, "resident": status["VmRSS"], "peak": status["VmHWM"], "share": rollup["Pss"]})
    return rows


def _kilobytes(path: str) -> dict[str, float]:
    """The lines of a file of Linux that give kilobytes, in MiB."""
    lines = (line.split() for line in Path(path).read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[-1] == "kB"}


async def whole_class(hub: Running, users: int, at_once: int, repository: str, chapter: Path) -> list[dict]:
    """Let all users run a chapter, `at_once` of them at any time."""
    notebook = to_notebook(chapter.read_text(encoding="utf-8"))
    path = f"{repository.rpartition('/')[2]}/{chapter.parent.name}/{chapter.stem}.ipynb"
    turn = asyncio.Semaphore(at_once)
    learners = [User(hub.url, f"{LEARNER}{i:02}", hub.token) for i in range(1, users + 1)]
    return await asyncio.gather(*(one_user(learner, repository, notebook, path, turn) for learner in learners))


def summary(results: list[dict], used: list[dict], about: dict) -> dict:
    """The numbers of the report."""
    cells = [seconds for result in results for seconds in result["cells"]]
    ready = [result["ready"] for result in results if "ready" in result]
    found = {**about, "finished": sum(result["error"] is None for result in results),
             "errors": sorted({result["error"] for result in results if result["error"]}),
             "seconds_to_ready": {"median": percentile(ready, 50), "p95": percentile(ready, 95)},
             "seconds_of_a_cell": {"median": percentile(cells, 50), "p95": percentile(cells, 95)}}
    for kind in ("server", "kernel"):
        rows = [row for row in used if row["kind"] == kind]
        found[kind] = {key: percentile([row[key] for row in rows], 50) for key in ("resident", "peak", "share")}
    found["user"] = {key: round(found["server"][key] + found["kernel"][key], 1) for key in found["server"]}
    return found


def percentile(values: list[float], percent: int) -> float:
    """A percentile, rounded; nan of nothing."""
    if len(values) < 2:
        return round(values[0], 2) if values else float("nan")
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 2)


def table(found: dict) -> str:
    """The report as Markdown, as hub/README.md shows it."""
    rows = [f"| {kind} | " + " | ".join(f"{found[kind][key]:.0f}" for key in ("resident", "peak", "share")) + " |"
            for kind in ("server", "kernel", "user")]
    ready, cell = found["seconds_to_ready"], found["seconds_of_a_cell"]
    return "\n".join([
        f"{found['finished']} of {found['users']} users ran {found['chapter']} to its end in {found['minutes']} "
        f"minutes, {found['at_once']} at once, on {found['cores']} cores ({found['date']}, {found['machine']}).",
        f"Seconds until a server was ready: {ready['median']:.1f} (median), {ready['p95']:.1f} (p95). "
        f"Seconds of a cell: {cell['median']:.2f} (median), {cell['p95']:.1f} (p95).",
        "",
        "| MiB, median of the users | resident at the end | resident at the peak | fair share |",
        "|---|--:|--:|--:|",
        *rows,
    ])


def record(found: dict) -> None:
    """Keep the numbers in ``hub/measured.json`` and show them in ``hub/README.md``."""
    hub = Path(__file__).parent
    before, mark, rest = (hub / "README.md").read_text(encoding="utf-8").partition("<!-- measured -->\n")
    after = rest.partition("<!-- /measured -->")[2]
    _write(hub / "measured.json", json.dumps(found, indent=1) + "\n")
    _write(hub / "README.md", f"{before}{mark}{table(found)}\n<!-- /measured -->{after}")


def _write(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    with aside(path) as new:
        new.write_text(text, encoding="utf-8")


def main() -> None:
    """Run a class, print the report and write it to ``_build/hub-test.json``."""
    parser = argparse.ArgumentParser(description="Let many users of a hub run a chapter.")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--at-once", type=int, help="how many run the chapter at the same time (default: all)")
    parser.add_argument("--chapter", default="02", help="number of the chapter")
    parser.add_argument("--record", action="store_true", help="write the report into hub/README.md, too")
    options = parser.parse_args()
    chapter = next((path for path in chapters() if path.name.startswith(f"{options.chapter}_")), None)
    if chapter is None:
        sys.exit(f"found no chapter {options.chapter}, expected a number such as 02")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))     # as Ctrl-C does: everything is stopped
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    at_once = options.at_once or options.users
    with fresh_hub() as (hub, repository):
        start = time.perf_counter()
        results = asyncio.run(whole_class(hub, options.users, at_once, f"file://{repository}", chapter))
        minutes = (time.perf_counter() - start) / 60
        used = memory(hub)
    about = {"users": options.users, "at_once": at_once, "chapter": chapter.stem, "minutes": round(minutes, 1),
             "cores": CORES, "date": date.today().isoformat(), "machine": machine()}
    found = summary(results, used, about)
    _write(ROOT / "_build" / "hub-test.json", json.dumps(found, indent=1) + "\n")
    print(table(found), *(f"✗ {error}" for error in found["errors"]), sep="\n")
    if options.record:
        record(found)
    if found["finished"] < options.users:
        sys.exit(f"found {options.users - found['finished']} users who did not get to the end, expected none")


def machine() -> str:
    """The processor and the memory of this machine."""
    model = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return f"{model[0] if model else platform.machine()}, {psutil.virtual_memory().total / 2**30:.0f} GiB"


if __name__ == "__main__":
    main()
