"""Real satellite scenes with masks drawn by analysts, and the file format that such scenes are exchanged in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from course_utils.codes import CLEAR, CODES, IGNORE, THICK, THIN, is_cloud
from course_utils.data.errors import LayoutError, MissingDataError, UnknownDatasetError
from course_utils.data.local import find, locate
from course_utils.data.npz import read_npz
from course_utils.data.pixels import check_finite
from course_utils.data.registry import DATASETS
from course_utils.files import aside, reading
from course_utils.sensors import LANDSAT8, SENSORS, SENTINEL2

__all__ = ["LabelledScene", "available", "labelled_scenes", "read_labelled_npz", "write_labelled_npz"]

# Landsat-8 Biome patches: the last channel is thermal (kelvin) and dropped.
BIOME_BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B9")
BIOME_CODES = {64: CLEAR, 128: CLEAR, 192: THIN, 255: THICK}            # 64 is cloud shadow

# UKIS scenes: six bands that Landsat 5, 7 and 8 share, here under their Landsat-8 names.
UKIS_BANDS = {"landsat5": BIOME_BANDS[:6], "landsat7": BIOME_BANDS[:6],
              "sentinel2": ("B02", "B03", "B04", "B08", "B11", "B12")}
UKIS_CODES = {0: CLEAR, 1: CLEAR, 2: CLEAR, 3: CLEAR, 4: THICK}         # 0 is cloud shadow; thin is not told apart

SAME_CODES = {code: code for code in CODES}
LARGEST = 2**30         # bytes of an array: more would not fit a notebook


@dataclass(frozen=True)
class LabelledScene:
    """A real image with an analyst's mask.

    Attributes:
        name: name in its dataset, such as ``"SnowIce_01_0909"``.
        image: (C, H, W) float32, top-of-atmosphere reflectance.
        codes: (H, W) uint8; 0 clear, 1 thick cloud, 2 thin cloud, 255 ignore.
        sensor: name of the instrument, or of the one that shares its bands.
        bands: name of each channel as `course_utils.sensors` knows it.
    """

    name: str
    image: np.ndarray
    codes: np.ndarray
    sensor: str
    bands: tuple[str, ...]

    @property
    def mask(self) -> np.ndarray:
        """The truth, (H, W) bool: true = cloud, thick or thin."""
        return is_cloud(self.codes)

    @property
    def valid(self) -> np.ndarray:
        """Where the truth is known, (H, W) bool."""
        return self.codes != IGNORE

    def seen_in(self, bands: Sequence[str]) -> np.ndarray:
        """Give the image as a model wants it that looks at some of its bands.

        Args:
            bands: their names, in the order wanted.

        Returns:
            (len(bands), H, W) float32, a copy.

        Raises:
            LayoutError: the scene does not have one of them.
        """
        absent = [band for band in bands if band not in self.bands]
        if absent:
            raise LayoutError(f"found no band {', '.join(absent)} in {self.name}, expected some of "
                              f"{', '.join(self.bands)}")
        return self.image[[self.bands.index(band) for band in bands]]


def available(dataset: str) -> tuple[str, ...]:
    """Name the scenes of a dataset that are on this machine, without using the network.

    Args:
        dataset: ``"l8biome"`` or ``"ukis"``.

    Returns:
        Names of the scenes that can be read now; empty (false) if nothing was fetched.

    Raises:
        UnknownDatasetError: there is no such dataset of labelled scenes.
    """
    return tuple(name for name, files in _scenes(dataset).items() if all(map(find, files)))


def labelled_scenes(dataset: str, names: Iterable[str] | None = None) -> Iterator[LabelledScene]:
    """Read the labelled scenes of a dataset that were fetched, in the registry's order.

    Args:
        dataset: ``"l8biome"`` (29 Landsat-8 patches of 256×256) or ``"ukis"`` (three scenes of 512×512).
        names: names of the scenes wanted, all of which must be here; None takes those that `available` names.

    Yields:
        The scenes.

    Raises:
        UnknownDatasetError: there is no such dataset or scene.
        MissingDataError: a wanted scene, or every scene, still has to be fetched.
        HashMismatchError: a file is not the published one.
        LayoutError: a file does not have the dataset's format.
        InvalidReflectanceError: a reflectance is not finite.
    """
    known = _scenes(dataset)
    wanted = available(dataset) if names is None else tuple(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UnknownDatasetError(f"found no scene {unknown[0]!r} in {dataset}, expected one of {', '.join(known)}")
    if not wanted:
        raise MissingDataError(f"found no scene of {dataset} on this machine, expected fetched files; run "
                               f"python -m course_utils fetch {dataset}, or name a folder that has them in COURSE_DATA")
    read = {"l8biome": _read_biome, "ukis": _read_ukis}[dataset]
    return (read(name, *(locate(file) for file in known[name])) for name in wanted)


def _scenes(dataset: str) -> dict[str, list]:
    """The files of each scene: image and mask, or both in one."""
    if dataset not in ("l8biome", "ukis"):
        raise UnknownDatasetError(f"found no labelled scenes named {dataset!r}, expected l8biome or ukis")
    scenes: dict[str, list] = {}
    for file in DATASETS[dataset].files:
        scenes.setdefault(Path(file.path).stem, []).append(file)
    return scenes


def _read_biome(name: str, image: Path, mask: Path) -> LabelledScene:
    """A Landsat-8 Biome patch from its two TIFF files."""
    with reading(f"no readable TIFF in {image} and {mask}", "an image and its mask; fetch them again", LayoutError):
        stored, labels = tifffile.imread(image), tifffile.imread(mask)
    _expect(stored, (None, None, len(BIOME_BANDS) + 1), np.float32, image)
    _expect(labels, stored.shape[:2], np.uint8, mask)
    return _scene(name, stored[..., :-1], _recode(labels, BIOME_CODES, mask), LANDSAT8.name, BIOME_BANDS, image)


def _read_ukis(name: str, file: Path) -> LabelledScene:
    """A UKIS scene from its NumPy archive."""
    arrays = read_npz(file, ("img", "msk"), LARGEST)
    bands = UKIS_BANDS[name]
    _expect(arrays["img"], (None, None, len(bands)), np.float32, file)
    _expect(arrays["msk"], (*arrays["img"].shape[:2], 1), np.uint8, file)
    codes = _recode(arrays["msk"][..., 0], UKIS_CODES, file)
    sensor = SENTINEL2 if name == "sentinel2" else LANDSAT8
    return _scene(name, arrays["img"], codes, sensor.name, bands, file)


def _scene(name: str, stored: np.ndarray, codes: np.ndarray, sensor: str, bands: tuple[str, ...],
           file: Path) -> LabelledScene:
    """A scene from an image with channels last; reflectances below 0 (noise over dark water) become 0."""
    image = np.ascontiguousarray(np.moveaxis(stored, -1, 0))
    check_finite(image, np.ones(codes.shape, bool), bands, file)
    return LabelledScene(name, np.maximum(image, 0), codes, sensor, bands)


def read_labelled_npz(path: str | Path) -> list[LabelledScene]:
    """Read labelled images from the course's interchange format.

    The file holds ``x`` (N, C, H, W) float32 reflectance, ``mask`` (N, H, W) uint8 with 0 clear, 1 thick cloud,
    2 thin cloud, 255 ignore, and ``bands``, C names that one sensor of `course_utils.sensors` has.

    Args:
        path: the file.

    Returns:
        The N scenes, named after the file and numbered. Ignored pixels without a number become 0.

    Raises:
        MissingDataError: there is no such file.
        LayoutError: an array is missing, empty, or has the wrong shape or type, a code or band is not known, a band
            comes twice.
        InvalidReflectanceError: a pixel that counts has a reflectance that is not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingDataError(f"found no file {path}, expected labelled images written by write_labelled_npz")
    arrays = read_npz(path, ("x", "mask", "bands"), LARGEST)
    x, mask, bands = arrays["x"], arrays["mask"], tuple(map(str, np.atleast_1d(arrays["bands"])))
    _expect(x, (None, len(bands), None, None), np.float32, path)
    _expect(mask, (x.shape[0], *x.shape[2:]), np.uint8, path)
    if not x.size:
        raise LayoutError(f"found images {x.shape} in {path}, expected at least one, of at least one pixel")
    if len(set(bands)) < len(bands):
        raise LayoutError(f"found bands {' '.join(bands)} in {path}, expected each once")
    sensor = _sensor_with(bands, path)
    scenes = []
    for number, (image, labels) in enumerate(zip(x, mask, strict=True)):
        codes = _recode(labels, SAME_CODES, path)
        check_finite(image, codes != IGNORE, bands, path)
        image = np.where(np.isfinite(image), image, np.float32(0))
        scenes.append(LabelledScene(f"{path.stem}-{number}", image, codes, sensor, bands))
    return scenes


def write_labelled_npz(path: str | Path, scenes: Iterable[LabelledScene]) -> None:
    """Write labelled images in the course's interchange format, whole or not at all.

    Args:
        path: the file to write.
        scenes: at least one; all have the same bands and size.

    Raises:
        LayoutError: there is no scene, their bands or sizes differ, or `read_labelled_npz` would refuse one.
        InvalidReflectanceError: a pixel that counts has a reflectance that is not finite.
        WriteError: the disk is full, or nothing may be written there.
    """
    path, scenes = Path(path), list(scenes)
    kinds = {(scene.bands, scene.image.shape) for scene in scenes}
    if len(kinds) != 1:
        raise LayoutError(f"found {len(kinds)} kinds of scenes (bands and size) for {path}, expected one; "
                          "write each kind to its own file")
    for scene in scenes:
        _sensor_with(scene.bands, scene.name)
        _expect(scene.image, (len(scene.bands), None, None), np.float32, scene.name)
        _expect(scene.codes, scene.image.shape[1:], np.uint8, scene.name)
        _recode(scene.codes, SAME_CODES, scene.name)
        check_finite(scene.image, scene.valid, scene.bands, scene.name)
    with aside(path) as new, new.open("wb") as file:
        np.savez_compressed(file, x=np.stack([scene.image for scene in scenes]),
                            mask=np.stack([scene.codes for scene in scenes]), bands=np.array(scenes[0].bands))


def _expect(array: np.ndarray, shape: tuple[int | None, ...], dtype: type, file: Path | str) -> None:
    """Refuse another shape (None stands for any size) or type."""
    fits = len(shape) == array.ndim and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != dtype:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise LayoutError(f"found an array {array.shape} {array.dtype} in {file}, expected ({wanted}) "
                          f"{np.dtype(dtype)}")


def _recode(labels: np.ndarray, table: dict[int, int], file: Path | str) -> np.ndarray:
    """Translate a source's labels into the course's codes."""
    unknown = sorted(set(np.unique(labels).tolist()) - set(table))
    if unknown:
        raise LayoutError(f"found label {', '.join(map(str, unknown))} in {file}, expected only "
                          f"{', '.join(map(str, table))}")
    lookup = np.full(256, IGNORE, np.uint8)
    lookup[list(table)] = list(table.values())
    return lookup[labels]


def _sensor_with(bands: tuple[str, ...], file: Path | str) -> str:
    """The name of the sensor that has all these bands."""
    for sensor in SENSORS.values():
        if set(bands) <= set(sensor.band_names):
            return sensor.name
    known = "; ".join(f"{sensor.name}: {' '.join(sensor.band_names)}" for sensor in SENSORS.values())
    raise LayoutError(f"found bands {' '.join(bands)} in {file}, expected names that one sensor has ({known})")
