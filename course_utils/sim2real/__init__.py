"""From simulation to real images: train a U-Net on simulated images only, score it on labelled real ones."""

from course_utils.sim2real.landsat8 import landsat8, simulated, threshold_rule
from course_utils.sim2real.scores import SCORES, is_snow, score
from course_utils.sim2real.sky import SKY, sky
from course_utils.sim2real.training import Crops, Sim2Real, train_unet

__all__ = [
    "SCORES", "SKY", "Crops", "Sim2Real", "is_snow", "landsat8", "score", "simulated", "sky", "threshold_rule",
    "train_unet",
]
