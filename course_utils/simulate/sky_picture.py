"""What every labelled picture of the sky tells, simulated or read from a file."""

import numpy as np

from course_utils.codes import CLOUD, OUTSIDE


class LabelledSky:
    """Gives a picture and its codes as a model and its judge want them; the subclass holds both.

    Attributes:
        picture: (H, W, 3) uint8 red, green, blue.
        codes: (H, W) uint8, 100 sky, 255 cloud, 0 outside.
    """

    picture: np.ndarray
    codes: np.ndarray

    @property
    def image(self) -> np.ndarray:
        """What a model sees: (3, H, W) float32, 0–1."""
        return np.moveaxis(self.picture, -1, 0).astype(np.float32) / 255

    @property
    def mask(self) -> np.ndarray:
        """The truth, (H, W) bool: true = cloud."""
        return self.codes == CLOUD

    @property
    def valid(self) -> np.ndarray:
        """Where the picture shows the sky, (H, W) bool."""
        return self.codes != OUTSIDE

    @property
    def cloud_fraction(self) -> float:
        """Share of the visible sky's pixels that are cloud, 0–1."""
        return float(self.mask.sum() / self.valid.sum())
