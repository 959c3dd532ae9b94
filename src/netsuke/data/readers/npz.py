"""NumPy archives: ``x`` and ``y``, or ``x_train`` … ``y_test``."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netsuke.data.source import Reader, Source, check_memory, number_classes
from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.spec import Options

SUFFIXES = {"": 0, "_train": 0, "_validation": 1, "_val": 1, "_test": 2}


def _accepts(path: Path) -> bool:
    return path.suffix.lower() == ".npz" and path.is_file()


def _read(path: Path, options: Options, seed: int) -> Source:
    arrays = {name.lower(): array for name, array in _load(path).items()}
    layout = options.choice("layout", "nhwc", ("nhwc", "nchw"))
    found = [(suffix, part) for suffix, part in SUFFIXES.items() if f"x{suffix}" in arrays]
    if not found:
        raise DataError(
            str(path),
            f"has the keys {', '.join(sorted(arrays)) or 'none'}; wanted are x and y, "
            "or x_train, y_train, x_test, y_test",
        )
    samples: list[Array] = []
    labels: list[Array | None] = []
    parts: list[Array] = []
    for suffix, part in found:
        x, y = arrays[f"x{suffix}"], arrays.get(f"y{suffix}")
        if x.ndim < 2 or x.dtype.kind not in "biuf":
            raise DataError(f"{path}: x{suffix}", f"is {x.dtype}{list(x.shape)}, no numbers (n, …)")
        if samples and samples[0].shape[1:] != x.shape[1:]:
            raise DataError(f"{path}: x{suffix}", f"its samples are {x.shape[1:]}, others differ")
        if y is not None and len(x) != len(y):
            raise DataError(f"{path}: y{suffix}", f"has {len(y):,} labels for {len(x):,} samples")
        samples.append(x)
        labels.append(y)
        parts.append(np.full(len(x), part, np.int8))
    targets, classes = _targets(path, labels, options)
    stacked = np.concatenate(samples)
    bytewise = stacked.dtype == np.uint8
    with np.errstate(over="ignore"):  # what float32 cannot hold is named when all is checked
        stacked = stacked if bytewise else stacked.astype(np.float32)
    if layout == "nchw" and stacked.ndim > 2:
        stacked = np.ascontiguousarray(np.moveaxis(stacked, 1, -1))
    elif bytewise and stacked.ndim == 3:
        stacked = stacked[..., None]  # bytes of two axes are a grey image
    return Source(
        samples=stacked,
        targets=targets,
        part=np.concatenate(parts),
        classes=classes,
        full=255.0 if bytewise else 0.0,
        normalise="unit" if bytewise else "raw",
    )


def named_arrays(path: Path, names: Sequence[str]) -> list[Array] | None:
    """The arrays of an ``.npz`` under these names, or None when it is not made of them."""
    if not _accepts(path):
        return None
    arrays = _load(path)
    if any(name not in arrays for name in names) or (len(names) == 1 and names[0].lower() == "x"):
        return None
    return [arrays[name] for name in names]


def _load(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            check_memory(str(path), sum(_size(archive, info) for info in archive.infolist()))
        with np.load(path, allow_pickle=False) as loaded:
            return {str(key): loaded[key] for key in loaded.files}
    except DataError:
        raise
    except Exception as error:  # a damaged header can make NumPy's parser raise anything
        raise DataError(str(path), f"cannot be read as arrays: {error}") from None


def _size(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """Bytes that an entry's header asks for: the archive may say less, or more, than it holds."""
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version >= (2, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        size: int = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or size > info.file_size:
        raise ValueError(f"{info.filename} has {info.file_size:,} B for {dtype}{list(shape)}")
    return size


def _targets(
    path: Path, labels: list[Array | None], options: Options
) -> tuple[Array | None, tuple[str, ...]]:
    given = [label for label in labels if label is not None]
    if not given:
        return None, ()
    if len(given) != len(labels):
        raise DataError(str(path), "has labels for some parts and not for others")
    joined = np.concatenate(given)
    if joined.ndim == 2 and joined.shape[1] == 1:
        joined = joined[:, 0]
    if joined.dtype.kind not in "biufSU":
        raise DataError(str(path), f"labels are {joined.dtype}, neither numbers nor texts")
    guess = "regression" if joined.dtype.kind == "f" or joined.ndim > 1 else "classification"
    if options.choice("task", guess, ("classification", "regression")) == "regression":
        return joined.astype(np.float32), ()
    return number_classes(str(path), joined)


NPZ = Reader(
    "npz",
    "an .npz with x and y, or x_train, y_train, x_test, y_test (x_val, y_val)",
    {
        "layout": "nhwc or nchw (channels last or first, of any rank)",
        "task": "classification or regression (float labels: regression)",
    },
    _accepts,
    _read,
)
