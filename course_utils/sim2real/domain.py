"""Simulated and real scenes beside each other: what they are called, what their pixels look like, how models do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple

import numpy as np

from course_utils import simulate
from course_utils.data.real import LabelledScene
from course_utils.metrics import Counts
from course_utils.sensors import LANDSAT8
from course_utils.sim2real.scores import Tally, tally

Predict = Callable[[np.ndarray], np.ndarray]
Tallies = dict[str, Tally]                  # by the name of the scene
LEVELS = np.linspace(0, 1, 101)             # of the quantiles that are recorded


def surface_of(name: str) -> str:
    """Say what lies below the clouds of a scene, as its name tells.

    Args:
        name: such as "SnowIce_01_0909" of the set l8biome.

    Returns:
        The surface.

    Example:
        >>> surface_of("SnowIce_01_0909")
        'SnowIce'
    """
    return name.split("_")[0]


def granule_of(name: str) -> str:
    """Say which satellite image a patch was cut from, as its name tells: patches of one image belong together.

    Args:
        name: such as "SnowIce_01_0909" of the set l8biome: surface, number of the image, place of the patch.

    Returns:
        Surface and number of the image.

    Example:
        >>> granule_of("SnowIce_01_0909")
        'SnowIce_01'
    """
    return "_".join(name.split("_")[:2])


def simulated_scenes(
    numbers: Iterable[int], seed: int = 1, workers: int = 1, progress: bool = False
) -> list[LabelledScene]:
    """Simulate scenes as Landsat-8 sees them, in the form of labelled real ones.

    Args:
        numbers: which scenes.
        seed: which series; models of this room are trained on series 0.
        workers: processes that share the work.
        progress: show a bar on stderr.

    Returns:
        The scenes, named by their landscape and number, such as "desert_07".

    Example:
        >>> simulated_scenes([3])[0].image.shape
        (7, 256, 256)
    """
    views = simulate.scenes(numbers, seed=seed, sensor=LANDSAT8, workers=workers, progress=progress)
    return [
        LabelledScene(f"{view.scenario.surface}_{view.number:02}", view.image, view.codes, LANDSAT8.name,
                      LANDSAT8.band_names)
        for view in views
    ]  # fmt: skip


def tallies(predict: Predict, scenes: Iterable[LabelledScene], bands: Sequence[str]) -> Tallies:
    """Count what a mask maker gets right and wrong, scene by scene.

    Args:
        predict: maps an image (C, H, W) in `bands` to a mask (H, W) bool.
        scenes: labelled images that have at least `bands`.
        bands: what `predict` looks at.

    Returns:
        A tally for each scene, by name.
    """
    return {scene.name: tally(predict(scene.seen_in(bands)), scene) for scene in scenes}


def pooled(found: Mapping[str, Tally], names: Iterable[str] | None = None) -> Tally:
    """Add the tallies of scenes.

    Args:
        found: tallies by name.
        names: which scenes, each as often as it is named; None takes every one once.

    Returns:
        Their sum.
    """
    return sum((found[name] for name in (found if names is None else names)), start=Tally())


def to_json(found: Mapping[str, Tally]) -> dict[str, list[list[int]]]:
    """Write tallies as plain lists: of all pixels, thin cloud and clear snow, each tp, fp, fn, tn.

    Args:
        found: tallies by name.

    Returns:
        Lists of whole numbers, by name.
    """
    return {name: [list(astuple(counts)) for counts in (one.everywhere, one.thin, one.snow)]
            for name, one in found.items()}


def from_json(stored: Mapping[str, list[list[int]]]) -> Tallies:
    """Read what `to_json` wrote.

    Args:
        stored: lists of whole numbers, by name.

    Returns:
        Tallies by name.

    Example:
        >>> lists = {"a": [[1, 2, 3, 4], [1, 0, 3, 0], [0, 0, 0, 2]]}
        >>> to_json(from_json(lists)) == lists
        True
    """
    return {name: Tally(*(Counts(*four) for four in lists)) for name, lists in stored.items()}


def quantiles(scenes: Sequence[LabelledScene], cloudy: bool, step: int = 4) -> dict[str, list[float]]:
    """Describe how the reflectance of clear or cloudy pixels is distributed in each band.

    Args:
        scenes: labelled images with the same bands.
        cloudy: look at cloudy pixels, or at clear ones.
        step: looks at every step-th row and column, from the first.

    Returns:
        By band, the quantiles at `LEVELS`, to four decimals.
    """
    chosen = [scene.image[:, ::step, ::step][:, (scene.valid & (scene.mask == cloudy))[::step, ::step]]
              for scene in scenes]  # each (C, n)
    values = np.quantile(np.concatenate(chosen, axis=1), LEVELS, axis=1)  # (101, C)
    return {band: np.round(values[:, c], 4).tolist() for c, band in enumerate(scenes[0].bands)}
