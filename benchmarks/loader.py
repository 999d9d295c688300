"""How much faster the packed layout feeds a model than the PNG layout.

Both are read through a DataLoader, shuffled, in batches of 64, and deliver the same: image, mask, validity, codes and
scene. `loader_ratio` compares images as the bytes that are kept, which `samples.decode` turns into reflectance on the
model's device; `loader_float_ratio` compares images decoded by the dataset, as float32. The files are in the page
cache, and the best pass over all patches counts, so that another program's activity does not.
"""

import tempfile
from pathlib import Path

from torch.utils.data import DataLoader

from course_utils.data.patches import PackedPatches, PngPatches, batches, build_packed, write_png_layout
from course_utils.measure.feeding import patches_per_second
from course_utils.runtime import generator

SCENES, BATCH, ROUNDS, SECONDS = 40, 64, 4, 1.0


def main() -> dict[str, float]:
    """Measure both layouts on the same patches, by turns.

    Returns:
        ``packed_per_second``, ``png_per_second`` and their quotient ``loader_ratio`` for images as bytes; the same
        with ``_float`` for images as float32.
    """
    result = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_png_layout(folder / "png", build_packed(folder / "packed", range(SCENES)).patches)
        for kind, as_bytes in (("", True), ("_float", False)):
            packed = PackedPatches(folder / "packed", as_bytes=as_bytes)
            png = PngPatches(folder / "png", as_bytes=as_bytes)
            loaders = {"packed": batches(packed, BATCH, shuffle=True, generator=generator(0)),
                       "png": DataLoader(png, BATCH, shuffle=True, generator=generator(0))}
            rounds = [{name: patches_per_second(loader, SECONDS) for name, loader in loaders.items()}
                      for _ in range(ROUNDS)]
            best = {name: max(speed[name] for speed in rounds) for name in loaders}
            result |= {f"{name}{kind}_per_second": speed for name, speed in best.items()}
            result[f"loader{kind}_ratio"] = best["packed"] / best["png"]
    return result
