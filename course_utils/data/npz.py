"""Arrays read from an .npz file with suspicion: nothing in it is believed, and no more is unpacked than was asked for.

The file may come from anybody's machine. Pickled objects are never read, since reading them can run code, and a header
is taken only in the plain form that NumPy writes; that is why the arrays are not left to `numpy.load`.
"""

import math
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course_utils.data.errors import LayoutError
from course_utils.files import reading

__all__ = ["read_npz"]

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)      # of packing; others unpack more at once than is asked for
PIECE = 1 << 20                                # bytes unpacked at a time
HEADER = 1_000                                 # bytes that the header of an array may take
_HEADER = re.compile(rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)"
                     rb"\{'descr': '([<>|=]?[biufcSUOV]\d{0,9})', 'fortran_order': (True|False), "
                     rb"'shape': \(((?:\d{1,18}, ?){0,8}(?:\d{1,18})?)\), \} *\n", re.DOTALL)


def read_npz(path: str | Path, names: Sequence[str], largest: int, alone: bool = False) -> dict[str, np.ndarray]:
    """Read named arrays of numbers or text.

    Args:
        path: the file, as `numpy.savez` or `numpy.savez_compressed` writes it.
        names: of the arrays.
        largest: bytes that an array may have once it is unpacked.
        alone: whether other arrays are refused.

    Returns:
        The arrays, by their names.

    Raises:
        LayoutError: the file cannot be read, an array is missing, too large, or no array of numbers or text.
    """
    path = Path(path)
    expected = f"a .npz file with {', '.join(names)}"
    with reading(f"{path.name} that cannot be read", expected, LayoutError):
        if not path.is_file():                  # a device or a pipe may never end
            raise LayoutError(f"found no file {path.name}, expected {expected}")
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            found = [info.filename for info in archive.infolist()]
            wanted = [f"{name}.npy" for name in names]
            if sorted(found) != sorted(wanted) if alone else any(found.count(name) != 1 for name in wanted):
                shown = ", ".join(name.removesuffix(".npy") for name in found[:10]) or "nothing"
                raise LayoutError(f"found {shown[:200]!r} in {path.name}, expected {', '.join(names)}, each once")
            return {name: _array(archive, name, largest) for name in names}


def _array(archive: zipfile.ZipFile, name: str, largest: int) -> np.ndarray:
    """One array, unpacked only after its header has been found harmless."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in METHODS:
        raise LayoutError(f"found {name} packed by method {info.compress_type}, expected what "
                          "numpy.savez_compressed writes")
    if info.file_size > largest + HEADER:
        raise LayoutError(f"found {name} of {info.file_size:,} bytes once unpacked, expected at most "
                          f"{largest + HEADER:,}")
    with archive.open(info) as file:
        start = file.read(HEADER)
        header = _HEADER.match(start)
        try:
            dtype = np.dtype(header[1].decode()) if header else None
        except (TypeError, ValueError):
            dtype = None
        if dtype is None:
            raise LayoutError(f"found {name} that is no array of numbers or text, expected what numpy.save writes")
        if dtype.hasobject:
            raise LayoutError(f"found {name} of Python objects, expected numbers or text; objects are never read, "
                              "since reading them can run code")
        shape, size = tuple(map(int, re.findall(rb"\d+", header[3]))), info.file_size - header.end()
        if dtype.itemsize * math.prod(shape) != size or dtype.itemsize == 0:
            raise LayoutError(f"found {name} {str(shape)[:80]} {dtype} in {size:,} bytes, expected as many as the "
                              "numbers need")
        content = bytearray(size)
        done = min(size, len(start) - header.end())
        content[:done] = start[header.end():]
        while piece := file.read(PIECE):
            content[done : done + len(piece)] = piece
            done += len(piece)
    values = np.ndarray(shape, dtype, content, order="F" if header[2] == b"True" else "C")
    if dtype.kind == "U" and (np.frombuffer(content, np.dtype("u4").newbyteorder(dtype.byteorder)) > 0x10FFFF).any():
        raise LayoutError(f"found {name} with characters that do not exist, expected text")
    return values.view(np.uint8) != 0 if dtype == np.bool_ else values          # a byte of 2 is true, too
