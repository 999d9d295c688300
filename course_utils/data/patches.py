"""Patches of scenes, from cutting to reading: the front door of the files that do one thing each.

`samples` says what a patch is, `png_layout` reads and writes the PACE tutorials' PNG files, `packed` the
memory-mapped files that training reads, `cached` gives the course's own dataset.
"""

from course_utils.data.cached import cached_folder, load_patches, scenes_of, shared_twin
from course_utils.data.packed import PackedPatches, batches, build_packed, open_packed, simulate_patches, write_packed
from course_utils.data.png_layout import PngPatches, write_png_layout
from course_utils.data.samples import PATCH_SIZE, Patches, channel_names, cut, decode, patches_of

__all__ = [
    "PATCH_SIZE",
    "PackedPatches",
    "Patches",
    "PngPatches",
    "batches",
    "build_packed",
    "cached_folder",
    "channel_names",
    "cut",
    "decode",
    "load_patches",
    "open_packed",
    "patches_of",
    "scenes_of",
    "shared_twin",
    "simulate_patches",
    "write_packed",
    "write_png_layout",
]
