"""Tables of numbers: ``.csv``, ``.tsv`` and white space, ``.gz`` or not."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np

from netsuke.data.source import MEMORY, Reader, Source, check_memory, number_classes
from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.spec import Options

SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", "train.gz")


def _accepts(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def _text(path: Path) -> str:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            raw = file.read(MEMORY // 16 + 1)
        check_memory(str(path), 16 * len(raw))  # a number takes few characters
        return raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(str(path), f"cannot be read: {error}") from None


def _rows(path: Path) -> list[list[str]]:
    lines = [line for line in _text(path).splitlines() if line.strip()]
    if not lines:
        raise DataError(str(path), "is empty")
    mark = next((mark for mark in ",;\t" if mark in lines[0]), None)
    try:
        split = csv.reader(io.StringIO("\n".join(lines)), delimiter=mark) if mark else None
        rows = list(split) if split is not None else [line.split() for line in lines]
    except csv.Error as error:
        raise DataError(str(path), f"is no table: {error}") from None
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise DataError(
                f"{path}: row {number}", f"has {len(row)} fields, the first has {len(rows[0])}"
            )
    return rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _column(name: str, header: list[str] | None, width: int, place: str) -> int:
    if header and name in header:
        return header.index(name)
    try:
        column = int(name)
    except ValueError:
        listed = ", ".join(header) if header else f"{width} columns, and no names above numbers"
        raise DataError(place, f"has no column {name!r}; it has {listed}") from None
    if not -width <= column < width:
        raise DataError(place, f"has {width} columns, there is no column {column}")
    return column % width


def _numbers(rows: list[list[str]], kept: list[int], header: list[str] | None, place: str) -> Array:
    try:
        return np.array([[float(row[i]) for i in kept] for row in rows], np.float32)
    except ValueError:
        bad = (
            (number, i)
            for number, row in enumerate(rows, 1)
            for i in kept
            if not _is_number(row[i])
        )
        number, i = next(bad)
        column = repr(header[i]) if header else i
        field = repr(rows[number - 1][i][:40]) if rows[number - 1][i].strip() else "empty"
        raise DataError(
            f"{place}: row {number + bool(header)}, column {column}",
            f"is {field}, which is no number; drop the column or encode it",
        ) from None


def _read(path: Path, options: Options, seed: int) -> Source:
    place, rows = str(path), _rows(path)
    width = len(rows[0])
    label = options.text("label", "-1")
    header = None
    if not all(_is_number(field) for field in rows[0]) and len(rows) > 1:
        pairs = zip(rows[0], rows[1], strict=True)
        if any(_is_number(below) and not _is_number(above) for above, below in pairs):
            header, rows = [field.strip() for field in rows[0]], rows[1:]
    column = -1 if label == "none" else _column(label, header, width, place)
    kept = [index for index in range(width) if index != column]
    samples = _numbers(rows, kept, header, place)
    shape = options.extents("shape", None)
    if shape is not None:
        if math.prod(shape) != len(kept):
            raise DataError(place, f"has {len(kept)} values a row, not {math.prod(shape)}")
        samples = samples.reshape(len(rows), *shape)
    part = np.zeros(len(rows), np.int8)
    known = {"columns": [header[index] for index in kept]} if header and shape is None else {}
    if column < 0:
        return Source(samples, None, part, (), 0.0, "standard", features=known)
    texts = [row[column].strip() for row in rows]
    numeric = all(map(_is_number, texts))
    whole = numeric and all(float(text).is_integer() for text in texts)
    guess = "regression" if numeric and not whole else "classification"
    if options.choice("task", guess, ("classification", "regression")) == "regression":
        if not numeric:
            raise DataError(place, "has targets that are no numbers")
        values = np.array(texts, np.float32)
        return Source(samples, values, part, (), 0.0, "standard", features=known)
    values = np.array([int(float(t)) for t in texts]) if whole else np.array(texts)
    targets, classes = number_classes(place, values)
    return Source(samples, targets, part, classes, 0.0, "standard", features=known)


TABLE = Reader(
    "table",
    "a .csv, .tsv or .txt of numbers (.gz too), the label in the last column",
    {
        "label": "name or number of the label's column, or none (-1: the last)",
        "shape": "extents of one sample, such as 16x16x1 (a row as it is)",
        "task": "classification or regression",
    },
    _accepts,
    _read,
)
