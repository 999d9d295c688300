"""Record how chapter 02's thresholds, fitted to simulated scenes, do on real Landsat scenes.

``python -m tools.record_real_scores`` scores what is on this machine (``python -m course_utils fetch l8biome ukis``
brings everything) and writes course_utils/real_scores.json, which the chapter shows where no real scenes are at hand.
"""

import datetime
import json
import sys
from pathlib import Path

import numpy as np

from course_utils import metrics, simulate
from course_utils.data.patches import load_patches
from course_utils.data.real import available, labelled_scenes
from course_utils.files import aside
from course_utils.models.threshold import Threshold
from course_utils.sensors import PACE_OCI
from course_utils.simulate import decode_uint8

RECORD = Path(__file__).resolve().parents[1] / "course_utils/real_scores.json"
# The band of PACE that a threshold was fitted to, and the band of Landsat-8 that takes its place.
COUNTERPARTS = {"550": "B3", "1378": "B9"}


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


def main() -> int:
    """Score, show and record; the exit code."""
    rows = score()
    if not rows:
        print("found no real scene on this machine, expected some; run python -m course_utils fetch l8biome ukis",
              file=sys.stderr)
        return 1
    found = {"recorded": datetime.datetime.now(datetime.UTC).date().isoformat(), "simulator": simulate.VERSION,
             "numpy": np.__version__, "rows": rows}
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    with aside(RECORD) as new:
        new.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
