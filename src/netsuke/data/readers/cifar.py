"""CIFAR-10 and CIFAR-100 as their authors publish them: Python batches or binary files, in a
folder or in the ``.tar.gz``."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from netsuke.data.archive import listing, opened
from netsuke.data.source import Reader, Source, number_classes
from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.spec import Options

PIXELS = 3072  # of one image: 32 x 32 red, then green, then blue
TRAIN = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "train")
TEST = ("test_batch", "test")
META = ("batches.meta", "meta", "batches.meta.txt", "fine_label_names.txt")


class _Arrays(pickle.Unpickler):
    """Builds arrays, texts and numbers, and refuses everything else that a pickle could call."""

    allowed: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module.endswith("multiarray") and module.startswith("numpy"):
            return _reconstruct
        if (module, name) == ("_codecs", "encode"):
            return _encode
        if (module, name) in self.allowed:
            return self.allowed[module, name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _reconstruct(kind: type, shape: tuple[int, ...], dtype: bytes) -> Array:
    if kind is not np.ndarray or shape != (0,) or dtype not in (b"b", "b"):
        raise pickle.UnpicklingError("it builds something else than an array")
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding}")
    return text.encode("latin1")


def _files(names: Iterable[str]) -> dict[str, str]:
    """Batch name (without folder and ``.bin``) -> name in the archive."""
    found = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if path.name.removesuffix(".bin") in TRAIN + TEST or path.name in META:
            found[path.name.removesuffix(".bin")] = name
    return found


def _is_batch(name: str, sizes: Mapping[str, int]) -> bool:
    size = sizes[name]
    return size > PIXELS and (not name.endswith(".bin") or size % (PIXELS + 1) * (size % 3074) == 0)


def _accepts(path: Path) -> bool:
    sizes = listing(path)
    files = _files(sizes)
    return any(key in TRAIN + TEST and _is_batch(files[key], sizes) for key in files)


def _read(path: Path, options: Options, seed: int) -> Source:
    samples, labels, parts, names = [], [], [], None
    with opened(path) as archive:
        files = _files(archive.sizes)
        for key in (*TRAIN, *TEST):
            if key not in files:
                continue
            raw, place = archive.read(files[key]), f"{path}: {files[key]}"
            binary = files[key].endswith(".bin")
            pixels, numbers = _binary(raw, place) if binary else _batch(raw, place)
            samples.append(pixels)
            labels.append(numbers)
            parts.append(np.full(len(numbers), 2 if key in TEST else 0, np.int8))
        for key in META:
            if key in files:
                names = _names(archive.read(files[key]), f"{path}: {files[key]}", key)
    targets, classes = number_classes(str(path), np.concatenate(labels))
    planes = np.concatenate(samples).reshape(-1, 3, 32, 32)
    return Source(
        samples=np.ascontiguousarray(planes.transpose(0, 2, 3, 1)),
        targets=targets,
        part=np.concatenate(parts),
        classes=names if names and len(names) >= len(classes) else classes,
    )


def _binary(raw: bytes, place: str) -> tuple[Array, Array]:
    bytes_a_label = 1 if len(raw) % (PIXELS + 1) == 0 else 2
    width = PIXELS + bytes_a_label
    if len(raw) % width:
        raise DataError(place, f"{len(raw):,} B are no whole number of images of {width} B")
    rows = np.frombuffer(raw, np.uint8).reshape(-1, width)
    # CIFAR-100 has a coarse label before the fine one.
    return rows[:, bytes_a_label:], rows[:, bytes_a_label - 1].astype(np.int64)


def _unpickle(raw: bytes, place: str) -> dict[str, Any]:
    try:
        value = _Arrays(io.BytesIO(raw), encoding="latin1").load()
    except Exception as error:  # a hostile pickle can make the machine raise anything
        raise DataError(place, f"is no CIFAR batch: {error}") from None
    if not isinstance(value, dict):
        raise DataError(place, "is no CIFAR batch: it holds no dictionary")
    return {_text(key): item for key, item in value.items()}


def _text(value: Any) -> str:
    """Python 2 wrote texts that Python 3 reads as bytes, or not."""
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _batch(raw: bytes, place: str) -> tuple[Array, Array]:
    table = _unpickle(raw, place)
    pixels, numbers = table.get("data"), table.get("labels", table.get("fine_labels"))
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or pixels.ndim != 2
        or pixels.shape[1] != PIXELS
        or not isinstance(numbers, list)
        or len(numbers) != len(pixels)
        or not all(isinstance(number, int) for number in numbers)
    ):
        raise DataError(place, "is no CIFAR batch: no 'data' (n, 3072) of bytes with 'labels'")
    return pixels, np.array(numbers, np.int64)


def _names(raw: bytes, place: str, key: str) -> tuple[str, ...]:
    if key.endswith(".txt"):
        return tuple(raw.decode("utf-8", "replace").split())
    table = _unpickle(raw, place)
    names = table.get("label_names", table.get("fine_label_names", []))
    return tuple(_text(name) for name in names) if isinstance(names, list) else ()


CIFAR = Reader(
    "cifar",
    "CIFAR-10 or CIFAR-100 as published: Python or binary batches, a folder or the .tar.gz",
    {},
    _accepts,
    _read,
)
