"""What kernels take on an AVR, where each is compiled anew where it is called: code and cycles.

A kernel's parameters are constants there, so its code depends on them: on flags, and on counts of
one to three, whose loops vanish. `avr_code.json` holds what was measured with avr-gcc and simavr
for each such variant of a function (``bench/avr_costs/run.py --record``): bytes of code, and
measured over modelled cycles.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsuke.ir import Array, Graph, Kernel, interpret_batch
from netsuke.schedule import Plan

RECORD = Path(__file__).parent / "avr_code.json"
COUNTS = ("rows", "units", "outputs", "scores", "trees", "count")
FLAGS = ("form", "wide_feature", "wide_leaf", "wide_bias", "shared", "wide", "small")
LIMITS = {"majority": 32767}
"""Parameters with a value that switches a comparison off."""
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
    words += [name for name, value in LIMITS.items() if given.get(name) == value]
    return " ".join(words)


def code_on_avr(kernels: Sequence[Kernel]) -> int:
    """Bytes of a whole program's code without tables: start-up, main and all calls in turn."""
    record = _record()
    code = sum(_code_of(kernel) for kernel in kernels)
    return round(record["startup"] + code - record["shared"] * max(len(kernels) - 1, 0))


def cycles_on_avr(planned: Plan, rows: Sequence[Array] | None = None) -> float:
    """Modelled clock cycles of one inference, the mean over samples.

    Parameters
    ----------
    planned
        A plan for an AVR.
    rows
        Stored samples ``(n, *shape)``, one array an input. Without them, what depends on samples
        (how deep trees are walked) is guessed.
    """
    graph = planned.graph
    values = {} if rows is None else _values(graph, rows)
    total = 0.0
    for step in planned.steps:
        if step.kernel is None:
            continue
        inputs, kernel = graph.in_of(step.node), step.kernel
        if rows is not None:
            seen = [values[tensor.name] for tensor in inputs if not tensor.is_constant]
            kernel = step.node.op.timed(kernel, inputs, seen)
        total += (kernel.cycles or kernel.instructions) * _factor(kernel)
    return total


def _values(graph: Graph, rows: Sequence[Array]) -> dict[str, Array]:
    """Every activation for all rows."""
    made = tuple(name for node in graph.nodes for name in node.outputs)
    values = interpret_batch(replace(graph, outputs=made), *rows)
    inputs = zip(graph.inputs, rows, strict=True)
    return {**dict(inputs), **dict(zip(made, values, strict=True))}


def _small(value: Any) -> bool:
    return isinstance(value, int) and value <= FEW


def _code_of(kernel: Kernel) -> float:
    return _of_variant(kernel, _record()["code"], UNMEASURED)


def _factor(kernel: Kernel) -> float:
    """Measured over modelled cycles."""
    return _of_variant(kernel, _record().get("cycles", {}), 1.0)


def _of_variant(kernel: Kernel, table: dict[str, float], otherwise: float) -> float:
    """What is recorded for a kernel's variant, else the mean of its function's others."""
    name = variant(kernel)
    if name in table:
        return table[name]
    known = [value for other, value in table.items() if other.split()[0] == kernel.function]
    return sum(known) / len(known) if known else otherwise


@functools.cache
def _record() -> dict[str, Any]:
    if not RECORD.exists():
        return {"startup": 142, "shared": 0, "code": {}, "cycles": {}}
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record
