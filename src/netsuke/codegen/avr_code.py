"""How many bytes of code kernels take on an AVR, where each is compiled anew where it is called.

A kernel's parameters are constants there, so its code depends on them: on flags, and on counts of
one to three, whose loops vanish. `avr_code.json` holds what was measured with avr-gcc for each
such variant of a function (``bench/avr_costs/run.py --record``).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netsuke.ir import Kernel

RECORD = Path(__file__).parent / "avr_code.json"
COUNTS = ("rows", "units", "outputs", "scores", "trees")
FLAGS = ("form", "wide_feature", "wide_leaf", "wide_bias", "shared", "wide", "small")
FEW = 3
"""Loops of up to so many rounds are written out by the compiler."""
UNMEASURED = 500
"""Bytes of a function that was never measured."""


def variant(kernel: Kernel) -> str:
    """The function, and those of its parameters on which its code depends."""
    given = kernel.parameters
    words = [kernel.function]
    words += [f"{name}={given[name]}" for name in COUNTS if _small(given.get(name))]
    words += [f"{name}={given[name]}" for name in FLAGS if given.get(name)]
    return " ".join(words)


def code_on_avr(kernels: Sequence[Kernel]) -> int:
    """Bytes of a whole program's code without tables: start-up, main and all calls in turn."""
    record = _record()
    code = sum(_code_of(kernel) for kernel in kernels)
    return round(record["startup"] + code - record["shared"] * max(len(kernels) - 1, 0))


def _small(value: Any) -> bool:
    return isinstance(value, int) and value <= FEW


def _code_of(kernel: Kernel) -> float:
    sizes: dict[str, float] = _record()["code"]
    name = variant(kernel)
    if name in sizes:
        return sizes[name]
    known = [size for other, size in sizes.items() if other.split()[0] == kernel.function]
    return sum(known) / len(known) if known else UNMEASURED


@functools.cache
def _record() -> dict[str, Any]:
    if not RECORD.exists():
        return {"startup": 142, "shared": 0, "code": {}}
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record
