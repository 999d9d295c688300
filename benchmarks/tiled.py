"""Largest difference between a granule predicted in tiles and predicted at once, given the U-Net's margin."""

import numpy as np
import torch

from course_utils.models.unet import UNet
from course_utils.predict import tiled


@torch.no_grad()
def main() -> dict[str, float]:
    """Predict one random 700×900 image both ways."""
    torch.manual_seed(0)
    model = UNet(12, width=8).eval()
    image = np.random.default_rng(0).random((12, 700, 900), dtype=np.float32)
    whole = model(torch.from_numpy(image)[None]).sigmoid()[0].numpy()
    difference = np.abs(tiled(model, image, tile=256, overlap=128, margin=60) - whole).max()
    return {"tiled_max_diff": float(difference)}
