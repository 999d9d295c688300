"""The command line: what follows ``python -m course_utils``, from ``doctor`` to ``score``."""

import argparse
import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from course_utils import __version__
from course_utils.progress.record import FILE


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows ``python -m course_utils``; None takes it from the command line.

    Returns:
        The exit code: 0 if all is well, 1 if something failed, 2 if the command was not understood.
    """
    with suppress(AttributeError, OSError):
        sys.stdout.reconfigure(errors="replace")        # a terminal that has no ✓ shows a question mark
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        kept = "; what was downloaded so far is kept" if options.run is _fetch else ""
        print(f"stopped{kept}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m course_utils", description="Learning to See Clouds")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="say whether this machine is ready, and what to do if not")
    doctor.add_argument("--workshop", action="store_true",
                        help="try what each chapter needs: its data, a kernel, memory, disk, speed")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(run=_doctor)

    fetch = commands.add_parser(
        "fetch", help="download real data, verified and resumed",
        epilog="COURSE_CACHE names the folder to download to, COURSE_DATA a folder of files that are looked up first, "
               "COURSE_MIRROR a server that has the files under the same names.")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="a dataset, such as ukis, or one of its files")
    fetch.add_argument("--list", action="store_true",
                       help="list what can be fetched and what is here; with NAMEs, the address of every file")
    fetch.add_argument("--timeout", type=float, default=30, metavar="SECONDS",
                       help="how long to wait for an answer (default: 30)")
    fetch.set_defaults(run=_fetch)

    simulate = commands.add_parser("simulate", help="simulate the course's scenes now instead of at first use")
    simulate.add_argument("--scenes", type=int, help="how many (default: as many as the course uses)")
    simulate.add_argument("--all", action="store_true", help="everything that any chapter simulates and keeps, 0.7 GB")
    simulate.add_argument("--sensor", default="pace", help="pace (default), landsat8, sentinel2 or rgb")
    simulate.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    simulate.set_defaults(run=_simulate)

    sim2real = commands.add_parser("sim2real", help="train on simulated scenes only, score on labelled real ones")
    sim2real.add_argument("kind", choices=["landsat8", "sky"], help="satellite scenes, or pictures of the sky")
    sim2real.add_argument("--real", type=Path, required=True, metavar="PATH",
                          help="labelled images: a file (.npz) of scenes, or a folder with images/ and masks/")
    sim2real.add_argument("--bands", metavar="B2,B3,…", help="of scenes, bands to use (default: all that the file has)")
    sim2real.add_argument("--seed", type=int, default=0, help="of scenes, weights and training (default: 0)")
    sim2real.add_argument("--json", action="store_true", help="print the scores as one line of JSON, last")
    sim2real.set_defaults(run=_sim2real)

    key = {"type": Path, "metavar": "PATH",
           "help": "a text file with the round's key (default: COURSE_CHALLENGE_KEY, else the self-study round)"}
    challenge = commands.add_parser("challenge", help="make the images of a round of the cloud-mask challenge")
    challenge.add_argument("--make", type=Path, required=True, metavar="FOLDER",
                           help="the folder to make; COURSE_CHALLENGE names it to those who take part")
    challenge.add_argument("--key-file", **key)
    challenge.set_defaults(run=_challenge)

    score = commands.add_parser("score", help="mark a submission to the cloud-mask challenge")
    score.add_argument("file", type=Path, metavar="FILE", help="a submission (.npz)")
    score.add_argument("--board", type=Path, metavar="PATH",
                       help="the leaderboard's file, which several may write to (default: your own, in the cache)")
    score.add_argument("--key-file", **key)
    score.add_argument("--json", action="store_true", help="print the new entry as one line of JSON, last")
    score.set_defaults(run=_score)

    progress = commands.add_parser("progress", help="say which exercises a class has passed, and where it is stuck")
    progress.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the learners' homes")
    progress.add_argument("--file", default=FILE, help=f"the file in each home (default: {FILE})")
    progress.add_argument("--folders", action="store_true", help="show the folders' names instead of numbers")
    progress.add_argument("--json", action="store_true", help="print the tables as JSON")
    progress.set_defaults(run=_progress)
    return parser


def _doctor(options: argparse.Namespace) -> int:
    """Print what `doctor.examine` finds, or the preflight for a workshop."""
    from course_utils import doctor

    if options.workshop and doctor.healthy(doctor.packages()):
        from course_utils.preflight.report import examine

        found = examine()
        print(json.dumps(found.as_json(), indent=1) if options.json else found)
        return 0 if found.healthy else 1
    checks = doctor.examine()
    if options.json:
        print(json.dumps(doctor.as_json(checks), indent=1))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{doctor.MARKS[check.status]} {check.name:{width}}  {check.found}")
            if check.advice:
                print(f"  {'':{width}}  → {check.advice}")
        print("ready" if doctor.healthy(checks) else "not ready: mend the lines marked ✗, from the top")
    return 0 if doctor.healthy(checks) else 1


def _fetch(options: argparse.Namespace) -> int:
    """Download what was named, or list what there is."""
    from course_utils.data.download import fetch
    from course_utils.data.errors import NotTriedError, UnknownDatasetError
    from course_utils.data.registry import DATASETS

    if not options.names and not options.list:
        print(f"name what to fetch: {', '.join(DATASETS)}; --list says more", file=sys.stderr)
        return 2
    try:
        if options.list:
            _list(options.names)
            return 0
        outcome = fetch(options.names, progress=sys.stderr.isatty(), timeout=(10, options.timeout), done=_report)
    except UnknownDatasetError as error:
        print(error, file=sys.stderr)
        return 2
    for name in dict.fromkeys(path.split("/")[0] for path in outcome.ready):
        dataset = DATASETS[name]
        print(f"\n{name}: {dataset.title}\n  licence: {dataset.licence}\n  cite:    {dataset.citation}\n"
              f"  from:    {dataset.homepage}\n  note:    {dataset.note}")
    if outcome.failed:
        skipped = sum(isinstance(error, NotTriedError) for error in outcome.failed.values())
        print(f"\n{len(outcome.failed)} of {len(outcome.failed) + len(outcome.ready)} files are missing"
              f"{f', {skipped} of them not tried' if skipped else ''}; the same command tries these again, "
              "with --list it gives their addresses", file=sys.stderr)
    return 1 if outcome.failed else 0


def _report(file, result) -> None:
    """One line for each file that was tried, as soon as it is clear what became of it."""
    from course_utils.data.errors import NotTriedError

    if isinstance(result, Path):
        size = f" ({_size(result.stat().st_size)})" if result.is_file() else ""
        print(f"✓ {file.path}{size}  {result}", flush=True)
    elif not isinstance(result, NotTriedError):
        print(f"✗ {file.path}: {result}", file=sys.stderr, flush=True)


def _list(names: list[str]) -> None:
    """Where each named file is or can be had; without names what there is, and what its makers ask for."""
    from course_utils.data.local import find
    from course_utils.data.registry import DATASETS, resolve

    if names:
        for file in resolve(names):
            print(f"{file.path}  {find(file) or file.url}")
        return
    for dataset in DATASETS.values():
        here = sum(find(file) is not None for file in dataset.files)
        size = "size unknown" if dataset.bytes is None else _size(dataset.bytes)
        print(f"{dataset.name:8} {here} of {len(dataset.files)} files here, {size}; licence: {dataset.licence}\n"
              f"{'':8} {dataset.title}\n{'':8} cite: {dataset.citation}")


def _size(size: int) -> str:
    """A number of bytes as people read it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _simulate(options: argparse.Namespace) -> int:
    """Fill the cache of simulated patches, or of all that chapters simulate."""
    if options.all:
        from course_utils.preflight.chapters import KEPT

        for kept in KEPT.values():
            kept.make()
            print(f"✓ {kept.name}", flush=True)
        return 0
    from course_utils.data.cached import COURSE_SCENES, cached_folder, load_patches
    from course_utils.sensors import UnknownSensorError, get_sensor

    try:
        sensor = get_sensor(options.sensor)
    except UnknownSensorError as error:
        print(error, file=sys.stderr)
        return 2
    scenes = COURSE_SCENES if options.scenes is None else options.scenes
    if scenes < 1:
        print(f"found --scenes {scenes}, expected 1 or more", file=sys.stderr)
        return 2
    patches = load_patches("all", sensor=sensor, scenes=scenes, workers=options.workers,
                           progress=sys.stderr.isatty())
    print(f"✓ {len(patches)} patches of {scenes} scenes  {cached_folder(sensor, scenes)}")
    return 0


def _sim2real(options: argparse.Namespace) -> int:
    """Train on simulated images, score on real ones, print both rows."""
    from course_utils import sim2real
    from course_utils.data.errors import DataError

    if options.kind == "sky" and options.bands:
        print("found --bands with sky, expected it with landsat8 only: pictures are red, green and blue; leave it out",
              file=sys.stderr)
        return 2
    try:
        if options.kind == "sky":
            scores = sim2real.sky(options.real, replace(sim2real.SKY, seed=options.seed))
        else:
            bands = options.bands.split(",") if options.bands else None
            scores = sim2real.landsat8(options.real, bands, sim2real.Sim2Real(seed=options.seed))
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    rows = {"U-Net": scores, "red/blue" if options.kind == "sky" else "two thresholds": scores["baseline"]}
    for name in sim2real.SCORES:
        values = ("none" if row[name] is None else f"{row[name]:.3f}" for row in rows.values())
        print(f"{name:18}" + "".join(f"  {model} {value}" for model, value in zip(rows, values, strict=True)))
    if options.json:
        print(json.dumps(scores))
    return 0


def _challenge(options: argparse.Namespace) -> int:
    """Write the images of a round, and say what to do with them."""
    from course_utils import challenge

    try:
        own = challenge.Round(challenge.read_key(options.key_file))
        challenge.write_images(options.make, own)
    except (challenge.ChallengeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"✓ images of round {own.id}  {options.make}\n  hand out the folder, keep the key: "
          "only with it can submissions be marked")
    return 0


def _score(options: argparse.Namespace) -> int:
    """Mark a submission, put it on the board, show the board."""
    from course_utils import challenge
    from course_utils.leaderboard import LeaderboardError

    try:
        own = challenge.Round(challenge.read_key(options.key_file))
        submission = challenge.read_submission(options.file)
        entry, board = challenge.enter(submission, own, options.board or challenge.own_board(own))
    except (challenge.ChallengeError, LeaderboardError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(challenge.Standings(challenge.with_baselines(board), entry))
    if options.json:
        print(json.dumps(entry))
    return 0


def _progress(options: argparse.Namespace) -> int:
    """Print what the learners' files say together."""
    from course_utils.progress.classroom import ProgressError, read_class

    try:
        learners = read_class(options.folder, options.file, options.folders)
    except ProgressError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(learners.as_json(), indent=1) if options.json else learners)
    return 0


if __name__ == "__main__":
    sys.exit(main())
