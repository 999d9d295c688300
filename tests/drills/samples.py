"""Good files of every kind that the course reads: small, and mostly noise."""

import gzip
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import torch
from onnx import helper

from course_utils import challenge, leaderboard
from course_utils.challenge import images, rounds
from course_utils.data import cifar, real, sky
from course_utils.data.samples import Patches, channel_names
from course_utils.deploy import export, golden
from course_utils.models.mlp import PixelMLP
from course_utils.progress import classroom
from course_utils.sensors import PACE_OCI
from course_utils.train import FitConfig
from tests.drills import contents
from tests.sky_folders import write_sky_folder

SIDE = 64
CARD = export.Card("tiny", "1", ("650", "550", "470"), (4, 6), 0.4)
CONFIG = FitConfig(epochs=1)


def files_of(write: Callable[[Path], object]) -> dict[str, bytes]:
    """What a function writes into a folder."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        return {path.relative_to(name).as_posix(): path.read_bytes() for path in sorted(Path(name).rglob("*"))
                if path.is_file() and path.suffix != ".lock"}


def few_patches(label: int | None = None) -> Patches:
    """Two patches of one scene, of noise."""
    rng = np.random.default_rng(0)
    codes = rng.choice(np.uint8([0, 1, 2, 255]), (2, SIDE, SIDE))
    image, valid = rng.integers(0, 256, (2, 12, SIDE, SIDE), np.uint8), codes != 255
    codes = codes if label is None else np.full_like(codes, label)
    return Patches(image, codes, valid, np.zeros(2, np.int64), channel_names(PACE_OCI))


def labelled(path: Path) -> None:
    """A file of two small labelled images."""
    rng = np.random.default_rng(0)
    scenes = [real.LabelledScene("a", rng.random((2, 5, 4), dtype=np.float32), rng.choice(np.uint8([0, 1, 2]), (5, 4)),
                                 "Landsat-8 OLI", ("B2", "B3")) for _ in range(2)]
    real.write_labelled_npz(path, scenes)


def idx() -> dict[str, bytes]:
    """A small file of MNIST's kind."""
    header = b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (2, 3, 4))
    return {"images.gz": gzip.compress(header + bytes(range(24)))}


def cifar_files(folder: Path) -> None:
    """Every file of CIFAR-10, of three records each."""
    rng = np.random.default_rng(0)
    for name in ("data_batch_1.bin", cifar.TEST):
        cifar.write_records(folder / name, rng.integers(0, 256, (3, 3, 32, 32), np.uint8), np.array([0, 5, 9]))
    (folder / cifar.NAMES).write_text("\n".join("abcdefghij") + "\n")


def birds() -> dict[str, bytes]:
    """The first rows of the table of penguins."""
    path = Path(find_spec("palmerpenguins").origin).parent / "data" / "penguins.csv"
    return {"penguins.csv": b"\n".join(path.read_bytes().splitlines()[:6]) + b"\n"}


def skies(folder: Path) -> None:
    """Two pictures of the sky."""
    rng = np.random.default_rng(0)
    write_sky_folder(folder, [sky.SkyPicture(name, rng.integers(0, 256, (6, 5, 3), np.uint8),
                                             rng.choice(np.uint8([0, 100, 255]), (6, 5))) for name in "ab"])


def archive(name: str) -> dict[str, bytes]:
    """An archive of a folder with two files."""
    members = [("data/a.txt", b"one" * 50), ("data/b.bin", bytes(range(256)))]
    if name.endswith(".zip"):
        return {name: contents.zipped(members)}
    return {name: contents.tarred(members, "w:gz" if name.endswith(".gz") else "w")}


def network(width: int = 4) -> PixelMLP:
    torch.manual_seed(0)
    return PixelMLP(3, (width,))


def batch() -> list[dict]:
    """A loader of one batch."""
    mask = torch.arange(24).reshape(1, 4, 6) % 2 == 0
    return [{"image": torch.linspace(0, 1, 72).reshape(1, 3, 4, 6), "mask": mask, "valid": torch.ones_like(mask),
             "codes": mask.to(torch.uint8)}]


def board(path: Path) -> None:
    """A board of two entries."""
    for score in (0.5, 0.25):
        leaderboard.add(path, {"name": "ä", "score": score, "digest": f"{score}"})


def challenge_board(path: Path) -> None:
    """A challenge's board of one entry."""
    leaderboard.add(path, challenge.baselines()[0])


@cache
def submission() -> challenge.Submission:
    pred = np.random.default_rng(0).random((rounds.PATCHES, SIDE, SIDE)) < 0.001
    return challenge.Submission(challenge.Round().id, "a name", "a model", 3, 1.5, rounds.IDS.copy(), pred)


@contextmanager
def small_round():
    """Rounds of two patches."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(images, "PATCHES", 2))
        stack.enter_context(mock.patch.object(images, "IDS", rounds.IDS[:2]))
        stack.enter_context(mock.patch.object(images, "simulate_patches", lambda *_: few_patches()))
        yield


def write_round(folder: Path) -> None:
    with small_round():
        challenge.write_images(folder / "images", challenge.Round())


@cache
def exported_files() -> dict[str, bytes]:
    """A bundle of a model that is small, exported by PyTorch, and by hand to ONNX."""
    def write(folder: Path) -> None:
        frozen = export.freeze(network())
        export.save_program(export.capture(frozen, CARD), CARD, folder / "model.pt2")
        places = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
                  for name, shape in (("image", ["batch", 3, 4, 6]), ("prob", ["batch", 4, 6]))]
        axes = helper.make_tensor("axes", onnx.TensorProto.INT64, [1], [1])
        nodes = [helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0),
                 helper.make_node("Sigmoid", ["mean"], ["prob"])]
        graph = helper.make_graph(nodes, "tiny", places[:1], places[1:], [axes])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", export.OPSET)], ir_version=10)
        helper.set_model_props(model, {export.KEY: CARD.to_json()})
        onnx.save(model, folder / "model.onnx")
        golden.add_golden(folder, frozen, np.zeros((1, 3, 4, 6), np.float32), 1e-5)
    return files_of(write)


def exported(*names: str) -> Callable[[], dict[str, bytes]]:
    return lambda: {name: exported_files()[name] for name in names}


def progress() -> dict[str, bytes]:
    """What two learners of a class did."""
    lines = "".join(f'{{"time": "2026-05-04T09:0{n}:00+00:00", "exercise": "tensors.a", "passed": false, "hint": {n}, '
                    f'"attempt": {n}}}\n' for n in range(3))
    return {f"{name}/{classroom.FILE}": lines.encode() for name in ("ada", "zoe")}
