"""Every public way of the package to write a file: what it writes, to a place that is full or can only be read.

`test_listing.py` fails where the package has one that is not here.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from course_utils import challenge, checkpoint, leaderboard, recorded
from course_utils.data import cached, cifar, packed, real, shards, splits
from course_utils.data.archives import unpack
from course_utils.data.png_layout import write_png_layout
from course_utils.deploy import export, golden
from course_utils.files import WriteError, aside, aside_folder
from course_utils.jobs import cifar10, report
from course_utils.tasks import Segmentation
from course_utils.train import fit
from tests.drills import contents, loaders, samples

IMAGE = np.zeros((1, 3, 4, 6), np.float32)


@dataclass(frozen=True)
class Writer:
    """One way to write.

    Attributes:
        writes: names of the functions that do it, as `test_listing.py` finds them.
        write: writes into a folder; the number is part of what is written.
        refuses: what may be raised when it cannot be written.
        warns: whether a warning, and a result in memory, is the documented answer.
        several: whether files of their own are written one after the other, each of them whole or not at all.
    """

    writes: tuple[str, ...]
    write: Callable[[Path, int], object]
    refuses: type[Exception] | tuple[type[Exception], ...] = WriteError
    warns: bool = False
    several: bool = False


@cache
def _program():
    frozen = export.freeze(samples.network())
    return frozen, export.capture(frozen, samples.CARD)


def plain(folder: Path, number: int) -> None:
    with aside(folder / "plain.txt") as new:
        new.write_text(f"{number}" * 20_000)


def plain_folder(folder: Path, number: int) -> None:
    with aside_folder(folder / f"plain-{number}") as new:
        (new / "a.txt").write_text(f"{number}" * 20_000)
        new.rename(folder / f"plain-{number}")


def trained(folder: Path, number: int) -> None:
    fit(samples.network(), Segmentation(), samples.batch(), samples.batch(), samples.CONFIG,
        folder / f"trained-{number}.pt")


def entered(folder: Path, number: int) -> None:
    marks = challenge.Marks(0.5, 0.1, 0.5, 0.5, 0.0, None)
    one = samples.submission()
    other = challenge.Submission(one.round_id, "other", "m", 1, 1.0, one.ids, np.roll(one.pred, number, axis=1))
    with mock.patch.object(challenge.marking, "mark", lambda *_: marks):
        challenge.enter(other, challenge.Round(), folder / "entered.json")


def images(folder: Path, number: int) -> None:
    with samples.small_round():
        challenge.write_images(folder / f"round-{number}", challenge.Round())


def built(folder: Path, number: int) -> None:
    with mock.patch.object(packed, "simulate_patches", lambda *_: samples.few_patches()):
        packed.build_packed(folder / f"built-{number}", [0])


def split(folder: Path, number: int) -> None:
    splits.save_split(folder / "split.json", splits.Split(tuple(range(5 + number)), (20,), (30,)), replace=True)


def records(folder: Path, number: int) -> None:
    cifar.write_records(folder / "records.bin", np.full((3, 3, 32, 32), number, np.uint8), np.array([0, 5, 9]))


def labelled(folder: Path, number: int) -> None:
    image = np.random.default_rng(number).random((2, 40, 40), dtype=np.float32)
    real.write_labelled_npz(folder / "labelled.npz", [real.LabelledScene(
        "a", image, np.zeros((40, 40), np.uint8), "Landsat-8 OLI", ("B2", "B3"))])


def handed_in(folder: Path, number: int) -> None:
    one = samples.submission()
    challenge.write_submission(folder / "handed-in.npz", challenge.Submission(
        one.round_id, f"{number}", "m", number, 1.0, one.ids, one.pred))


def golden_patch(folder: Path, number: int) -> None:
    golden.Golden(IMAGE + number, IMAGE[:, 0], 0.1).save(folder / "golden.bin")


def bundle(folder: Path, number: int) -> None:
    for name in ("model.onnx", "model.pt2"):
        (folder / f"bundle/{name}").parent.mkdir(exist_ok=True)
        if not number:
            (folder / f"bundle/{name}").write_bytes(b"")
    golden.add_golden(folder / "bundle", _program()[0], IMAGE + number, 0.1)


def program(folder: Path, number: int) -> None:
    export.save_program(_program()[1], samples.CARD, folder / "model.pt2")


def model(folder: Path, number: int) -> None:
    with mock.patch.object(torch.onnx, "export") as exporting:          # takes seconds, and writes nothing
        exporting.return_value.save = lambda path, **_: Path(path).write_bytes(bytes([number]) * 9000)
        export.save_onnx(_program()[1], samples.CARD, folder / "model.onnx")


def pictures(folder: Path, number: int) -> None:
    counts = torch.eye(2) * (number + 1)
    report.save_report(folder / "report", counts, ["a", "b"], (torch.zeros(1, 3, 4, 4), *torch.zeros(2, 1, dtype=int)))


def unpacked(folder: Path, number: int) -> None:
    packing = folder.parent / f"{number}.tar"
    packing.write_bytes(contents.tarred([(f"{place}.txt", b"a" * 3000) for place in range(5)]))
    unpack(packing, folder / f"unpacked-{number}")


def course_patches(folder: Path, number: int) -> object:
    """Kept in the cache, or else in memory."""
    cached._opened.clear()
    with (mock.patch.dict(os.environ, COURSE_CACHE=str(folder)),
          mock.patch.object(cached, "simulate_patches", lambda *_: samples.few_patches())):
        assert len(cached.load_patches("all", scenes=1, seed=number, workers=1, progress=False).patches) == 2


def course_frames(folder: Path, number: int) -> None:
    """Kept in the cache, or else in memory."""
    with mock.patch.object(loaders.sky_frames, "SITE", number):
        loaders.course_frames(folder)


def self_study(folder: Path, number: int) -> None:
    """Kept in the cache, or else in memory."""
    with mock.patch.object(challenge.images, "Round", lambda: challenge.Round(f"a secret of many letters {number}")):
        assert len(loaders.self_study(folder)["id"]) == 2


def final_score(folder: Path, number: int) -> None:
    result = {"score": 0.5, "epochs": 1, "batch_size": 1, "date": "2026-01-01", "name": "a"}
    if not number:
        for other in range(9):
            (folder / f"final-{other}").mkdir()
    run = cifar10.Run(1, 1, folder=folder / f"final-{number}")
    last = (torch.zeros(1, 3, 4, 4), *torch.zeros(2, 1, dtype=int))
    with (mock.patch.object(cifar10, "_trained", lambda _: (None, 1.0)),
          mock.patch.object(cifar10, "_scored", lambda *_: (result, torch.eye(2), last, ["a", "b"]))):
        cifar10.final(run)


def quietly(write: Callable[[Path, int], object]) -> Callable[[Path, int], object]:
    def writing(folder: Path, number: int) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return write(folder, number)
    return writing


WRITERS = {
    "files": Writer(("files.aside",), plain),
    "folders": Writer(("files.aside_folder",), plain_folder),
    "checkpoints": Writer(("checkpoint.save_checkpoint",), lambda folder, number: checkpoint.save_checkpoint(
        folder / "last.pt", samples.network(400), note=number)),
    "trainings": Writer(("train.fit",), trained),
    "leaderboards": Writer(("leaderboard.add",), lambda folder, number: leaderboard.add(
        folder / "board.json", {"name": f"{number}", "score": 1.0}), refuses=leaderboard.LeaderboardError),
    "entries": Writer(("challenge.marking.enter",), entered, refuses=leaderboard.LeaderboardError),
    "submissions": Writer(("challenge.submission.write_submission",), handed_in),
    "images of a round": Writer(("challenge.images.write_images",), images),
    "images for self-study": Writer((), self_study, warns=True),
    "packed patches": Writer(("data.packed.write_packed",), lambda folder, number: packed.write_packed(
        folder / f"packed-{number}", samples.few_patches())),
    "simulated patches": Writer(("data.packed.build_packed",), built),
    "the course's patches": Writer((), course_patches, warns=True),
    "the course's frames": Writer((), course_frames, warns=True),
    "PNG layout": Writer(("data.png_layout.write_png_layout",), lambda folder, number: write_png_layout(
        folder / "png", samples.few_patches(number % 3), replace=True)),
    "shards": Writer(("data.shards.write_shards",), lambda folder, number: shards.write_shards(
        folder / f"shards-{number}", samples.few_patches())),
    "splits": Writer(("data.splits.save_split",), split),
    "CIFAR-10": Writer(("data.cifar.write_records",), records),
    "labelled images": Writer(("data.real.write_labelled_npz",), labelled),
    "archives": Writer(("data.archives.unpack",), unpacked),
    "recorded results": Writer(("recorded.save_results",), lambda folder, number: recorded.save_results(
        "one", [number] * 3000, "make", [0], folder)),
    "recorded weights": Writer(("recorded.save_weights",), lambda folder, number: recorded.save_weights(
        "one", samples.network(400), "make", [number], folder)),
    "golden patches": Writer(("deploy.golden.Golden.save",), golden_patch),
    "bundles": Writer(("deploy.golden.add_golden",), bundle, several=True),
    "programs": Writer(("deploy.export.save_program",), quietly(program)),
    "ONNX files": Writer(("deploy.export.save_onnx",), model),
    "reports": Writer(("jobs.report.save_report",), pictures, several=True),
    "final scores": Writer(("jobs.cifar10.Run",), final_score, several=True),
}
