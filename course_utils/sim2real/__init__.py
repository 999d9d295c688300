"""From simulation to real images: train a U-Net on simulated images only, score it on labelled real ones."""

from course_utils.sim2real.landsat8 import CUT, landsat8, simulated, threshold_rule
from course_utils.sim2real.scores import CLOUD_FROM, SCORES, Tally, is_snow, score, tally
from course_utils.sim2real.sky import SKY, sky
from course_utils.sim2real.training import Crops, Sim2Real, train_unet

__all__ = [
    "CLOUD_FROM", "CUT", "SCORES", "SKY", "Crops", "Sim2Real", "Tally", "is_snow", "landsat8", "score", "simulated",
    "sky", "tally", "threshold_rule", "train_unet",
]
