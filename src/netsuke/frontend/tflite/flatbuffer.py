"""A FlatBuffers reader that trusts nothing.

Every offset, count and string is checked against the file before it is followed, and everything
that is read is charged to a budget of a small multiple of the file's size, so that a short file
whose offsets overlap cannot describe gigabytes.

A table's fields are declared as in a FlatBuffers schema: in the order of their slots.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from netsuke.errors import ModelError
from netsuke.ir import Array

BUDGET_FACTOR = 32
BUDGET_FLOOR = 1 << 22
TABLE_CHARGE = 512  # bytes that a table may cost as Python objects

_SCALARS: dict[str, tuple[struct.Struct, str]] = {
    "bool": (struct.Struct("<?"), "?"),
    "byte": (struct.Struct("<b"), "<i1"),
    "ubyte": (struct.Struct("<B"), "<u1"),
    "short": (struct.Struct("<h"), "<i2"),
    "ushort": (struct.Struct("<H"), "<u2"),
    "int": (struct.Struct("<i"), "<i4"),
    "uint": (struct.Struct("<I"), "<u4"),
    "long": (struct.Struct("<q"), "<i8"),
    "ulong": (struct.Struct("<Q"), "<u8"),
    "float": (struct.Struct("<f"), "<f4"),
}
_REFERENCE = _SCALARS["uint"][0]


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field: its slot, its type and the value it has when the file leaves it out."""

    slot: int
    kind: str
    default: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a table, and its number in the union of operator options (0: none)."""

    name: str
    fields: Mapping[str, Field]
    union: int


def layout(name: str, declaration: str, union: int = 0) -> Layout:
    """Return a layout from schema text such as ``"padding: byte; stride_w: int = 1"``.

    Fields stand in the order of their slots; a union takes two (its type, then its table).
    """
    fields: dict[str, Field] = {}
    for slot, line in enumerate(filter(str.strip, declaration.split(";"))):
        head, _, default = line.partition("=")
        field, _, kind = head.partition(":")
        fields[field.strip()] = Field(slot, kind.strip(), float(default or 0))
    return Layout(name, fields, union)


class File:
    """The bytes of a file, and how much of them may still be read."""

    def __init__(self, data: bytes, place: str) -> None:
        self.data = data
        self.size = len(data)
        self.place = place
        self.budget = BUDGET_FACTOR * len(data) + BUDGET_FLOOR

    def fail(self, problem: str) -> NoReturn:
        raise ModelError(self.place, problem)

    def spend(self, charge: int) -> None:
        """Charge bytes to the budget."""
        self.budget -= charge
        if self.budget < 0:
            self.fail(
                f"describes more than {BUDGET_FACTOR} times the {self.size:,} bytes it has; "
                "its offsets overlap"
            )

    def span(self, start: int, length: int, what: str) -> None:
        """Check that a range lies inside the file."""
        if start < 0 or start + length > self.size:
            self.fail(
                f"{what} lies at bytes {start:,} to {start + length:,}, the file has "
                f"{self.size:,}; it is truncated or damaged"
            )

    def scalar(self, kind: str, position: int, what: str) -> int | float:
        unpack = _SCALARS[kind][0]
        self.span(position, unpack.size, what)
        value: int | float = unpack.unpack_from(self.data, position)[0]
        return value

    def follow(self, position: int, what: str) -> int:
        """The place that a forward reference points to."""
        self.span(position, 4, what)
        return position + int(_REFERENCE.unpack_from(self.data, position)[0])

    def vector(self, position: int, kind: str, what: str) -> Array:
        """The elements of the vector that a reference points to, without a copy."""
        start = self.follow(position, what)
        count = int(self.scalar("uint", start, what))
        dtype = np.dtype(_SCALARS[kind][1])
        self.span(start + 4, count * dtype.itemsize, what)
        self.spend(count * dtype.itemsize)
        return np.frombuffer(self.data, dtype, count, start + 4)

    def root(self, layout: Layout) -> Table:
        return Table(self, self.follow(0, "the root"), layout)


class Table:
    """One table; its fields are read when they are asked for."""

    __slots__ = ("end", "file", "layout", "position", "vtable", "vtable_size")

    def __init__(self, file: File, position: int, layout: Layout) -> None:
        what = f"a table {layout.name}"
        file.spend(TABLE_CHARGE)
        self.file = file
        self.layout = layout
        self.position = position
        self.vtable = position - int(file.scalar("int", position, what))
        self.vtable_size = int(file.scalar("ushort", self.vtable, what))
        file.span(self.vtable, max(self.vtable_size, 4), what)
        self.end = position + int(file.scalar("ushort", self.vtable + 2, what))
        file.span(position, self.end - position, what)

    @classmethod
    def defaults(cls, file: File, layout: Layout) -> Table:
        """A table that holds nothing, so that every field has its default."""
        table = cls.__new__(cls)
        table.file, table.layout = file, layout
        table.position = table.vtable = table.vtable_size = table.end = 0
        return table

    def _find(self, name: str) -> tuple[Field, int]:
        """A field and where it lies; 0 when the file leaves it out."""
        field = self.layout.fields[name]
        entry = 4 + 2 * field.slot
        if entry + 2 > self.vtable_size:
            return field, 0
        offset = int(self.file.scalar("ushort", self.vtable + entry, self._what(name)))
        if offset == 0:
            return field, 0
        size = _SCALARS[field.kind][0].size if field.kind in _SCALARS else 4
        if offset < 4 or self.position + offset + size > self.end:
            self.file.fail(f"{self._what(name)} lies outside its table; the file is damaged")
        return field, self.position + offset

    def _what(self, name: str) -> str:
        return f"{self.layout.name}.{name}"

    def has(self, name: str) -> bool:
        """Whether the file holds the field."""
        return self._find(name)[1] != 0

    def integer(self, name: str) -> int:
        field, at = self._find(name)
        return int(self.file.scalar(field.kind, at, self._what(name)) if at else field.default)

    def real(self, name: str) -> float:
        """A finite number."""
        field, at = self._find(name)
        value = float(self.file.scalar(field.kind, at, self._what(name)) if at else field.default)
        if not np.isfinite(value):
            self.file.fail(f"{self._what(name)} is {value}")
        return value

    def flag(self, name: str) -> bool:
        return bool(self.integer(name))

    def numbers(self, name: str) -> Array:
        """A vector of numbers; empty when the file leaves it out."""
        field, at = self._find(name)
        kind = field.kind.strip("[]")
        if not at:
            return np.zeros(0, _SCALARS[kind][1])
        return self.file.vector(at, kind, self._what(name))

    def text(self, name: str) -> str:
        _, at = self._find(name)
        if not at:
            return ""
        raw = self.file.vector(at, "ubyte", self._what(name)).tobytes()
        return raw.decode("utf-8", "replace")

    def table(self, name: str, layout: Layout) -> Table | None:
        _, at = self._find(name)
        return Table(self.file, self.file.follow(at, self._what(name)), layout) if at else None

    def tables(self, name: str, layout: Layout) -> list[Table]:
        """A vector of tables; empty when the file leaves it out."""
        _, at = self._find(name)
        if not at:
            return []
        start = self.file.follow(at, self._what(name)) + 4
        count = len(self.file.vector(at, "uint", self._what(name)))
        return [
            Table(self.file, self.file.follow(start + 4 * index, self._what(name)), layout)
            for index in range(count)
        ]
