"""What `train.fit` costs over a bare loop with the same steps, as a fraction of the bare loop's time."""

import statistics
import time

import torch
from torch.utils.data import DataLoader, StackDataset

from course_utils import losses
from course_utils.models.unet import UNet
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit

ROUNDS = 7


def loaders() -> tuple[DataLoader, DataLoader]:
    """Random patches in memory: nothing here but the loop and the model takes time."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(128, 12, 64, 64, generator=generator)
    mask = image[:, 0] > 0.5
    data = StackDataset(image=image, mask=mask, valid=torch.ones_like(mask))
    return DataLoader(data, 32, shuffle=True, generator=generator), DataLoader(data, 32)


def bare_loop(model: UNet) -> None:
    """The least that one epoch of training and validation can be."""
    train, validation = loaders()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    for batch in train:
        optimizer.zero_grad()
        loss = losses.bce(model(batch["image"]), batch["mask"], batch["valid"])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for batch in validation:
            losses.bce(model(batch["image"]), batch["mask"], batch["valid"])


def main() -> dict[str, float]:
    """Alternate the two several times; the median of the ratios is little moved by what else the machine does."""
    ratios = []
    for round_number in range(ROUNDS + 1):
        seconds = []
        for run in (bare_loop, lambda model: fit(model, Segmentation(), *loaders(), FitConfig(epochs=1))):
            model = UNet(12, width=8)
            started = time.perf_counter()
            run(model)
            seconds.append(time.perf_counter() - started)
        if round_number > 0:  # the first round warms up
            ratios.append(seconds[1] / seconds[0])
    return {"fit_overhead": statistics.median(ratios) - 1}
