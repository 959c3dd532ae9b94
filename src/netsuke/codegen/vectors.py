"""A self-test that ships: one sample, what it must give, and C that compares."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from netsuke.codegen.tables import C_TYPES, Tables
from netsuke.codegen.wrap import render
from netsuke.ir import Array, Graph, Tensor, interpret

SEED = 20260101


def selftest_files(graph: Graph, stream: int = 0) -> dict[PurePosixPath, bytes]:
    """Return ``test/selftest.c`` and ``test/vectors.h``; the same graph gives the same bytes.

    The sample is random: every stored integer value, or a normal distribution.
    """
    rng = np.random.default_rng(SEED)
    feeds = {name: _sample(graph.tensors[name], rng) for name in graph.inputs}
    results = interpret(graph, feeds)
    tables = Tables()
    inputs = [
        {
            "table": tables.add(f"input_{i}", feeds[name]),
            "bytes": feeds[name].nbytes,
            "count": feeds[name].size,
        }
        for i, name in enumerate(graph.inputs)
    ]
    outputs = [
        {
            "table": tables.add(f"expected_{i}", results[name]),
            "type": C_TYPES[graph.tensors[name].dtype],
            "count": results[name].size,
        }
        for i, name in enumerate(graph.outputs)
    ]
    return {
        PurePosixPath("test/vectors.h"): render("vectors.h.j2", tables=tables.text()).encode(),
        PurePosixPath("test/selftest.c"): render(
            "selftest.c.j2", inputs=inputs, outputs=outputs, stream=stream
        ).encode(),
    }


def _sample(tensor: Tensor, rng: np.random.Generator) -> Array:
    if tensor.dtype == "float32":
        return rng.normal(size=tensor.shape).astype(np.float32)
    if tensor.dtype == "bool":
        return rng.integers(0, 2, tensor.shape).astype(bool)
    info = np.iinfo(tensor.dtype)
    low, high = max(info.min, -1000), min(info.max, 1000)
    return rng.integers(low, high, tensor.shape, tensor.dtype, endpoint=True)
