"""How much faster one dense pass is than a patch around every pixel of a 512×512 frame, and how equal."""

import time

import torch
from torch.nn import functional as F

from course_utils.models.patch_classifier import PatchClassifier
from course_utils.predict import dense

SIDE = 512
SAMPLE = 4000  # pixels classified patch by patch; their time is scaled to the whole frame


@torch.no_grad()
def main() -> dict[str, float]:
    """Time both ways on one random frame and compare their logits."""
    generator = torch.Generator().manual_seed(0)
    classifier = PatchClassifier(3).eval()
    frame = torch.rand(3, SIDE, SIDE, generator=generator)
    dense(classifier, frame[:, :64])  # warm up

    started = time.perf_counter()
    whole = dense(classifier, frame)
    dense_seconds = time.perf_counter() - started

    pixels = torch.randperm(SIDE * SIDE, generator=generator)[:SAMPLE]
    padded = F.pad(frame[None], (16, 15, 16, 15), mode="reflect")[0]
    started = time.perf_counter()
    by_patch = []
    for chosen in pixels.split(500):
        places = [(p // SIDE, p % SIDE) for p in chosen.tolist()]
        by_patch.append(classifier(torch.stack([padded[:, r : r + 32, c : c + 32] for r, c in places])))
    patch_seconds = (time.perf_counter() - started) * SIDE**2 / SAMPLE

    difference = (torch.cat(by_patch).T - whole.flatten(1)[:, pixels]).abs().max()
    return {"dense_ratio": patch_seconds / dense_seconds, "dense_max_diff": difference.item()}
