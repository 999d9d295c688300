"""Every public way of the package to read a file: what a good file is, how it is read, how it may refuse a bad one.

`test_listing.py` fails where the package has one that is not here.
"""

import hashlib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from course_utils import challenge, checkpoint, leaderboard, recorded
from course_utils.challenge import marking
from course_utils.data import cached, cifar, digits, local, penguins, real, shards, sky, sky_frames, splits
from course_utils.data.archives import unpack
from course_utils.data.errors import DataError
from course_utils.data.mapped import map_array
from course_utils.data.packed import PackedPatches, open_packed, origin, write_packed
from course_utils.data.png_layout import PngPatches, write_png_layout
from course_utils.data.registry import RemoteFile
from course_utils.deploy import export, golden, parity
from course_utils.jobs import cifar10
from course_utils.progress import classroom
from course_utils.sensors import PACE_OCI
from course_utils.tasks import Segmentation
from course_utils.train import TrainingDivergedError, fit
from tests.drills import contents
from tests.drills.samples import (
    CONFIG,
    archive,
    batch,
    birds,
    board,
    challenge_board,
    cifar_files,
    exported,
    few_patches,
    files_of,
    idx,
    labelled,
    network,
    progress,
    skies,
    small_round,
    submission,
    write_round,
)


@dataclass(frozen=True)
class Loader:
    """One way to read.

    Attributes:
        reads: names of the functions and classes that do it, as `test_listing.py` finds them.
        sample: makes good files: their contents by path.
        read: reads them from a folder.
        refuses: the errors that may be raised for bad ones.
        warns: whether a warning is a documented result.
    """

    reads: tuple[str, ...]
    sample: Callable[[], dict[str, bytes]]
    read: Callable[[Path], object]
    refuses: type[Exception] | tuple[type[Exception], ...] = DataError
    warns: bool = False


def unpacked(name: str) -> Callable[[Path], None]:
    """Unpack, and look whether anything came to lie where it should not, or was left behind."""
    def read(folder: Path) -> None:
        before = set(folder.rglob("*"))
        try:
            unpack(folder / name, folder / "out" / "data")
        except DataError:
            assert set(folder.rglob("*")) - before <= {folder / "out"}
            raise
        assert all(path.is_relative_to(folder / "out" / "data") and not path.is_symlink()
                   for path in set(folder.rglob("*")) - before - {folder / "out"})
    return read


def resumed(folder: Path) -> object:
    return fit(network(), Segmentation(), batch(), batch(), CONFIG, folder / "last.pt")


def left_alone(folder: Path) -> None:
    """Load a checkpoint; a model that it does not fit stays as it was."""
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    try:
        checkpoint.load_checkpoint(folder / "last.pt", model)
    except checkpoint.CheckpointError:
        assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
        raise


def weights_left_alone(folder: Path) -> None:
    """The same for recorded weights."""
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    try:
        recorded.weights("one", model, folder)
    except recorded.RecordError:
        assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
        raise


def entered(folder: Path) -> object:
    """Enter a submission whose marks are known beforehand."""
    marks = challenge.Marks(0.5, 0.1, 0.5, 0.5, 0.0, None)
    with mock.patch.object(marking, "mark", lambda *_: marks):
        return challenge.enter(submission(), challenge.Round(), folder / "board.json")


def opened(folder: Path) -> object:
    with small_round():
        return challenge.open_images(folder / "images")[:]


def self_study(folder: Path) -> object:
    """The images of the self-study round, whatever lies in the cache."""
    with small_round(), mock.patch.dict(os.environ, COURSE_CACHE=str(folder)):
        return challenge.test_images()[:]


def write_self_study(folder: Path) -> None:
    self_study(folder)


def course_patches(folder: Path) -> object:
    """The course's own patches, whatever lies in the cache."""
    cached._opened.clear()
    with (mock.patch.dict(os.environ, COURSE_CACHE=str(folder)),
          mock.patch.object(cached, "simulate_patches", lambda *_: few_patches())):
        return cached.load_patches("all", scenes=1, workers=1, progress=False)[:]


def course_frames(folder: Path) -> object:
    """The course's own frames, whatever lies in the cache."""
    sky_frames._opened.clear()
    made = lambda _, skies, *__: (sky.SkyPicture(f"day-{n}-{m:g}", np.zeros((8, 8, 3), np.uint8),  # noqa: E731
                                                 np.zeros((8, 8), np.uint8)) for n, _, m in skies)
    with mock.patch.dict(os.environ, COURSE_CACHE=str(folder)), mock.patch.object(sky_frames, "simulate_each", made):
        frames = sky_frames.load_series(3, "day", frames=2, size=8)
    assert [frame.picture.shape for frame in frames] == [(8, 8, 3)] * 2
    return frames


def fetched(folder: Path) -> object:
    """A file of the registry."""
    file = RemoteFile("toy/one.bin", "https://example.org/one.bin", 5, hashlib.sha256(b"cloud").hexdigest())
    with mock.patch.dict(os.environ, COURSE_CACHE=str(folder)):
        path = local.locate(file)
        assert path.read_bytes() == b"cloud" and local.matches(path, file)
        local.verify(path, file)


def answered(engine: Callable) -> object:
    """Ask an engine, if there is one."""
    return engine(np.zeros((1, 3, 4, 6), np.float32))


def quiet(read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Read something whose warnings are of no interest."""
    def reading(folder: Path) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(folder)
    return reading


def png_patches(folder: Path) -> object:
    dataset = PngPatches(folder)
    return [dataset[i] for i in range(len(dataset))]


def all_shards(folder: Path) -> object:
    return list(shards.Shards(folder / "s", buffer=2)), len(shards.Shards(folder / "s"))


def final_score(folder: Path) -> object:
    return cifar10.final(cifar10.Run(1, 1, data=folder / "none", folder=folder))


LOADERS = {
    "labelled images": Loader(
        ("data.real.read_labelled_npz",), lambda: files_of(lambda folder: labelled(folder / "x.npz")),
        lambda folder: real.read_labelled_npz(folder / "x.npz")),
    "packed patches": Loader(
        ("data.packed.open_packed", "data.packed.PackedPatches"),
        lambda: files_of(lambda folder: write_packed(folder / "p", few_patches(), origin([0], 0, PACE_OCI))),
        lambda folder: (PackedPatches(folder / "p")[:],
                        open_packed(folder / "p", origin([0], 0, PACE_OCI), verify=True))),
    "PNG layout": Loader(
        ("data.png_layout.PngPatches",), lambda: files_of(lambda folder: write_png_layout(folder, few_patches())),
        png_patches, warns=True),
    "IDX files": Loader(
        ("data.digits.read_idx",), idx, lambda folder: digits.as_digits(digits.read_idx(folder / "images.gz"),
                                                                        np.zeros(2, np.uint8))),
    "CIFAR-10": Loader(
        ("data.cifar.load_cifar10", "data.cifar.read_records"), lambda: files_of(cifar_files),
        lambda folder: [cifar.load_cifar10(part, folder)[:] for part in cifar.CIFAR_PARTS]),
    "penguins": Loader(
        ("data.penguins.read_penguins",), birds, lambda folder: penguins.read_penguins(folder / "penguins.csv")),
    "pictures of the sky": Loader(
        ("data.sky.read_sky_folder",), lambda: files_of(skies),
        sky.read_sky_folder),
    "shards": Loader(
        ("data.shards.Shards",), lambda: files_of(lambda folder: shards.write_shards(folder / "s", few_patches(), 1)),
        all_shards),
    "splits": Loader(
        ("data.splits.load_split",),
        lambda: files_of(lambda folder: splits.save_split(folder / "s.json", splits.Split((0, 1), (2,), (3,)))),
        lambda folder: splits.load_split(folder / "s.json", range(4))),
    "tar archives": Loader(("data.archives.unpack",), lambda: archive("a.tar"), unpacked("a.tar")),
    "packed tar archives": Loader(("data.archives.unpack",), lambda: archive("a.tar.gz"), unpacked("a.tar.gz")),
    "zip archives": Loader(("data.archives.unpack",), lambda: archive("a.zip"), unpacked("a.zip")),
    "fetched files": Loader(
        ("data.local.verify", "data.local.matches"), lambda: {"toy/one.bin": b"cloud"}, fetched),
    "the course's patches": Loader((), lambda: files_of(course_patches), course_patches, warns=True),
    "the course's frames": Loader((), lambda: files_of(course_frames), course_frames, warns=True),
    "checkpoints": Loader(
        ("checkpoint.load_checkpoint",), lambda: files_of(resumed), quiet(left_alone),
        (checkpoint.CheckpointError, FileNotFoundError)),
    "trainings to resume": Loader(
        ("train.fit",), lambda: files_of(resumed), quiet(resumed), (checkpoint.CheckpointError, TrainingDivergedError)),
    "leaderboards": Loader(
        ("leaderboard.read", "leaderboard.add"), lambda: files_of(lambda folder: board(folder / "board.json")),
        lambda folder: (leaderboard.read(folder / "board.json"),
                        leaderboard.add(folder / "board.json", {"name": "new", "score": 1.0, "digest": "n"})),
        leaderboard.LeaderboardError),
    "boards of the challenge": Loader(
        ("challenge.marking.enter",), lambda: files_of(lambda folder: challenge_board(folder / "board.json")),
        lambda folder: str(challenge.Standings(challenge.with_baselines(entered(folder)[1]))),
        leaderboard.LeaderboardError),
    "submissions": Loader(
        ("challenge.submission.read_submission",),
        lambda: files_of(lambda folder: challenge.write_submission(folder / "s.npz", submission())),
        lambda folder: challenge.read_submission(folder / "s.npz").digest, challenge.ChallengeError),
    "images of a round": Loader(
        ("challenge.images.open_images",), lambda: files_of(write_round), opened, challenge.ChallengeError),
    "images for self-study": Loader((), lambda: files_of(write_self_study), self_study),
    "keys": Loader(
        ("challenge.rounds.read_key",), lambda: {"key.txt": b"a secret of sixteen letters\n"},
        lambda folder: challenge.Round(challenge.read_key(folder / "key.txt")).id, challenge.ChallengeError),
    "progress of a class": Loader(
        ("progress.classroom.read_class",), progress, lambda folder: (str(classroom.read_class(folder)),
                                                                      classroom.read_class(folder).as_json()),
        classroom.ProgressError),
    "mapped arrays": Loader(
        ("data.mapped.map_array",), lambda: {"a.npy": contents.npy(np.arange(600, dtype="i4").reshape(100, 6))},
        lambda folder: np.array(map_array(folder / "a.npy"))),
    "recorded results": Loader(
        ("recorded.results",), lambda: files_of(lambda folder: recorded.save_results("one", [1], "make", [0], folder)),
        lambda folder: recorded.results("one", folder), recorded.RecordError),
    "recorded weights": Loader(
        ("recorded.weights",),
        lambda: files_of(lambda folder: recorded.save_weights("one", network(), "make", [0], folder)),
        weights_left_alone, recorded.RecordError),
    "the final score": Loader(
        ("jobs.cifar10.Run",),
        lambda: {"final.json": b'{"score": 0.5, "epochs": 1, "batch_size": 2, "date": "2026-01-01"}'},
        final_score, (DataError, cifar10.FinalTakenError)),
    "programs": Loader(
        ("deploy.export.load_program", "deploy.parity.exported"), exported("model.pt2"),
        quiet(lambda folder: (export.load_program(folder / "model.pt2"))), export.CardError),
    "cards of ONNX files": Loader(
        ("deploy.export.read_card",), exported("model.onnx"), lambda folder: export.read_card(folder / "model.onnx"),
        export.CardError),
    "ONNX Runtime": Loader(
        ("deploy.parity.onnx_runtime",), exported("model.onnx"),
        quiet(lambda folder: parity.onnx_runtime(folder / "model.onnx")), export.CardError),
    "OpenVINO": Loader(
        ("deploy.parity.openvino",), exported("model.onnx"),
        quiet(lambda folder: parity.openvino(folder / "model.onnx")), export.CardError),
    "golden patches": Loader(
        ("deploy.golden.Golden.load",), exported("golden.bin"),
        lambda folder: golden.Golden.load(folder / "golden.bin"), golden.GoldenError),
    "bundles": Loader(
        ("deploy.golden.require_intact",), exported(*golden.FILES, golden.SUMS), golden.require_intact,
        golden.GoldenError),
}
