"""Many samples through the graph of a classical model at once."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array, Graph, interpret


def run_rows(graph: Graph, x: Array) -> Array:
    """The graph's first output for stored inputs ``(n, features)``.

    Operators that can take many samples at once (they have a method ``rows``) do; the others are
    interpreted one sample after the other. Both are the same integers.

    Returns
    -------
    ndarray
        ``(n, *shape)``.
    """
    if not all(hasattr(node.op, "rows") for node in graph.nodes):
        name = graph.inputs[0]
        rows = [interpret(graph, {name: row})[graph.outputs[0]] for row in x]
        return np.stack(rows)
    values = {tensor.name: tensor.data for tensor in graph.constants()}
    values[graph.inputs[0]] = x
    for node in graph.nodes:
        rows_of = getattr(node.op, "rows")  # noqa: B009 - not every operator has it
        values[node.name] = rows_of(*(values[name] for name in node.inputs))
    result = values[graph.outputs[0]]
    assert result is not None
    return result
