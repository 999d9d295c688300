"""Writes labelled pictures of the sky as `read_sky_folder` reads them."""

from PIL import Image

__all__ = ["write_sky_folder"]


def write_sky_folder(folder, pictures):
    """PNG files of the same names in images/ and masks/; gives the folder."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for one in pictures:
        Image.fromarray(one.picture).save(folder / "images" / f"{one.name}.png")
        Image.fromarray(one.codes).save(folder / "masks" / f"{one.name}.png")
    return folder
