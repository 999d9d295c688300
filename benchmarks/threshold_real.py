"""How chapter 02's thresholds, fitted to simulated scenes, do on real Landsat scenes: run this file.

It scores what is on this machine (`python -m course_utils fetch l8biome ukis` brings everything). With `--record` it
also writes course_utils/real_scores.json, which the chapter shows where no real scenes are at hand.
"""

import argparse
import datetime
import json
from pathlib import Path

import numpy as np

from course_utils import metrics, simulate
from course_utils.data.patches import load_patches
from course_utils.data.real import available, labelled_scenes
from course_utils.models.threshold import Threshold
from course_utils.sensors import PACE_OCI
from course_utils.simulate import decode_uint8

RECORD = Path(__file__).resolve().parents[1] / "course_utils/real_scores.json"
# The band of PACE that a threshold was fitted to, and the band of Landsat-8 that takes its place.
COUNTERPARTS = {"470": "B2", "1378": "B9"}


def fit_on_simulated(band: str) -> Threshold:
    """Fit a band's threshold as chapter 02 does: every fourth row and column of the training part."""
    train = load_patches("train")
    rows = np.isin(train.patches.scene, train.scenes)
    channel = PACE_OCI.index(band)
    images = decode_uint8(train.patches.image[rows, channel : channel + 1, ::4, ::4])
    return Threshold.fit(0, images, *metrics.from_codes(train.patches.codes[rows, ::4, ::4]))


def score() -> list[dict]:
    """Score both thresholds on every real dataset that is here.

    Returns:
        One dictionary per band and dataset: band, counterpart, dataset, scenes, accuracy, iou, and best_iou, the
        highest that any threshold on that band reaches on these very scenes.
    """
    rows = []
    for band, counterpart in COUNTERPARTS.items():
        value = fit_on_simulated(band).value
        for dataset in ("l8biome", "ukis"):
            scenes = list(labelled_scenes(dataset, available(dataset))) if available(dataset) else []
            scenes = [scene for scene in scenes if counterpart in scene.bands]
            if not scenes:
                continue
            seen = [np.stack([getattr(scene, name) for scene in scenes]) for name in ("image", "mask", "valid")]
            channel = scenes[0].bands.index(counterpart)
            counts, best = (metrics.count(rule.predict(seen[0]), *seen[1:])
                            for rule in (Threshold(channel, value), Threshold.fit(channel, *seen)))
            rows.append({"band": band, "counterpart": counterpart, "dataset": dataset, "scenes": len(scenes),
                         "accuracy": round(metrics.accuracy(counts), 4), "iou": round(metrics.iou(counts), 4),
                         "best_iou": round(metrics.iou(best), 4)})
    return rows


def main() -> dict[str, float]:
    """Give the IoU of each rule on each dataset that is here, by a name such as ``iou_470_l8biome``."""
    return {f"iou_{row['band']}_{row['dataset']}": row["iou"] for row in score()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write what is found into the package")
    options = parser.parse_args()
    found = {"recorded": datetime.datetime.now(datetime.UTC).date().isoformat(), "simulator": simulate.VERSION,
             "numpy": np.__version__, "rows": score()}
    print(json.dumps(found, indent=1))
    if options.record:
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
