"""What every network of the course expects of its input, said in words where it gets something else."""

from torch import Tensor


def check_image(image: Tensor, channels: int, pixels: bool = False, side: int | None = None) -> None:
    """Refuse an input that a network was not built for.

    Args:
        image: what the network was given; channels are its second dimension.
        channels: how many the network has.
        pixels: whether a list of pixels (N, C) is as good as images.
        side: rows and columns that a picture must have; None takes any.

    Raises:
        ValueError: another number of dimensions or channels, no pixel, another size, or numbers that are not
            floating-point.
    """
    if (image.ndim != 4 and not (pixels and image.ndim == 2)) or image.shape[1] != channels:
        raise ValueError(
            f"found an image of shape {tuple(image.shape)}, expected (B, {channels}, H, W)"
            f"{f' or pixels (N, {channels})' if pixels else ''}; "
            "give the bands that the network was built for, and a single image as image[None]"
        )
    if 0 in image.shape[2:]:
        raise ValueError(f"found an image of shape {tuple(image.shape)}, expected at least one pixel")
    if side is not None and image.shape[2:] != (side, side):
        raise ValueError(f"found pictures of {image.shape[2]}×{image.shape[3]}, expected {side}×{side}; "
                         "cut or resize them")
    if not image.is_floating_point():
        raise ValueError(
            f"found an image of {str(image.dtype).removeprefix('torch.')}, expected float32 reflectance; "
            "turn bytes into reflectance with data.patches.decode"
        )
