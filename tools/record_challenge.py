"""Record the course's own entries to the cloud-mask challenge, by the rules of chapter 17.

``python -m tools.record_challenge`` trains each entry on the training part, cuts it on the validation part, masks the
images of the self-study round, and has its file marked. It writes scores to course_utils/challenge/leaderboard.json,
and to course_utils/recorded/challenge.json how many pixels of each scene were right and wrong. It takes some ten
minutes; the seconds on the board are those of the machine that ran it.

``--steps 0.01 --folder _build/try`` tries it out; such results are no results.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from course_utils import challenge, losses, recorded, runtime
from course_utils.challenge.images import TestImages
from course_utils.data.augment import Augmented, turned
from course_utils.data.patches import PackedPatches, batches, load_patches
from course_utils.metrics import count, iou
from course_utils.models.cnn import SimpleCNN
from course_utils.models.mlp import PixelMLP
from course_utils.models.scaled import Scaled
from course_utils.models.threshold import AllOf
from course_utils.models.unet import UNet
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit

COMMAND = "python -m tools.record_challenge"
SCENES = 450                            # 406 of them are for training
CUTS = np.arange(0.10, 0.91, 0.05).round(2)


@dataclass(frozen=True)
class Entry:
    """A network and how it is trained.

    Attributes:
        model: what the board says about it.
        build: makes the network for twelve channels.
        steps: updates, of 16 patches each.
        learning_rate: peak of the one-cycle schedule.
    """

    model: str
    build: Callable[[], nn.Module]
    steps: int
    learning_rate: float


ENTRIES = {
    "logistic regression": Entry("a weight for each channel (chapter 03)", lambda: PixelMLP(12, hidden=()), 2000, 3e-2),
    "pixel MLP": Entry("5 hidden layers of 32, no neighbours (chapter 04)", lambda: PixelMLP(12), 800, 1e-2),
    "SimpleCNN": Entry("10 convolutions of width 16 (chapter 08)", lambda: SimpleCNN(12), 500, 1e-2),
    "narrow U-Net": Entry("U-Net of width 4 (chapter 10)", lambda: UNet(12, width=4), 500, 1e-2),
    "U-Net": Entry("U-Net of width 16 (chapter 10)", lambda: UNet(12, width=16), 800, 6e-3),
}


def train(entry: Entry, data: PackedPatches, validation: PackedPatches, steps: int) -> nn.Module:
    """Train a network.

    Args:
        entry: which.
        data: training part.
        validation: validation part; after each half of the training the better weights are kept.
        steps: updates.

    Returns:
        The network, which scales its own inputs, in eval mode.
    """
    few = data[::40]
    pixels = few["image"].movedim(1, -1)[few["valid"]][::16]
    torch.manual_seed(0)
    model = Scaled(entry.build(), pixels).to(memory_format=torch.channels_last)
    order = RandomSampler(data, num_samples=steps // 2 * 16, generator=torch.Generator())
    loader = DataLoader(data, sampler=BatchSampler(order, 16, drop_last=False), batch_size=None,
                        generator=order.generator)
    config = FitConfig(epochs=2, learning_rate=entry.learning_rate, weight_decay=0.01, schedule="onecycle",
                       mixed_precision=True)
    fit(model, Segmentation(losses.bce_dice), Augmented(loader, turned), batches(validation, 16), config)
    return model.eval()


@torch.no_grad()
def probabilities(model: nn.Module, images: PackedPatches | TestImages) -> np.ndarray:
    """Probability of cloud of every patch, (N, H, W) float32."""
    return torch.cat([model(batch["image"]).sigmoid() for batch in batches(images, 16)]).numpy()


def network(entry: Entry, test: TestImages, share: float) -> tuple[np.ndarray, int]:
    """Train, cut on validation, mask the test images.

    Args:
        entry: which network.
        test: images of the round.
        share: of the steps.

    Returns:
        Masks, and how many numbers the network learned.
    """
    data, validation = load_patches("train", scenes=SCENES), load_patches("validation")
    model = train(entry, data, validation, max(2, int(share * entry.steps)))
    prob, seen = probabilities(model, validation), validation[:]
    mask, valid = seen["mask"].numpy(), seen["valid"].numpy()
    del seen
    cut = max(CUTS, key=lambda level: iou(count(prob >= level, mask, valid)))
    return probabilities(model, test) >= cut, sum(p.numel() for p in model.parameters())


def thresholds(test: TestImages) -> tuple[np.ndarray, int]:
    """Fit two thresholds to training pixels, mask the test images."""
    data = load_patches("train", scenes=SCENES)
    few = data[::10]
    bands = tuple(data.channels.index(name) for name in ("550", "1618"))
    rule = AllOf.fit(bands, few["image"], few["mask"], few["valid"])
    return np.concatenate([rule.predict(batch["image"].numpy()) for batch in batches(test, 64)]), rule.parameters


def record(folder: Path, results: Path, share: float) -> None:
    """Make every entry, have it marked, write board and counts.

    Args:
        folder: where leaderboard.json is written.
        results: where records are kept.
        share: of the steps.
    """
    own, test, scenes = challenge.Round(), challenge.test_images(), {}
    board = folder / "leaderboard.json"
    board.unlink(missing_ok=True)
    for name in ("two thresholds", *ENTRIES):
        clock = challenge.Budget()
        with clock:
            pred, parameters = network(ENTRIES[name], test, share) if name in ENTRIES else thresholds(test)
        model = ENTRIES[name].model if name in ENTRIES else "bright at 550 and at 1618 nm (chapter 02)"
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "entry.npz"
            handed_in = challenge.Submission(test.round_id, name, model, parameters, clock.spent, test.ids, pred)
            challenge.write_submission(path, handed_in)
            entry, _ = challenge.enter(challenge.read_submission(path), own, board)
        counts = challenge.mark(handed_in, own).scenes
        scenes[name] = {part: getattr(counts, part).tolist() for part in ("tp", "fp", "fn", "tn")}
        print(name, {key: entry[key] for key in ("score", "error", "cpu_seconds", "snow_alarms")}, flush=True)
        recorded.save_results("challenge", {"round": own.id, "machine": runtime.describe_machine()["device"],
                                            "scenes": scenes}, COMMAND, [0], results)
    board.with_name(f".{board.name}.lock").unlink(missing_ok=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", type=Path, help="for both files (default: their places in the package)")
    options.add_argument("--steps", type=float, default=1.0, help="share of the steps")
    chosen = options.parse_args()
    record(chosen.folder or Path(challenge.__file__).parent, chosen.folder or recorded.FOLDER, chosen.steps)
