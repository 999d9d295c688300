"""Trainings that `tests/test_jobs_data_parallel.py` runs alone and, started by torchrun, on two processes."""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DistributedSampler, Subset

from course_utils.data.patches import PackedPatches, Patches
from course_utils.jobs.data_parallel import Settings, evaluate, loader, train, train_epoch
from course_utils.jobs.team import join
from course_utils.models.mlp import PixelMLP
from course_utils.tasks import Segmentation

SGD = {"model": "unet-tiny", "optimizer": "sgd", "learning_rate": 0.002, "epochs": 5}
ADAM = {"model": "mlp", "optimizer": "adam", "learning_rate": 0.001, "epochs": 3}
DEADLY_EPOCH = 2
COMMON = {"batch_size": 16, "scenes": 13, "patches": 40, "device": "cpu"}


def uneven(count=24, size=8):
    """Patches of noise; most of them lie at the edge of a swath."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (count, 3, size, size), dtype=np.uint8)
    valid = np.arange(size) < rng.integers(1, size + 1, (count, 1, 1)) * np.ones((1, size, 1), dtype=int)
    codes = np.where(valid, image[:, 0] > 128, 255).astype(np.uint8)
    return PackedPatches(Patches(image, codes, valid, np.arange(count, dtype=np.int64), ("a", "b", "c")))


def main(folder):
    """Train undisturbed, and once more with an accident; torchrun starts this program anew after it."""
    lives = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    with join("cpu") as team:
        if lives == 0:
            undisturbed(folder, team)
        # A line and its end are written at once: another process prints at the same time.
        print(json.dumps({"life": lives, "rank": team.rank, "pid": os.getpid()}) + "\n", end="", flush=True)
        for report in train(Settings(**COMMON, **SGD, checkpoint=str(folder / "killed.pt")), team):
            if team.leads:
                torch.save(report, folder / f"killed-{lives}-{report['epoch']}.report")
            if lives == 0 and team.rank == 1 and report["epoch"] == DEADLY_EPOCH:
                os.kill(os.getpid(), signal.SIGKILL)


def undisturbed(folder, team):
    """Train in three ways, score in one; write weights and numbers, once for all processes."""
    for name, options in (("sgd", SGD), ("adam", ADAM)):
        reports = list(train(Settings(**COMMON, **options, checkpoint=str(folder / f"{name}.pt")), team))
        if team.leads:
            torch.save(reports, folder / f"{name}.reports")
    patches = uneven()
    torch.manual_seed(0)
    model = PixelMLP(3, hidden=(8,))
    order = DistributedSampler(patches, team.world, team.rank, shuffle=True, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loss = train_epoch(team.share(model), Segmentation(), loader(patches, order, 8 // team.world), optimizer, team)
    scores = evaluate(model, Segmentation(), Subset(patches, range(23)), 8, team)
    if team.leads:
        torch.save({"model": model.state_dict(), "loss": loss, "scores": scores}, folder / "uneven")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
