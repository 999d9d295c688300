"""The same training of a U-Net, from the naive loop to the tuned one, a step at a time (chapter 12).

``python -m benchmarks.accelerator`` takes minutes and writes ``book/_static/records/accelerator-<device>-<date>.json``,
which the chapter reads. Every variant makes the same updates with the same batches from the same weights, so that all
losses can be compared; a variant that this device does not have is recorded as absent, with the reason.
"""

import argparse
import gc
import json
import tempfile
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from benchmarks._training import Settings, Training
from course_utils.data.patches import Patches, load_patches, write_png_layout
from course_utils.files import aside
from course_utils.runtime import describe_machine, pick_device

RECORDS = Path(__file__).resolve().parents[1] / "book" / "_static" / "records"
FEATURES = ("data on device", "bf16 autocast", "channels_last", "compile", "CUDA graph")    # each added to those before

SETTINGS = {"cuda": Settings(patches=1024, batch=128, width=32, steps=60, warmup=10),
            "mps": Settings(patches=256, batch=32, width=16, steps=20, warmup=3),
            "cpu": Settings(patches=128, batch=16, width=16, steps=12, warmup=2)}


def compare(losses: list[float], naive: list[float]) -> dict[str, bool | float]:
    """Say whether a variant learns what the naive loop learns.

    Args:
        losses: of every step.
        naive: those of the naive loop.

    Returns:
        ``learns``: the last quarter's mean is below the first loss; ``first`` and ``last``: relative differences of the
        first loss and of the last quarter's mean; ``agrees``: they are at most 2 % and 15 %, what bfloat16 explains.
    """
    tail = max(1, len(losses) // 4)
    end, naive_end = (sum(values[-tail:]) / tail for values in (losses, naive))
    first, last = abs(losses[0] / naive[0] - 1), abs(end / naive_end - 1)
    return {"learns": end < losses[0], "first": first, "last": last, "agrees": first <= 0.02 and last <= 0.15}


def absent(feature: str, device: torch.device) -> str | None:
    """Say why a device cannot have a feature.

    Args:
        feature: of `FEATURES`.
        device: where it should run.

    Returns:
        The reason, or None.
    """
    if feature == "CUDA graph" and device.type != "cuda":
        return f"CUDA graphs need a CUDA device, this is {device.type}"
    return None


def record(patches: Patches, device: torch.device, settings: Settings, note: str = "",
           features: tuple[str, ...] = FEATURES) -> dict:
    """Run all variants.

    Args:
        patches: `settings.patches` of them.
        device: where to train.
        settings: see `Settings`.
        note: what a reader should know about the run.
        features: those to add, one after the other.

    Returns:
        The record: machine, date, settings, one entry per variant.
    """
    variants, active = [], ()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "png"
        write_png_layout(folder, patches)
        for feature in (None, *features):
            entry = {"name": feature or "naive"}
            wanted = active if feature is None else (*active, feature)
            if reason := feature and absent(feature, device):
                variants.append(entry | {"absent": reason})
                continue
            gc.collect()                                     # what the variant before held is not this one's memory
            try:
                entry |= Training(wanted, patches, folder, settings, device).run()
            except (RuntimeError, NotImplementedError) as error:         # this device or system cannot do it
                if feature is None:
                    raise
                variants.append(entry | {"absent": f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"})
                continue
            naive = entry if feature is None else variants[0]
            variants.append(entry | {"against_naive": compare(entry["losses"], naive["losses"])})
            active = wanted
    return {"device": device.type, "date": datetime.now(UTC).date().isoformat(), "machine": describe_machine(),
            "threads": torch.get_num_threads(), "settings": asdict(settings), "note": note,
            "command": "python -m benchmarks.accelerator", "variants": variants}


def training_patches(count: int) -> Patches:
    """Take the first patches of the course's training part.

    Args:
        count: how many.

    Returns:
        The patches, in memory.
    """
    part = load_patches("train")
    rows = np.flatnonzero(np.isin(part.patches.scene, part.scenes))[:count]
    return replace(part.patches, **{name: getattr(part.patches, name)[rows]
                                    for name in ("image", "codes", "valid", "scene")})


def main(out: Path = RECORDS, note: str = "", prefer: str | None = None) -> dict[str, float]:
    """Measure on this machine and write the record.

    Args:
        out: the folder for the record.
        note: what a reader should know about the run.
        prefer: a device; None takes the fastest.

    Returns:
        Images a second of each variant that this machine has.
    """
    device = pick_device(prefer)
    settings = SETTINGS[device.type]
    made = record(training_patches(settings.patches), device, settings, note)
    with aside(out / f"accelerator-{device.type}-{made['date']}.json") as new:
        new.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return {f"accelerator {one['name']}": one["images_per_second"] for one in made["variants"] if "absent" not in one}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--note", default="", help="what a reader should know about the run")
    parser.add_argument("--device", default=None, help="cuda, mps or cpu; the fastest if not given")
    chosen = parser.parse_args()
    for name, value in main(note=chosen.note, prefer=chosen.device).items():
        print(f"{name:32} {value:10.1f} images/s")
