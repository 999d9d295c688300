"""Go on training with a few labelled real scenes, and score on others."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from course_utils.data.real import LabelledScene
from course_utils.sim2real.domain import granule_of
from course_utils.sim2real.training import Crops
from course_utils.tasks import Segmentation

# Chosen before any score was seen: a quarter of the training's peak rate, as many steps as take seconds.
STEPS, LEARNING_RATE, CROP, BATCH = 60, 1e-3, 96, 8


def two_halves(scenes: Sequence[LabelledScene]) -> tuple[list[LabelledScene], list[LabelledScene]]:
    """Divide scenes so that all patches of one satellite image fall on the same side.

    Args:
        scenes: labelled scenes, named as `granule_of` reads them.

    Returns:
        Two lists; images are dealt out in turn, in the order of their names, so that both have most surfaces.
    """
    granules = sorted({granule_of(scene.name) for scene in scenes})
    first = set(granules[::2])
    return ([scene for scene in scenes if granule_of(scene.name) in first],
            [scene for scene in scenes if granule_of(scene.name) not in first])


def fine_tune(model: nn.Module, scenes: Sequence[LabelledScene], bands: Sequence[str], seed: int = 0) -> nn.Module:
    """Train a copy of a model for some more steps on random crops of a few scenes.

    Args:
        model: maps images (B, C, H, W) in `bands` to logits (B, H, W); left as it is.
        scenes: labelled scenes of one size.
        bands: what the model looks at.
        seed: of the crops.

    Returns:
        The copy, in eval mode.

    Source:
        Chapter 11.
    """
    tuned, task = copy.deepcopy(model).train(), Segmentation()
    images = np.stack([scene.seen_in(bands) for scene in scenes])
    crops = Crops(images, np.stack([scene.codes for scene in scenes]), CROP, seed)
    drawn = RandomSampler(crops, num_samples=STEPS * BATCH, generator=torch.Generator().manual_seed(seed))
    optimizer = torch.optim.AdamW(tuned.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for batch in DataLoader(crops, BATCH, sampler=drawn):
        optimizer.zero_grad()
        task.loss(tuned(batch["image"]), batch).backward()
        optimizer.step()
        schedule.step()
    return tuned.eval()
