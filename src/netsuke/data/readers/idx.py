"""Folders of idx files, as MNIST and its successors come (``.gz`` or not).

An idx file is: two zero bytes, a type byte (8 uint8, 9 int8, 11 int16, 12 int32, 13 float32,
14 float64), the number of axes, the extents as big-endian uint32, and the values, big-endian.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from netsuke.data.source import Reader, Source, check_memory, number_classes
from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.spec import Options

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
TEST = ("t10k", "test")
VALIDATION = ("val",)


def read_idx(path: Path) -> Array:
    """Return the array of one idx file.

    Raises
    ------
    DataError
        When the header is wrong, or more or fewer bytes follow than it says.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            return _parse(cast(IO[bytes], file), str(path))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(str(path), f"cannot be read: {error}") from None


def _parse(file: IO[bytes], place: str) -> Array:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES or not 1 <= head[3] <= 8:
        raise DataError(place, f"is no idx file: it begins with {head.hex(' ')}")
    extents = file.read(4 * head[3])
    if len(extents) < 4 * head[3]:
        raise DataError(place, "ends inside its header")
    shape = struct.unpack(f">{head[3]}I", extents)
    dtype = np.dtype(TYPES[head[2]])
    size = math.prod(shape) * dtype.itemsize
    check_memory(place, size)
    values = file.read(size)
    if len(values) < size or file.read(1):
        more = "more than" if len(values) == size else f"{len(values):,} of"
        raise DataError(place, f"holds {more} the {size:,} B that its header {list(shape)} says")
    return np.frombuffer(values, dtype).reshape(shape)


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(images, labels) files by their names: ``train-images-idx3-ubyte.gz`` and so on."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and "idx" in path.name)
    pairs = []
    for path in files:
        stem = path.name.split("idx")[0]
        if "images" in stem:
            wanted = stem.replace("images", "labels")
            partner = next((p for p in files if p.name.startswith(wanted)), None)
            if partner is None:
                raise DataError(str(path), f"has no labels beside it ({wanted}idx1-ubyte)")
            pairs.append((path, partner))
    return pairs


def _accepts(path: Path) -> bool:
    return path.is_dir() and any("images" in p.name and "idx" in p.name for p in path.iterdir())


def _read(path: Path, options: Options, seed: int) -> Source:
    samples: list[Array] = []
    labels: list[Array] = []
    parts: list[Array] = []
    for images, names in _pairs(path):
        values, numbers = read_idx(images), read_idx(names)
        if values.ndim < 2 or numbers.ndim != 1 or len(values) != len(numbers):
            raise DataError(
                str(images), f"shape {list(values.shape)} and labels {list(numbers.shape)}"
            )
        if samples and samples[0].shape[1:] != values.shape[1:]:
            raise DataError(str(images), f"its samples are {values.shape[1:]}, others differ")
        name = images.name.lower()
        number = 2 if name.startswith(TEST) else 1 if name.startswith(VALIDATION) else 0
        samples.append(values)
        labels.append(numbers)
        parts.append(np.full(len(values), number, np.int8))
    stacked = np.concatenate(samples)
    bytewise = stacked.dtype == np.uint8
    targets, classes = number_classes(str(path), np.concatenate(labels))
    return Source(
        samples=_with_channels(stacked if bytewise else stacked.astype(np.float32)),
        targets=targets,
        part=np.concatenate(parts),
        classes=classes,
        full=255.0 if bytewise else 0.0,
        normalise="unit" if bytewise else "raw",
    )


def _with_channels(samples: Array) -> Array:
    return samples[..., None] if samples.ndim == 3 else samples


IDX = Reader("idx", "a folder of idx files (MNIST and the like), .gz or not", {}, _accepts, _read)
