"""Record the experiments of chapter 10 that are too long for its page.

``python -m tools.record_unet`` trains every network of `EXPERIMENTS` from every seed, each for the same number of
steps (those called longer for four times as many), and writes course_utils/recorded/unet.json after each, so an
interrupted recording goes on where it was. Scores are those on the validation part. It also keeps the weights of a few
networks that the chapter draws.

``--steps 20 --folder _build/try`` tries it out in some minutes; such results are no results.
"""

import argparse
import functools
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Subset

from course_utils import losses, metrics, recorded, simulate
from course_utils.data.augment import Augmented, Batch, brightened, turned
from course_utils.data.patches import PackedPatches, load_patches
from course_utils.models.mlp import PixelMLP
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from course_utils.scoreboard import SMALL_CLOUD_PIXELS
from course_utils.sensors import PACE_OCI
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit

COMMAND = "python -m tools.record_unet"
RGB = ("650", "550", "470")
SCENES = 450                            # 406 of them are for training
CUTS = np.arange(0.10, 0.91, 0.05).round(2)
SNOWY = tuple((5000 + place, cloud) for place, cloud in enumerate(("cumulus", "popcorn", "cirrus", "clear") * 2))


@dataclass(frozen=True)
class Experiment:
    """One network and how it is trained; the default is the U-Net that the others are compared with.

    Attributes:
        bands: names of the channels that it sees; empty means all twelve.
        patches: how many training patches, drawn at random; None means all.
        loss: name of a function of `course_utils.losses`.
        skips: of the U-Net.
        cloud_below: only patches with a smaller share of cloud are trained and scored on.
        model: "unet", "mlp" or "logistic".
        scenes: how many training scenes, drawn at random, all their patches; None means all.
        longer: how many times the usual number of steps.
    """

    bands: tuple[str, ...] = ()
    patches: int | None = None
    loss: str = "bce"
    skips: bool = True
    cloud_below: float = 1.01
    model: str = "unet"
    scenes: int | None = None
    longer: int = 1


FULL = Experiment()
EXPERIMENTS = {
    "full": FULL,
    "rgb": replace(FULL, bands=RGB),
    "rgb + 865": replace(FULL, bands=(*RGB, "865")),
    "rgb + 1618": replace(FULL, bands=(*RGB, "1618")),
    "100 patches": replace(FULL, patches=100),
    "1000 patches": replace(FULL, patches=1000),
    "4000 patches": replace(FULL, patches=4000),
    "no skips": replace(FULL, skips=False),
    "dice": replace(FULL, loss="dice"),
    "focal": replace(FULL, loss="focal"),
    "rare, bce": replace(FULL, cloud_below=0.2),
    "rare, dice": replace(FULL, cloud_below=0.2, loss="dice"),
    "logistic": replace(FULL, model="logistic"),
    "pixel MLP": replace(FULL, model="mlp"),
    "bce + dice": replace(FULL, loss="bce_dice"),
    "7 scenes": replace(FULL, scenes=7),
}
EXPERIMENTS |= {f"{name}, longer": replace(EXPERIMENTS[name], longer=4) for name in ("7 scenes", "100 patches", "full")}
# Networks of the first seed whose weights are kept, by the name of the record.
KEPT = {"unet-full": "full", "unet-no-skips": "no skips", "unet-rgb": "rgb", "unet-rgb-1618": "rgb + 1618",
        "story-logistic": "logistic", "story-mlp": "pixel MLP"}


class Chosen:
    """A loader that passes on some channels of each batch.

    Args:
        loader: gives batches; its generator, if any, is kept.
        rows: numbers of the channels.
    """

    def __init__(self, loader: DataLoader | Augmented, rows: list[int]):
        self.loader, self.rows, self.generator = loader, rows, getattr(loader, "generator", None)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.loader:
            yield {**batch, "image": batch["image"][:, self.rows].contiguous()}


def build(experiment: Experiment, channels: int) -> nn.Module:
    """Make the network of an experiment; chapter 10 builds the same ones to load their weights.

    Args:
        experiment: which.
        channels: how many it sees.

    Returns:
        Network with fresh weights.
    """
    if experiment.model == "unet":
        return UNet(channels, width=8, depth=3, skips=experiment.skips)
    return PixelMLP(channels, hidden=() if experiment.model == "logistic" else (32,) * 5)


def cloud_share(part: PackedPatches) -> np.ndarray:
    """Share of cloud among the valid pixels of each patch; 0 where none is valid."""
    inside = np.isin(part.patches.scene, part.scenes)
    mask, valid = metrics.from_codes(part.patches.codes[inside])
    return (mask & valid).sum(axis=(1, 2)) / np.maximum(valid.sum(axis=(1, 2)), 1)


def train(experiment: Experiment, seed: int, steps: int, learning_rate: float) -> nn.Module:
    """Train one network.

    Args:
        experiment: which.
        seed: of weights, patches and their order.
        steps: updates, in two epochs of equal length; `experiment.longer` times as many are made.
        learning_rate: peak of the one-cycle schedule.

    Returns:
        The network, which scales its own inputs, in eval mode.
    """
    data, validation = load_patches("train", scenes=SCENES), load_patches("validation")
    rows = channels_of(experiment, data.channels)
    draw = torch.Generator().manual_seed(seed)
    scenes = np.unique(data.scenes)
    scenes = scenes[torch.randperm(len(scenes), generator=torch.Generator().manual_seed(seed))[: experiment.scenes]]
    some = np.flatnonzero((cloud_share(data) < experiment.cloud_below) & np.isin(data.scenes, scenes))
    some = some[torch.randperm(len(some), generator=draw)[: experiment.patches]]
    few = data[some[:100]]
    pixels = few["image"][:, rows].movedim(1, -1)[few["valid"]][::16]

    torch.manual_seed(seed)
    model = Scaled(build(experiment, len(rows)), pixels).to(memory_format=torch.channels_last)
    epoch = experiment.longer * steps // 2 * 16
    order = RandomSampler(range(len(some)), num_samples=epoch, generator=torch.Generator())
    loader = DataLoader(Subset(data, some), sampler=BatchSampler(order, 16, drop_last=False), batch_size=None,
                        generator=order.generator)
    seen = Subset(validation, np.flatnonzero(cloud_share(validation) < experiment.cloud_below))
    watch = DataLoader(seen, sampler=BatchSampler(range(len(seen)), 64, drop_last=False), batch_size=None)
    fit(model, Segmentation(getattr(losses, experiment.loss)),
        Chosen(Augmented(loader, turned, brightened), rows), Chosen(watch, rows),
        FitConfig(epochs=2, learning_rate=learning_rate, weight_decay=0.01, schedule="onecycle", seed=seed))
    return model.eval()


def channels_of(experiment: Experiment, names: tuple[str, ...]) -> list[int]:
    """Number of each channel that an experiment sees."""
    return [names.index(name) for name in experiment.bands or names]


@functools.cache
def snowy_scenes() -> list[simulate.Scene]:
    """Scenes of snowy mountains that are in no part of the course's data."""
    return [simulate.scene(number, surface="snow_mountains", cloud=cloud) for number, cloud in SNOWY]


@torch.no_grad()
def score(model: nn.Module, experiment: Experiment) -> dict[str, float]:
    """Score a network on the validation part, cut where its IoU there is highest.

    Args:
        model: the network.
        experiment: what it sees, and which patches count.

    Returns:
        cut, iou, recall, precision, thin (recall on thin cloud), small (recall on small clouds), calibration (expected
        calibration error of the probabilities), snow (share of the clear pixels of snowy mountains called cloud).
    """
    part = load_patches("validation")
    rows = channels_of(experiment, part.channels)
    found = part[np.flatnonzero(cloud_share(part) < experiment.cloud_below)]
    prob = torch.cat([model(few[:, rows]).sigmoid() for few in found["image"].split(32)])
    mask, valid = found["mask"], found["valid"]
    cut = max(CUTS, key=lambda level: metrics.iou(metrics.count(prob >= level, mask, valid)))
    counts = metrics.count(prob >= cut, mask, valid)
    small = torch.from_numpy(metrics.small_clouds(mask.numpy(), valid.numpy(), SMALL_CLOUD_PIXELS))
    snow = metrics.Counts()
    for view in snowy_scenes():
        image = torch.from_numpy(np.concatenate([view.image, view.land[None]]).astype(np.float32))
        snow += metrics.count(model(image[rows][None])[0].sigmoid().numpy() >= cut, view.mask, view.valid)
    return {name: round(float(value), 4) for name, value in {
        "cut": cut, "iou": metrics.iou(counts), "recall": metrics.recall(counts),
        "precision": metrics.precision(counts),
        "thin": metrics.recall_on(prob >= cut, found["codes"] == metrics.THIN, valid),
        "small": metrics.recall_on(prob >= cut, small, small),
        "calibration": metrics.reliability(prob, mask, valid).error, "snow": metrics.false_alarm_rate(snow),
    }.items()}


def record(folder: Path, seeds: list[int], steps: int, learning_rate: float) -> None:
    """Run what is not recorded yet.

    Args:
        folder: where records are kept.
        seeds: of the trainings.
        steps: updates of each training.
        learning_rate: peak of the one-cycle schedule.
    """
    settings = {"steps": steps, "batch": 16, "learning_rate": learning_rate, "sensor": PACE_OCI.name,
                "simulator": simulate.VERSION}
    done = {"settings": settings, "runs": []}
    if (folder / "unet.json").exists():
        old, _ = recorded.results("unet", folder)
        done = old if old["settings"] == settings else done
    for seed in seeds:
        for name, experiment in EXPERIMENTS.items():
            if any(run["name"] == name and run["seed"] == seed for run in done["runs"]):
                continue
            model = train(experiment, seed, steps, learning_rate)
            run = {"name": name, "seed": seed, **asdict(experiment), **score(model, experiment)}
            print(name, seed, {key: run[key] for key in ("cut", "iou", "thin", "small", "snow")}, flush=True)
            for kept in [key for key, of in KEPT.items() if of == name and seed == seeds[0]]:
                recorded.save_weights(kept, model, COMMAND, [seed], folder)
            done["runs"].append(run)
            recorded.save_results("unet", done, COMMAND, sorted({run["seed"] for run in done["runs"]}), folder)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, default=recorded.FOLDER)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    options.add_argument("--steps", type=int, default=300)
    options.add_argument("--learning-rate", type=float, default=8e-3)
    chosen = options.parse_args()
    record(chosen.folder, chosen.seeds, chosen.steps, chosen.learning_rate)
