"""What each chapter needs beside the package: what it simulates and keeps, what it shows if it was fetched."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from course_utils import budgets, challenge
from course_utils.challenge.images import kept_images
from course_utils.data.cached import COURSE_SCENES, cached_folder, load_patches, shared_twin
from course_utils.data.errors import DataError
from course_utils.data.packed import open_packed, origin
from course_utils.data.sky_frames import FRAME_PARTS, TIMES, frames_are_kept, load_frames, load_series
from course_utils.sensors import PACE_OCI

__all__ = ["CHAPTERS", "KEPT", "MORE_SCENES", "NIGHT", "Chapter", "Kept"]

MORE_SCENES = 450               # what chapters that train larger networks ask for
NIGHT = 69                      # the night whose cloud fraction chapter 09 follows
WORKERS = 2


@dataclass(frozen=True)
class Kept:
    """Something that is simulated when a chapter first needs it, then kept.

    Attributes:
        name: what a person calls it.
        mb: what it takes on the disk, in 10⁶ bytes.
        is_here: says whether it need not be made any more.
        make: makes it, or finds it.
    """

    name: str
    mb: int
    is_here: Callable[[], bool]
    make: Callable[[], object]


@dataclass(frozen=True)
class Chapter:
    """A chapter and what it needs.

    Attributes:
        name: its file name without ending.
        title: its heading.
        kept: names of entries of `KEPT` that it cannot do without.
        fetched: datasets of the registry that it shows if they are there; it works without.
        compiles: whether it compiles C and Fortran if it can.
    """

    name: str
    title: str
    kept: tuple[str, ...] = ()
    fetched: tuple[str, ...] = ()
    compiles: bool = False

    @property
    def number(self) -> str:
        """Two digits."""
        return self.name[:2]

    @property
    def seconds(self) -> float | None:
        """What its notebook took when the book was last measured; None if it was not."""
        return (budgets.measured().of(self.name) or {}).get("seconds")

    @property
    def peak_mb(self) -> float | None:
        """The most memory that its kernel held then, in 10⁶ bytes; None if it was not measured."""
        return (budgets.measured().of(self.name) or {}).get("peak_rss_mb")


CHAPTERS = (
    Chapter("01_tensors", "Tensors"),
    Chapter("02_cloud_masking", "The cloud-masking problem", ("patches",), ("l8biome",)),
    Chapter("03_descent", "Fitting by gradient descent", ("patches",)),
    Chapter("04_mlp", "Multi-layer perceptrons", ("patches",)),
    Chapter("05_backpropagation", "Backpropagation", ("patches",)),
    Chapter("06_training", "Training well", ("patches",)),
    Chapter("07_convolution", "Convolution"),
    Chapter("08_cnn", "Convolutional networks", ("patches", "more patches"), ("mnist",)),
    Chapter("09_patches", "From patches to pixels", ("sky frames",)),
    Chapter("10_unet", "U-Nets", ("patches", "more patches")),
    Chapter("11_satellites", "From simulation to real satellites", (), ("l8biome",)),
    Chapter("12_gpus", "GPUs"),
    Chapter("13_feeding", "Feeding the model", ("patches",)),
    Chapter("14_supercomputers", "Many GPUs, and supercomputers", ("patches",)),
    Chapter("15_deploying", "Deploying a model", compiles=True),
    Chapter("16_earth_science", "Machine learning in Earth science"),
    Chapter("17_challenge", "The cloud-mask challenge", ("patches", "more patches", "challenge images")),
)


def _patches_are_here(scenes: int) -> bool:
    """Whether the patches of so many scenes are kept, whole and of this version of the simulator."""
    folder = cached_folder(scenes=scenes)
    for place in (shared_twin(folder), folder):
        with suppress(DataError):
            open_packed(place, origin(range(scenes), 0, PACE_OCI), verify=True)
            return True
    return False


def _make_patches(scenes: int) -> None:
    """Simulate the patches of so many scenes."""
    load_patches("all", scenes=scenes, workers=WORKERS, progress=False)


def _make_frames() -> None:
    """Simulate the all-sky camera's frames."""
    for part in FRAME_PARTS:
        for time in TIMES:
            load_frames(part, time, progress=False)
    load_series(NIGHT, progress=False)


KEPT = {
    "patches": Kept(f"the patches of {COURSE_SCENES} scenes", 138, lambda: _patches_are_here(COURSE_SCENES),
                    lambda: _make_patches(COURSE_SCENES)),
    "more patches": Kept(f"the patches of {MORE_SCENES} scenes", 413, lambda: _patches_are_here(MORE_SCENES),
                         lambda: _make_patches(MORE_SCENES)),
    "sky frames": Kept("the sky camera's frames", 52, lambda: frames_are_kept(NIGHT), _make_frames),
    "challenge images": Kept("the challenge's images", 55, lambda: kept_images() is not None, challenge.test_images),
}
