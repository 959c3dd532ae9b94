"""What was measured on the machine that stands in for the board, and the fits to it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsuke.errors import UsageError

TABLE = Path(__file__).parent / "table.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A runtime on one kind of machine.

    Attributes
    ----------
    runtime, version, isa
        What was measured; ``a64`` is 64-bit Arm Linux.
    base
        Bytes resident after importing it, and NumPy, in Python.
    fit
        Corrections in bytes (``load``, ``run``) or shares (``copy``) that calibration cells gave.
    deviation
        Of what the calibration cells left over, in bytes.
    share
        The same as a share of what lies above the base.
    cells
        How many calibrated.
    quantile
        Deviations up to which the next cell lies with 99.87 % (Student's t; 3 for many cells).
    """

    runtime: str
    version: str
    isa: str
    base: int
    fit: Mapping[str, float]
    deviation: float
    share: float
    cells: int
    quantile: float = 3.0


@functools.cache
def read() -> Mapping[str, Any]:
    """The whole table."""
    found: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def entry(runtime: str, isa: str = "a64") -> Entry:
    """The newest entry of a runtime.

    Raises
    ------
    UsageError
        When there is none.
    """
    found = [row for row in read()["entries"] if (row["runtime"], row["isa"]) == (runtime, isa)]
    if not found:
        known = ", ".join(sorted({row["runtime"] for row in read()["entries"]}))
        raise UsageError(f"no runtime {runtime!r} was measured on {isa}; known are {known}")
    return Entry(**found[-1])


def huge_pages(isa: str = "a64") -> bool:
    """Whether the kernel of the machine that was measured hands out huge pages at every touch."""
    return bool(read()["machines"][isa]["huge_pages"])
