"""Lossless sheets: ``<name>_0.png``, ``<name>_1.png`` … with one image a row, and
``<name>_labels.txt`` with one class number a line."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from netsuke.data.readers.images import decode
from netsuke.data.source import Reader, Source, number_classes
from netsuke.errors import DataError
from netsuke.spec import Options

CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
LABELS = 64 << 20  # bytes


def _labels(path: Path) -> Path | None:
    if not path.is_dir():
        return None
    return next((p for p in sorted(path.glob("*_labels.txt")) if _sheets(p)), None)


def _sheets(labels: Path) -> list[Path]:
    stem = re.escape(labels.name.removesuffix("_labels.txt"))
    found = (re.fullmatch(rf"{stem}_(\d+)\.png", path.name) for path in labels.parent.iterdir())
    numbers = sorted(int(match[1]) for match in found if match)
    stem = labels.name.removesuffix("_labels.txt")
    return [labels.parent / f"{stem}_{number}.png" for number in numbers]


def _accepts(path: Path) -> bool:
    return _labels(path) is not None


def _read(path: Path, options: Options, seed: int) -> Source:
    labels = _labels(path)
    assert labels is not None
    sheets = []
    for sheet in _sheets(labels):
        image = decode(sheet.read_bytes(), str(sheet))
        image = image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
        rows = np.asarray(image, np.uint8)
        sheets.append(rows.reshape(*rows.shape[:2], -1))
        if sheets[-1].shape[1:] != sheets[0].shape[1:]:
            raise DataError(str(sheet), f"rows are {rows.shape[1:]}, others {sheets[0].shape[1:]}")
    stacked = np.concatenate(sheets)
    side = math.isqrt(stacked.shape[1])
    height, width = options.extents("image", None) or (side, side)
    if height * width != stacked.shape[1]:
        raise DataError(
            str(path), f"{stacked.shape[1]} pixels a row are not {height} x {width}; say ?image=HxW"
        )
    try:
        if labels.stat().st_size > LABELS:
            raise ValueError(f"{labels.stat().st_size:,} B")
        numbers = np.array(labels.read_text(encoding="ascii").split(), np.int64)
    except (OSError, ValueError) as error:
        raise DataError(str(labels), f"holds no class numbers: {error}") from None
    if len(numbers) != len(stacked):
        raise DataError(str(labels), f"{len(numbers):,} labels for {len(stacked):,} images")
    targets, classes = number_classes(str(labels), numbers)
    cifar = stacked.shape[1:] == (1024, 3) and len(classes) == 10
    return Source(
        samples=stacked.reshape(len(stacked), height, width, -1),
        targets=targets,
        part=np.zeros(len(stacked), np.int8),
        classes=CIFAR10 if cifar else classes,
    )


SHEETS = Reader(
    "sheets",
    "a folder of <name>_<i>.png with one image a row, and <name>_labels.txt",
    {"image": "height x width of the images (a square)"},
    _accepts,
    _read,
)
