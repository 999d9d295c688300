"""Record everything of chapter 11 that needs real scenes, or more training than a page has time for.

``python -m tools.record_satellites`` trains small U-Nets on simulated Landsat scenes, scores them on
simulated and on real ones (``python -m course_utils fetch l8biome`` brings the real ones), and writes
course_utils/recorded/satellites.json and satellites.safetensors. Counts and quantiles are kept, never an image. It
takes some minutes on two cores.
"""

import sys
from collections.abc import Sequence

import torch
from torch import nn

from course_utils import recorded
from course_utils.data.local import locate
from course_utils.data.real import LabelledScene, available, labelled_scenes
from course_utils.data.registry import DATASETS
from course_utils.models.threshold import AllOf
from course_utils.predict import tiled
from course_utils.sensors import LANDSAT8
from course_utils.sim2real import simulated, threshold_rule
from course_utils.sim2real.domain import Predict, quantiles, simulated_scenes, tallies, to_json
from course_utils.sim2real.ensemble import eight_ways, errors_by_doubt, mean_and_doubt
from course_utils.sim2real.scores import CLOUD_FROM, tally
from course_utils.sim2real.tuning import fine_tune, two_halves
from course_utils.sim2real.variants import MEMBERS, SMALL, VARIANTS, empty_ensemble

DATASET, NAME = "l8biome", "satellites"
COMMAND = "python -m tools.record_satellites"
HELD_OUT, HELD_OUT_SEED = range(40), 1      # simulated scenes that no model was trained on
ALL = LANDSAT8.band_names
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def probability(model: nn.Module):
    """What a model says of an image of any size, as a function."""
    return lambda image: tiled(model, image, tile=512, overlap=128)


def masks(predict, cut: float = CLOUD_FROM) -> Predict:
    """The masks that belong to probabilities."""
    return lambda image: predict(image) >= cut


def train_all() -> tuple[dict[str, nn.Module], AllOf]:
    """Train every variant on simulated scenes, and fit the two thresholds to the same scenes."""
    images, codes = simulated(range(SMALL.scenes + SMALL.validation_scenes), SMALL.seed, LANDSAT8, ALL)
    return ({name: variant.train(images, codes) for name, variant in VARIANTS.items()},
            threshold_rule(images, codes, ALL))


def store_members(models: dict[str, nn.Module]) -> nn.ModuleList:
    """Store the members' weights, and give back what a reader gets who loads them."""
    trained = nn.ModuleList(models[f"member {seed}"] for seed in range(MEMBERS))
    recorded.save_weights(NAME, trained, COMMAND, list(range(MEMBERS)), recorded.FOLDER)
    stored = empty_ensemble()
    recorded.weights(NAME, stored, recorded.FOLDER)
    return stored


def cross_tuned(model: nn.Module, scenes: Sequence[LabelledScene]) -> dict:
    """Fine-tune on one half of the scenes, count on the other, and the other way round."""
    halves = two_halves(scenes)
    found = {}
    for tune, held in (halves, halves[::-1]):
        found |= tallies(masks(probability(fine_tune(model, tune, ALL))), held, ALL)
    return found


def by_cut(members: Sequence[nn.Module], scenes: Sequence[LabelledScene]) -> dict:
    """Counts of the members together, for several probabilities from which a pixel is called cloud."""
    mean = {scene.name: mean_and_doubt([probability(one)(scene.image) for one in members])[0] for scene in scenes}
    return {f"{cut:.2f}": to_json({scene.name: tally(mean[scene.name] >= cut, scene) for scene in scenes})
            for cut in CUTS}


def doubts(members: Sequence[nn.Module], scenes: Sequence[LabelledScene]) -> dict[str, list[list[int]]]:
    """Pixels and errors by doubt: of the members together, by their disagreement, and of the first member alone."""
    total = dict.fromkeys(("together", "disagreement", "alone"), 0)
    for scene in scenes:
        probs = [probability(member)(scene.image) for member in members]
        mean, doubt, disagreement = mean_and_doubt(probs)
        wrong = (mean >= CLOUD_FROM) != scene.mask
        alone = (probs[0] >= CLOUD_FROM) != scene.mask
        total["together"] += errors_by_doubt(doubt, wrong, scene.valid)
        total["disagreement"] += errors_by_doubt(disagreement, wrong, scene.valid)
        total["alone"] += errors_by_doubt(mean_and_doubt(probs[:1])[1], alone, scene.valid)
    return {name: counts.tolist() for name, counts in total.items()}


def measure(real: Sequence[LabelledScene]) -> dict:
    """Train, score, count."""
    models, rule = train_all()
    members = store_members(models)
    models |= {f"member {seed}": member for seed, member in enumerate(members)}
    together = masks(lambda image: mean_and_doubt([probability(one)(image) for one in members])[0])
    turned = masks(lambda image: eight_ways(probability(members[0]), image))
    domains = {"simulated": simulated_scenes(HELD_OUT, HELD_OUT_SEED, workers=2, progress=True), "real": real}
    found = {"thresholds": [one.value for one in rule.rules], "counts": {}, "quantiles": {}, "doubts": {}}
    for domain, scenes in domains.items():
        counts = {name: tallies(masks(probability(model)), scenes, VARIANTS[name].bands)
                  for name, model in models.items()}
        counts |= {name: tallies(predict, scenes, ALL) for name, predict in
                   (("two thresholds", rule.predict), ("members together", together), ("eight ways", turned))}
        found["counts"][domain] = {name: to_json(counted) for name, counted in counts.items()}
        found["quantiles"][domain] = {"clear": quantiles(scenes, False), "cloud": quantiles(scenes, True)}
        found["doubts"][domain] = doubts(members, scenes)
    found["counts"]["real"]["fine-tuned"] = to_json(cross_tuned(members[0], real))
    found["cuts"] = by_cut(members, real)
    return found


def files(dataset: str, names: Sequence[str]) -> dict[str, str]:
    """The files of some real scenes, each verified, with their SHA-256."""
    return {file.path: file.sha256 for file in DATASETS[dataset].files
            if any(name in file.path for name in names) and locate(file)}


def main() -> int:
    """Measure and record; the exit code."""
    here = available(DATASET)
    if not here:
        print(f"found no real scene on this machine, expected some; run python -m course_utils fetch {DATASET}",
              file=sys.stderr)
        return 1
    torch.set_num_threads(1)
    found = measure(list(labelled_scenes(DATASET, here))) | {"files": files(DATASET, here)}
    recorded.save_results(NAME, found, COMMAND, [SMALL.seed, HELD_OUT_SEED], recorded.FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
