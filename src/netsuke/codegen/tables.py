"""Constant tables: arrays as C, each distinct content once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from netsuke.ir import Array

C_TYPES = {
    "float32": "float",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "int64": "int64_t",
    "bool": "uint8_t",
}
FLOAT_MAX = float(np.finfo(np.float32).max)


def literal(value: object) -> str:
    """A C literal that reads back as exactly this number; infinities become the largest float."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating):
        single = np.float32(min(max(float(value), -FLOAT_MAX), FLOAT_MAX))
        text = np.format_float_scientific(single, unique=True, trim="0")
        exponent = text.split("e")[1]
        if -5 < int(exponent) < 9:
            text = np.format_float_positional(single, unique=True, trim="0")
        return f"{text}f"
    number = int(value)  # type: ignore[call-overload]
    if number == -(1 << 31):
        return "(-2147483647 - 1)"
    if number == -(1 << 63):
        return "(-9223372036854775807 - 1)"
    return str(number)


def identifier(name: str) -> str:
    """A C identifier that resembles a name."""
    text = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return text[-32:].strip("_") or "tensor"


@dataclass(slots=True)
class Tables:
    """The constant tables of one model, in order of first use.

    Attributes
    ----------
    size
        Bytes of all tables.
    """

    size: int = 0
    _tables: list[tuple[str, Array, str]] = field(default_factory=list)
    _names: dict[tuple[str, bytes], str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def add(self, wish: str, array: Array, comment: str = "") -> str:
        """Return the C name of a table with this content, adding it if it is new."""
        array = np.ascontiguousarray(array)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        key = (str(array.dtype), array.tobytes())
        if key not in self._names:
            name, number = wish, 2
            while name in self._taken:
                name, number = f"{wish}_{number}", number + 1
            self._taken.add(name)
            self._names[key] = name
            self._tables.append((name, array, comment))
            self.size += max(array.nbytes, array.itemsize)
        return self._names[key]

    def text(self) -> str:
        """All tables as C."""
        return "\n".join(_table(*table) for table in self._tables)


def _table(name: str, array: Array, comment: str) -> str:
    kind = C_TYPES[str(array.dtype)]
    flat = array.ravel()
    values = [literal(value) for value in flat.tolist()] or ["0"]
    if array.dtype == np.float32:
        values = [literal(value) for value in flat] or ["0.0f"]
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) + 2 > 100:
            lines.append(line)
            line = "   "
        line += f" {value},"
    lines.append(line)
    note = f"/* {comment} */\n" if comment else ""
    body = "\n".join(lines)
    return f"{note}NSK_TABLE {kind} {name}[{max(flat.size, 1)}] = {{\n{body}\n}};\n"
