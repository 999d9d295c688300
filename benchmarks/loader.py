"""How much faster the packed layout feeds a model than the PNG layout.

Both are read through a DataLoader, shuffled, in batches of 64, as float32 reflectance; the files are in the page cache.
The best pass of three seconds counts, so that another program's activity does not.
"""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from torch.utils.data import DataLoader

from course_utils.data.patches import PngPatches, batches, build_packed, write_png_layout
from course_utils.runtime import generator

SCENES, BATCH, SECONDS = 40, 64, 3.0


def patches_per_second(loader: Iterable[dict]) -> float:
    """Read everything again and again for some seconds.

    Args:
        loader: Gives batch dictionaries.

    Returns:
        Patches a second in the best pass.
    """
    best, end = 0.0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        patches = sum(len(batch["image"]) for batch in loader)
        best = max(best, patches / (time.perf_counter() - start))
    return best


def main() -> dict[str, float]:
    """Measure both layouts on the same patches.

    Returns:
        ``packed_per_second``, ``packed_plain_per_second`` (by a plain DataLoader), ``png_per_second`` and
        ``loader_ratio``, the first over the last.
    """
    with tempfile.TemporaryDirectory() as folder:
        packed = build_packed(Path(folder) / "packed", range(SCENES))
        write_png_layout(Path(folder) / "png", packed.patches)
        png = PngPatches(Path(folder) / "png")
        result = {
            "packed_per_second": patches_per_second(batches(packed, BATCH, shuffle=True, generator=generator(0))),
            "packed_plain_per_second": patches_per_second(
                DataLoader(packed, BATCH, shuffle=True, generator=generator(0))),
            "png_per_second": patches_per_second(DataLoader(png, BATCH, shuffle=True, generator=generator(0))),
        }
    return result | {"loader_ratio": result["packed_per_second"] / result["png_per_second"]}
