"""What the truth about a pixel may be, and which of it is cloud."""

import numpy as np

__all__ = ["CLEAR", "CLOUD", "CODES", "IGNORE", "OUTSIDE", "SKY", "SKY_CODES", "THICK", "THIN", "is_cloud"]

CLEAR, THICK, THIN, IGNORE = CODES = (0, 1, 2, 255)

# Pictures of the sky, taken from the ground, have codes of their own: the values of their mask files.
SKY, CLOUD, OUTSIDE = SKY_CODES = (100, 255, 0)


def is_cloud(codes: np.ndarray) -> np.ndarray:
    """Turn codes into a mask.

    Args:
        codes: any shape, uint8; 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore; numpy or torch.

    Returns:
        The same shape, bool; true = cloud, thick or thin.

    Example:
        >>> is_cloud(np.array([0, 1, 2, 255])).tolist()
        [False, True, True, False]
    """
    return (codes == THICK) | (codes == THIN)
