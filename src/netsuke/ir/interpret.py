"""What a graph means, computed in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from netsuke.errors import UsageError
from netsuke.ir.graph import Graph, Node
from netsuke.ir.tensor import Array


def is_integer_node(graph: Graph, node: Node) -> bool:
    """Whether a node computes on stored integers, so that `quantized` defines it."""
    return any(tensor.quant is not None for tensor in (*graph.in_of(node), *graph.out_of(node)))


def interpret(
    graph: Graph,
    feeds: Mapping[str, Array],
    observe: Callable[[str, Array], None] | None = None,
) -> dict[str, Array]:
    """Run one sample through a graph.

    Parameters
    ----------
    graph
        Any valid graph.
    feeds
        Input name -> one sample in the graph's own form (channels last, stored type).
    observe
        Called with the name and value of every activation, in order.

    Returns
    -------
    dict
        Output name -> value.

    Raises
    ------
    UsageError
        When an input is missing or has another shape or element type.
    """
    values: dict[str, Array] = {t.name: t.data for t in graph.constants() if t.data is not None}
    for name in graph.inputs:
        if name not in feeds:
            raise UsageError(f"input {name!r} is not given")
        tensor, value = graph.tensors[name], np.asarray(feeds[name])
        if value.shape != tensor.shape or str(value.dtype) != tensor.dtype:
            raise UsageError(
                f"input {name!r} is {value.dtype}{list(value.shape)}, the graph takes "
                f"{tensor.dtype}{list(tensor.shape)}"
            )
        values[name] = value
        if observe:
            observe(name, value)
    for node in graph.nodes:
        arrays = [values[name] for name in node.inputs]
        if is_integer_node(graph, node):
            results = node.op.quantized(graph.in_of(node), graph.out_of(node), *arrays)
        else:
            results = node.op.reference(*arrays)
        for name, result in zip(node.outputs, results, strict=True):
            tensor = graph.tensors[name]
            values[name] = np.asarray(result, tensor.dtype).reshape(tensor.shape)
            if observe:
                observe(name, values[name])
    return {name: values[name] for name in graph.outputs}


def interpret_batch(graph: Graph, *arrays: Array) -> tuple[Array, ...]:
    """Run samples one after another; each array is ``(n, *shape)`` in the order of the inputs."""
    if len(arrays) != len(graph.inputs):
        raise UsageError(f"{graph.name} takes {len(graph.inputs)} inputs, {len(arrays)} given")
    rows = [
        interpret(graph, dict(zip(graph.inputs, sample, strict=True)))
        for sample in zip(*arrays, strict=True)
    ]
    return tuple(
        np.stack([row[name] for row in rows])
        if rows
        else np.zeros((0, *graph.tensors[name].shape), graph.tensors[name].dtype)
        for name in graph.outputs
    )
