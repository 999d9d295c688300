"""What a patch is: how it is cut from a scene, kept as bytes, and handed out as a sample dictionary."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from course_utils.codes import CLEAR, IGNORE, is_cloud
from course_utils.data.errors import LayoutError
from course_utils.data.pixels import check_finite
from course_utils.sensors import PACE_OCI, Sensor
from course_utils.simulate import Scene, decode_uint8, encode_uint8

__all__ = ["LAND", "PATCH_SIZE", "Patches", "channel_names", "cut", "decode", "patches_of"]

PATCH_SIZE = 64
LAND = "land"

# What bytes can stand for: reflectance, which grows with their square, or plain shares of 255. The scales come from
# the largest byte; `simulate.decode_uint8` looks each byte up in a table, which takes six times as long.
SCALE = {"reflectance": float(decode_uint8(np.uint8([255]))[0] / np.float32(255**2)),
         "share": float(np.float32(1 / 255))}


@dataclass(frozen=True)
class Patches:
    """Patches as they are stored: one row per patch, bytes where bytes are enough.

    Attributes:
        image: (N, C, H, W) uint8; reflectance by `simulate.encode_uint8`, the land/sea mask as 0 or 255.
        codes: (N, H, W) uint8; 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore.
        valid: (N, H, W) bool; where a measurement exists.
        scene: (N,) int64; number of the scene that each patch was cut from, −1 if unknown.
        channels: name of each channel: the sensor's bands, then perhaps ``"land"``.
        encoding: what the bytes stand for, a key of `SCALE`.
    """

    image: np.ndarray
    codes: np.ndarray
    valid: np.ndarray
    scene: np.ndarray
    channels: tuple[str, ...]
    encoding: str = "reflectance"

    def __len__(self):
        return len(self.image)

    def __post_init__(self):
        if not isinstance(self.encoding, str) or self.encoding not in SCALE:
            raise LayoutError(f"found encoding {self.encoding!r}, expected one of {', '.join(SCALE)}")
        if self.image.ndim != 4 or not all(isinstance(name, str) for name in self.channels):
            raise LayoutError(f"found images {self.image.shape} of channels {str(self.channels)[:60]}, expected "
                              "(N, C, H, W) and C names")
        n, c, h, w = self.image.shape
        expected = {"image": ((n, len(self.channels), h, w), np.uint8), "codes": ((n, h, w), np.uint8),
                    "valid": ((n, h, w), np.bool_), "scene": ((n,), np.int64)}
        for name, (shape, dtype) in expected.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != dtype:
                raise LayoutError(f"found {name} {array.shape} {array.dtype}, expected {shape} "
                                  f"{np.dtype(dtype)} for {n} patches of {c} channels")
        for start in range(0, n, 64):                       # a few at a time: the arrays may stay in their files
            codes = self.codes[start : start + 64]
            unknown = codes[~is_cloud(codes) & (codes != CLEAR) & (codes != IGNORE)]
            if unknown.size:
                raise LayoutError(f"found the codes {np.unique(unknown).tolist()[:8]}, expected 0 clear, 1 thick "
                                  "cloud, 2 thin cloud, 255 ignore; translate the labels of the source first")

    def stored(self, rows: int | slice | Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
        """Give one patch, or several as a batch, with the image as the bytes that are kept.

        Args:
            rows: a number for a sample; a slice, list or array of numbers for a batch.

        Returns:
            ``image`` (C, H, W) uint8, for `decode`; ``mask`` (H, W) bool, true = cloud; ``valid`` (H, W) bool;
            ``codes`` (H, W) uint8; ``scene`` a number. A batch has B in front of each, and ``scene`` (B,) int64.
            All is a copy.
        """
        numbers = np.arange(len(self))[rows]
        image, codes, valid, scene = (np.take(array, numbers, axis=0)
                                      for array in (self.image, self.codes, self.valid, self.scene))
        return {"image": torch.from_numpy(image), "mask": torch.from_numpy(is_cloud(codes)),
                "valid": torch.from_numpy(valid), "codes": torch.from_numpy(codes),
                "scene": torch.from_numpy(scene) if numbers.ndim else int(scene)}

    def decode(self, rows: int | slice | Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
        """Give one patch as a sample, or several as a batch.

        Args:
            rows: a number for a sample; a slice, list or array of numbers for a batch.

        Returns:
            As `stored`, with ``image`` (C, H, W) float32: reflectance, land as 0 or 1.
        """
        sample = self.stored(rows)
        image = decode(sample["image"].numpy(), self.channels, self.encoding)
        return sample | {"image": torch.from_numpy(image)}


def decode(stored: np.ndarray | torch.Tensor, channels: Sequence[str],
           encoding: str = "reflectance") -> np.ndarray | torch.Tensor:
    """Turn the bytes of images into what a model sees, wherever they are: in memory or on an accelerator.

    Bytes are a quarter of the size of reflectances, so a model that waits for its data gets them sooner if they
    are decoded behind the loader, on its own device.

    Args:
        stored: (..., C, H, W) uint8; numpy or torch.
        channels: name of each channel.
        encoding: what the bytes stand for, a key of `SCALE`.

    Returns:
        The same shape and kind, float32, on the same device: reflectance, land as 0 or 1.

    Example:
        >>> decode(np.full((1, 1, 3), [0, 51, 255], np.uint8), ("865",)).tolist()
        [[[0.0, 0.05000000074505806, 1.25]]]
    """
    image = stored.float() if isinstance(stored, torch.Tensor) else stored.astype(np.float32)
    if encoding == "reflectance":
        image *= image                          # in place: at this size, asking for memory takes longer than squaring
    image *= SCALE[encoding]
    if LAND in channels:
        land = channels.index(LAND)
        image[..., land, :, :] = stored[..., land, :, :] > 0
    return image


def channel_names(sensor: Sensor) -> tuple[str, ...]:
    """Name the channels of a sensor's patches: its bands and, for PACE OCI, the land/sea mask.

    Args:
        sensor: a sensor of `course_utils.sensors`.

    Returns:
        The names, in the order of the channels.

    Example:
        >>> channel_names(PACE_OCI)[-2:]
        ('2131', 'land')
    """
    return (*sensor.band_names, LAND) if sensor == PACE_OCI else sensor.band_names


def cut(image: np.ndarray, size: int = PATCH_SIZE) -> np.ndarray:
    """Cut an image into square patches that touch and do not overlap, row by row.

    Args:
        image: (..., H, W), any type; H and W are multiples of the patch size.
        size: rows and columns of a patch.

    Returns:
        (N, ..., size, size) with N = H/size · W/size: the patches from left to right, then from top to
        bottom. A copy.

    Raises:
        LayoutError: the patches do not fill the image.

    Example:
        >>> cut(np.arange(16).reshape(4, 4), size=2)[1]
        array([[2, 3],
               [6, 7]])
    """
    *front, height, width = image.shape
    if size < 1 or height % size or width % size:
        raise LayoutError(f"found an image of {height}×{width} for patches of {size}×{size}, expected multiples "
                          "of the patch size; crop the image first")
    rows, columns = height // size, width // size
    tiles = image.reshape(*front, rows, size, columns, size)        # (..., rows, size, columns, size)
    tiles = np.moveaxis(tiles, (-4, -2), (0, 1))                    # (rows, columns, ..., size, size)
    return tiles.reshape(rows * columns, *front, size, size)


def patches_of(scene: Scene, size: int = PATCH_SIZE) -> Patches:
    """Cut a simulated scene into patches and store them as bytes.

    Args:
        scene: what `simulate.scene` returns.
        size: rows and columns of a patch.

    Returns:
        The patches. Pixels without a measurement hold 0 in every channel.

    Raises:
        InvalidReflectanceError: a valid pixel has a reflectance that is not finite.
        LayoutError: the patches do not fill the scene.
    """
    channels = channel_names(scene.sensor)
    check_finite(scene.image, scene.valid, channels, f"scene {scene.number}")
    stored = encode_uint8(np.where(scene.valid, scene.image, 0))
    if LAND in channels:
        land = np.where(scene.land & scene.valid, np.uint8(255), np.uint8(0))
        stored = np.concatenate([stored, land[None]])
    image = cut(stored, size)
    return Patches(image=image, codes=cut(np.where(scene.valid, scene.codes, np.uint8(IGNORE)), size),
                   valid=cut(scene.valid, size), channels=channels,
                   scene=np.full(len(image), scene.number, dtype=np.int64))
