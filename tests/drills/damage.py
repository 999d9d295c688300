"""Files spoilt in every way that files are: cut off, overwritten, exchanged, lying about their size, carrying a pickle.

A sample is a dictionary of file contents by path. `damaged` draws a copy of it in which one file was spoilt, mostly
with an eye for what is in such a file (`CRAFT`, by its ending), otherwise without.
"""

import gzip
import io
import json
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image

from tests.drills.contents import FOREIGN, OBJECTS, PICKLE, Trap, npy, png_of, promise, tarred, tensors, zipped

LOOP = "a link to itself"
FOLDER = "a folder of that name"
PIPE = "a pipe that nobody writes to"
DEVICE = "a link to a device that never ends"

# --- without looking -------------------------------------------------------------------------------------------------


@st.composite
def blindly(draw, content):
    """Bytes cut off, changed, repeated, left out or exchanged."""
    content = bytearray(content)
    if not content or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(FOREIGN) | st.binary(max_size=200))
    size = len(content)
    edge = st.integers(0, min(size, 200) - 1) | st.integers(max(0, size - 300), size - 1) | st.integers(0, size - 1)
    way, place = draw(st.sampled_from(["cut", "flip", "flip", "number", "leave out", "repeat"])), draw(edge)
    if way == "cut":
        return bytes(content[:place])
    if way == "flip":
        for spot in [place, *draw(st.lists(edge, max_size=6))]:
            content[spot] ^= 1 << draw(st.integers(0, 7))
    elif way == "number":
        width = draw(st.sampled_from([2, 4, 8]))
        content[place : place + width] = draw(st.sampled_from([b"\xff", b"\x7f", b"\x00", b"\x80"])) * width
    else:
        length = draw(st.integers(1, 100))
        content[place : place + (length if way == "leave out" else 0)] = (
            b"" if way == "leave out" else content[place : place + length])
    return bytes(content)


# --- with an eye for the format --------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([2**70, -1, 10**400, float("nan"), float("inf"), 1e308])
    | st.floats() | st.text(max_size=8) | st.sampled_from(["../../x", "/etc/passwd", "\0", "a" * 5000, "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=5)
DTYPES = st.sampled_from(["f4", "f8", "u1", "i8", "?", "U3", "S2", "c8", "M8[s]", ">f4", "i4,i4", "O"])


@st.composite
def value_in(draw, value):
    """A value of JSON with something in it exchanged or left out."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 5)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key, copy = draw(st.sampled_from(keys)), value.copy()
        if draw(st.integers(0, 4)) == 0:
            del copy[key]
        else:
            copy[key] = draw(value_in(value[key]))
        return copy
    return draw(VALUES)


@st.composite
def in_json(draw, content):
    """JSON with a value exchanged."""
    return json.dumps(draw(value_in(json.loads(content)))).encode()


@st.composite
def an_array(draw, like=None):
    """An array of any type and few dimensions, of objects that run code when they are read, or much like another."""
    if like is not None and like.ndim and draw(st.booleans()):
        changes = [lambda a: a[..., :1], lambda a: a[:0], lambda a: a[None], lambda a: a.ravel(), lambda a: a.T,
                   lambda a: a.astype("f8") if a.dtype.kind in "fiub" else a, lambda a: a.astype("U9"),
                   lambda a: a.view(a.dtype.newbyteorder()),
                   lambda a: np.full_like(a, np.nan) if a.dtype.kind == "f" else a, lambda a: np.asfortranarray(a)]
        return draw(st.sampled_from(changes))(like)
    dtype, shape = draw(DTYPES), tuple(draw(st.lists(st.integers(0, 3), max_size=5)))
    return np.resize(OBJECTS, shape) if dtype == "O" else np.zeros(shape, dtype)


@st.composite
def in_npy(draw, content):
    """An array of another kind, or a header that promises what does not follow."""
    if draw(st.booleans()):
        return npy(draw(an_array(np.load(io.BytesIO(content)))))
    shape = draw(st.sampled_from(["(10000000000,)", "(2, -1)", "(1" * 30, "(" + "1," * 70 + ")", "9" * 900, "None",
                                  "(2**40,)", "-" * 900 + "1", "()", "(0, 99999999999999999999999)"]))
    dtype = draw(st.sampled_from(["|u1", "<f4", "|b1", "|O", "<U0", "<f3", "x", [("a", "<f4")]]))
    return promise(dtype, shape) + PICKLE


@st.composite
def in_npz(draw, content):
    """An archive in which one array was exchanged, renamed, left out, promised, doubled or packed in another way."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = draw(st.integers(0, len(members) - 1))
    name, old = members[place]
    way = draw(st.sampled_from(["array", "array", "array", "name", "without", "method", "twice", "encrypted", "bytes"]))
    if way in ("array", "bytes"):
        members[place] = (name, draw(in_npy(old) if way == "array" else blindly(old)))
    elif way == "name":
        members[place] = (draw(st.sampled_from(["../x.npy", "/x.npy", "x", "x.npy", name.removesuffix(".npy")])), old)
    elif way == "without":
        del members[place]
    elif way == "twice":
        members.append((name, npy(OBJECTS)))
    packed = zipped(members, draw(st.sampled_from([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])) if way == "method" else
                    zipfile.ZIP_DEFLATED)
    if way == "encrypted":                                      # the flag, in the directory at the end
        start = packed.index(b"PK\x01\x02")
        packed = packed[: start + 8] + b"\x01" + packed[start + 9 :]
    return packed


@st.composite
def in_tar(draw, content):
    """A tar archive in which one member was exchanged, or became a link, a device, a way out of the folder."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [(info.name, archive.extractfile(info).read()) for info in archive if info.isfile()]
    place = draw(st.integers(0, len(members) - 1))
    name, old = members[place]
    way = draw(st.sampled_from(["content", "content", "name", "kind", "without", "twice", "order"]))
    if way == "content":
        members[place] = (name, draw(CRAFT[".npy"](old) if name.endswith(".npy") else blindly(old)))
    elif way == "name":
        names = ["../x", "/tmp/x", "a/../../x", "..", "x.y.z.npy", "0.image.npy", ".", "\\x", "C:x", f"{name}/below",
                 "99999999999.image.npy", "n" * 300]
        members[place] = (draw(st.sampled_from(names)), old)
    elif way == "kind":
        info = tarfile.TarInfo(name)
        info.type, info.linkname = draw(st.sampled_from([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                                         tarfile.CHRTYPE, tarfile.DIRTYPE])), "/etc/passwd"
        members[place] = (info, b"")
    elif way == "without":
        del members[place]
    elif way == "twice":
        members.append(members[place])
    else:
        members.reverse()
    return tarred(members)


@st.composite
def in_zip(draw, content):
    """A zip archive in which one member leads out of the folder, is a link, or stands in the way of another."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    name = members[0][0]
    info = zipfile.ZipInfo(draw(st.sampled_from(["../x", "/x", "a/../../x", "..", "\\x", "C:x", f"{name}/below", name,
                                                 "n" * 300, "a\0b", "link"])))
    info.external_attr = draw(st.sampled_from([0, 0o120777 << 16, 0o100644 << 16, 0o060644 << 16]))
    return zipped([*members, (info, b"/etc/passwd")])


@st.composite
def in_png(draw, content):
    """Another picture: of another size or mode, or of a size beyond all reason."""
    if draw(st.booleans()):
        size = st.sampled_from([0, 1, 64, 2**15, 2**20, 2**31 - 1])
        mode, depth = draw(st.sampled_from([0, 2, 3, 4, 6, 7])), draw(st.sampled_from([1, 8, 16]))
        return png_of(draw(size), draw(size), mode, depth)
    with Image.open(io.BytesIO(content)) as picture:
        other = picture.convert(draw(st.sampled_from([picture.mode, "L", "RGB", "RGBA", "1", "P", "LA"])))
        file = io.BytesIO()
        side = draw(st.sampled_from([1, 7, 64, picture.width]))
        other.resize((side, draw(st.sampled_from([1, side])))).save(file, draw(st.sampled_from(["PNG", "PNG", "TIFF"])))
    return file.getvalue()


@st.composite
def in_gzip(draw, content):
    """Good packing around bad bytes."""
    return gzip.compress(draw(blindly(gzip.decompress(content))))


@st.composite
def in_torch(draw, content):
    """What torch.save writes, with one value exchanged, or code in it."""
    value = torch.load(io.BytesIO(content), weights_only=True)
    for _ in range(draw(st.integers(0, 3))):                    # one of the inner dictionaries
        inner = [key for key, part in value.items() if isinstance(part, dict) and part]
        if inner and draw(st.booleans()):
            value = value[draw(st.sampled_from(inner))]
    whole = torch.load(io.BytesIO(content), weights_only=True)
    return tensors(draw(exchanged(whole, list(value))))


@st.composite
def exchanged(draw, whole, keys):
    """A nested dictionary in which the value of one of these keys was exchanged, wherever it stands."""
    key = draw(st.sampled_from([*whole, *keys]))
    new = draw(st.sampled_from([Trap(), None, 3, [], {}, "text", torch.zeros(3), torch.zeros(2, dtype=torch.int32),
                                torch.zeros(1).expand(2**33), float("nan"), {"a": torch.zeros(1)}]) | VALUES)

    def walk(part):
        if not isinstance(part, dict):
            return part
        return {name: (new if name == key else walk(inner)) for name, inner in part.items()}
    if draw(st.integers(0, 4)) == 0:
        return {name: part for name, part in whole.items() if name != key}
    return walk(whole)


@st.composite
def in_safetensors(draw, content):
    """Weights whose header says something else."""
    size = struct.unpack("<Q", content[:8])[0]
    header = json.dumps(draw(value_in(json.loads(content[8 : 8 + size])))).encode()
    length = draw(st.sampled_from([len(header)] * 4 + [2**62, 0]))
    return struct.pack("<Q", length) + header + content[8 + size :]


@st.composite
def in_text(draw, content):
    """Lines and words exchanged."""
    lines = content.decode().splitlines()
    place = draw(st.integers(0, len(lines) - 1))
    words = lines[place].replace(",", " , ").split(" ")
    words[draw(st.integers(0, len(words) - 1))] = draw(st.text(max_size=5) | st.sampled_from(
        ["", "NA", "nan", "1e999", "-1", "9" * 30, "\0", '"', ",,,", "ä\u2028", "\x1b[2J", "inf", "'"]))
    lines[place] = " ".join(words)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


CRAFT = {".json": in_json, ".npy": in_npy, ".npz": in_npz, ".tar": in_tar, ".zip": in_zip, ".png": in_png,
         ".gz": in_gzip, ".pt": in_torch, ".safetensors": in_safetensors, ".csv": in_text, ".txt": in_text,
         "SHA256SUMS": in_text}


@st.composite
def damaged(draw, sample):
    """A copy of a sample in which one file was spoilt, lost, or became something else."""
    name = draw(st.sampled_from(sorted(sample)))
    craft = CRAFT.get(Path(name).suffix or Path(name).name)
    way = draw(st.integers(0, 19))
    if way == 0:
        new = draw(st.sampled_from([None, LOOP, FOLDER]))
    elif way <= 12 and craft:
        new = draw(craft(sample[name]))
    else:
        new = draw(blindly(sample[name]))
    return sample | {name: new}


def lay(folder, files):
    """Write a sample into an empty folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == LOOP:
            path.symlink_to(path)
        elif content == FOLDER:
            path.mkdir()
        elif content == PIPE:
            os.mkfifo(path)
        elif content == DEVICE:
            path.symlink_to("/dev/zero")
        elif content is not None:
            path.write_bytes(content)
    return folder
