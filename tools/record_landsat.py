"""Record what ``python -m course_utils sim2real landsat8`` reaches, and where its cut was chosen.

``python -m tools.record_landsat`` trains the command's U-Net for several seeds, each time for the bands of two sets of
real scenes (``python -m course_utils fetch ukis l8biome`` brings them), and counts its masks on both: on `ukis` at
several cuts, then on `l8biome` at the best of these only, which is to be `CUT` in course_utils/sim2real/landsat8.py. It
writes course_utils/recorded/landsat8.json, and takes about ten minutes on two cores.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from course_utils import recorded
from course_utils.data.real import LabelledScene, available, labelled_scenes
from course_utils.sensors import LANDSAT8
from course_utils.sim2real.domain import from_json, pooled, tallies, to_json
from course_utils.sim2real.landsat8 import simulated
from course_utils.sim2real.scores import tally
from course_utils.sim2real.training import Sim2Real, train_unet
from tools.record_satellites import files, masks, probability

CHOOSE, REPORT, NAME = "ukis", "l8biome", "landsat8"
COMMAND = "python -m tools.record_landsat"
SEEDS = range(4)
CUTS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
UNHURRIED = float("inf")        # seconds: a record has every epoch, also from a slow machine


def scenes_here(dataset: str) -> list[LabelledScene]:
    """The labelled scenes of a set that are here and have bands of Landsat-8."""
    here = available(dataset)
    return [scene for scene in labelled_scenes(dataset, here) if scene.sensor == LANDSAT8.name] if here else []


def train_for(bands: Sequence[str], images: np.ndarray, codes: np.ndarray, config: Sim2Real) -> Callable:
    """Train the command's U-Net for some bands, with all its epochs; what it says of an image in them."""
    rows = [LANDSAT8.index(band) for band in bands]
    model, _ = train_unet(images[:, rows], codes, replace(config, max_seconds=UNHURRIED))
    return probability(model)


def by_cut(predict: Callable, scenes: Sequence[LabelledScene]) -> dict:
    """Counts on each scene, for every cut."""
    probs = {scene.name: predict(scene.seen_in(scene.bands)) for scene in scenes}
    return {f"{cut:.2f}": to_json({scene.name: tally(probs[scene.name] >= cut, scene) for scene in scenes})
            for cut in CUTS}


def best_cut(cuts: dict) -> float:
    """The cut with the highest mean IoU, averaged over the trainings."""
    mean = {cut: np.mean([pooled(from_json(one[cut])).scores()["mean_iou"] for one in cuts.values()])
            for cut in next(iter(cuts.values()))}
    return float(max(mean, key=mean.get))


def measure(choose: Sequence[LabelledScene], report: Sequence[LabelledScene], config: Sim2Real) -> dict:
    """Counts of every seed: by cut on the scenes to choose on, then at the best cut on those to report on."""
    cuts, trained = {}, {}
    for seed in map(str, SEEDS):
        numbers, own = range(config.scenes + config.validation_scenes), replace(config, seed=int(seed))
        world = simulated(numbers, own.seed, LANDSAT8, LANDSAT8.band_names)
        cuts[seed] = by_cut(train_for(choose[0].bands, *world, own), choose)
        trained[seed] = train_for(report[0].bands, *world, own)
    cut = best_cut(cuts)
    counts = {seed: to_json(tallies(masks(predict, cut), report, report[0].bands))
              for seed, predict in trained.items()}
    return {"cuts": cuts, "cut": cut, "counts": counts}


def main() -> int:
    """Measure and record; the exit code."""
    choose, report = scenes_here(CHOOSE), scenes_here(REPORT)
    if not (choose and report):
        print(f"found no real scene of {REPORT if choose else CHOOSE} on this machine, expected some; "
              f"run python -m course_utils fetch {CHOOSE} {REPORT}", file=sys.stderr)
        return 1
    used = [files(name, [scene.name for scene in scenes]) for name, scenes in ((CHOOSE, choose), (REPORT, report))]
    config = Sim2Real()
    found = measure(choose, report, config) | {"config": asdict(config), "files": used[0] | used[1]}
    recorded.save_results(NAME, found, COMMAND, list(SEEDS), recorded.FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
