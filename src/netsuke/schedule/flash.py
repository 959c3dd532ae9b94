"""How much flash kernels take before anything is compiled: recorded code, tables, parameters."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from netsuke.ir import Array, Graph, Kernel, Node

SIZES = Path(__file__).parent / "code_sizes.json"
FALLBACK = {"cortex-m85": "cortex-m55", "cortex-m23": "cortex-m0plus"}
UNMEASURED = "cortex-m4"
FRAME = 160
"""Bytes of model_invoke's prologue, model_input and model_output, without the calls."""
CALL = 16
"""Bytes of one emitted call with its literals (Thumb-2, measured on the shipped examples)."""
SLACK = 2048
"""Bytes that tables may always be larger than the leanest ones."""
FIELD = 4
"""Bytes of one field of a parameter struct on a 32-bit device."""


@functools.cache
def _recorded() -> dict[str, dict[str, int]]:
    if not SIZES.exists():
        return {}
    table: dict[str, dict[str, int]] = json.loads(SIZES.read_text(encoding="utf-8"))["sizes"]
    return table


@functools.cache
def _of_core(core: str) -> tuple[Mapping[str, int], int]:
    sizes = _recorded().get(FALLBACK.get(core, core)) or _recorded().get(UNMEASURED, {})
    return sizes, max(sizes.values(), default=1024)


def code_bytes(function: str, core: str) -> int:
    """Bytes of a kernel function on a core, with all that it calls in its file.

    A function that was never measured on the core counts as the largest that was.
    """
    sizes, largest = _of_core(core)
    return sizes.get(function, largest)


def kernel_bytes(kernel: Kernel, core: str) -> int:
    """Bytes of a kernel's function: as the kernel itself says, or as recorded."""
    return round(kernel.code) or code_bytes(kernel.function, core)


def tables(graph: Graph, node: Node, kernel: Kernel) -> tuple[Array, ...]:
    """Every constant table that a call of the kernel refers to."""
    found = [value for value in kernel.parameters.values() if isinstance(value, np.ndarray)]
    for index, tensor in enumerate(graph.in_of(node)):
        data = kernel.constants.get(index) if index in kernel.constants else tensor.data
        if data is not None:
            found.append(data)
    return tuple(found)


def modest(graph: Graph, node: Node, kernels: Sequence[Kernel]) -> tuple[Kernel, ...]:
    """The kernels whose tables are at most half as large again as the leanest ones, or as the
    constants of the graph, which lists of the few weights that are not 0 may be much leaner than.

    Winograd's transformed weights take four to eight times the bytes of the weights. Speed bought
    with so much flash is for who names a limit; a plan that takes all flash of a device because
    it is there would leave none for the rest of the firmware.
    """
    sizes = [sum(map(table_bytes, tables(graph, node, kernel))) for kernel in kernels]
    inputs = graph.in_of(node) if node.op.rule.weights else ()
    plain = sum(tensor.size for tensor in inputs if tensor.is_constant)
    least = max(min(sizes), plain)
    allowed = max(least * 3 // 2, least + SLACK)
    return tuple(k for k, size in zip(kernels, sizes, strict=True) if size <= allowed)


def table_bytes(table: Array) -> int:
    """Bytes of a table in flash; reals ship in single precision."""
    size = 4 * table.size if table.dtype == np.float64 else table.nbytes
    return max(size, table.itemsize)


def table_key(table: Array) -> str:
    """What two tables share that ship once."""
    table = np.ascontiguousarray(table)
    if table.dtype == np.float64:
        table = table.astype(np.float32)
    return hashlib.blake2b(
        table.tobytes(), digest_size=12, key=str(table.dtype).encode()
    ).hexdigest()


def call_bytes(kernel: Kernel) -> int:
    """Bytes of a call and of its parameter struct."""
    return CALL + FIELD * len(kernel.parameters)


def call_parts(name: str, kernel: Kernel) -> dict[str, int]:
    """Bytes of a node's call, and of its parameter struct, which ships once for equal ones."""
    fields = {
        field: table_key(value) if isinstance(value, np.ndarray) else value
        for field, value in kernel.parameters.items()
    }
    return {
        f"call {name}": CALL,
        f"struct {kernel.struct} {fields}": FIELD * len(kernel.parameters),
    }
