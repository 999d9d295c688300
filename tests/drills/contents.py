"""The bytes of files of many formats, right and wrong, and pickles that tell when they are read."""

import gzip
import io
import pickle
import struct
import tarfile
import warnings
import zipfile
import zlib

import numpy as np
import torch

SPRUNG = []                     # grows when a pickle is read


def spring():
    """What nobody may run who only reads a file."""
    SPRUNG.append(True)


class Trap:
    """An object whose unpickling is noticed."""

    def __reduce__(self):
        return spring, ()


PICKLE = pickle.dumps({"array": Trap()})
OBJECTS = np.array([Trap()], dtype=object)


def npy(array):
    """The bytes of an array's file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz(arrays):
    """The bytes of a file of several arrays."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def zipped(members, method=zipfile.ZIP_DEFLATED):
    """The bytes of a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")                         # a name that comes twice
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members, mode="w"):
    """The bytes of a tar archive of plain files and of members that are given as they are."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.isreg():
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def promise(dtype, shape):
    """The start of an array's file that promises an array of any size."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def png_of(width, height, mode=2, depth=8, body=b"\x00"):
    """A PNG whose header says any size, with right check sums."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, mode, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def tensors(value):
    """The bytes of what torch.save writes."""
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


FOREIGN = [b"", b"\n", b"\0" * 100, b"\xff" * 5000, b"hello, world\n", b"<!DOCTYPE html><p>404 Not Found</p>",
           PICKLE, npy(OBJECTS), npy(np.zeros((2, 3))), npz({"a": np.zeros(2)}), npz({"a": OBJECTS}),
           tensors({"a": Trap()}), zipped([("a.txt", b"a")]),
           gzip.compress(b"a" * 300), png_of(4, 4), b"[" * 100_000, b"{}", b"[]", b"null",
           b"-" * 5000, b"\xef\xbb\xbf{}", "{}".encode("utf-16"), promise("|b1", (2**40,)),
           promise("|O", (1,)) + PICKLE, b"a,b\n\0,\0\n", b'"' * 200_000]
