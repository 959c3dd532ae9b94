"""Integer graphs on many samples at once, bit for bit what `interpret` computes one by one.

Accumulators are summed by PyTorch's float convolutions. That is exact: a sum of integers whose
partial sums all stay below 2^24 (float32) or 2^53 (float64) is never rounded, whatever the order,
and `Requant.bound` proves which of the two holds. What remains, and operators without weights, is
computed by the operators' own integer meaning, on the whole batch where it works elementwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from netsuke.ir import Array, Graph, Node
from netsuke.ir.interpret import is_integer_node
from netsuke.ops.binary import Binary
from netsuke.ops.ranges import Accumulating
from netsuke.ops.unary import Unary
from netsuke.passes.linear import bounds, with_bounds

EXACT_IN_FLOAT32 = 1 << 24

CHUNK = 64
"""Samples at a time, so that the wide accumulators stay in the cache."""

Observer = Callable[[str, Array], None]


def interpret_many(graph: Graph, stored: Array, observe: Observer | None = None) -> Array:
    """Stored first outputs ``(n, *shape)`` of a graph with one input.

    Parameters
    ----------
    graph
        An integer graph (float nodes are computed by their `reference`).
    stored
        Inputs in the form in which the graph stores them, ``(n, *shape)``.
    observe
        Called with the name and the values ``(m, *shape)`` of each activation, for each chunk of
        samples in turn.
    """
    runner = Integers(graph)
    parts = []
    for start in range(0, len(stored), CHUNK):
        values = runner.values(stored[start : start + CHUNK])
        if observe is not None:
            for name, value in values.items():
                observe(name, value)
        parts.append(values[graph.outputs[0]])
    if not parts:
        output = graph.tensors[graph.outputs[0]]
        return np.zeros((0, *output.shape), output.dtype)
    return np.concatenate(parts)


class Integers:
    """A graph ready to be computed on batches; what does not depend on samples is done once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.constants = {t.name: t.data for t in graph.constants() if t.data is not None}
        self.layers = {node.name: layer for node in graph.nodes if (layer := _layer(graph, node))}

    def values(self, stored: Array) -> dict[str, Array]:
        """Every activation of a batch ``(n, *shape)``, by name."""
        values: dict[str, Array] = {self.graph.inputs[0]: stored}
        for node in self.graph.nodes:
            layer = self.layers.get(node.name)
            if layer is not None:
                values[node.name] = layer(values[node.inputs[0]])
            else:
                values.update(self._plain(node, values))
        return values

    def _plain(self, node: Node, values: dict[str, Array]) -> dict[str, Array]:
        """A node without weights."""
        graph = self.graph
        inputs, outputs = graph.in_of(node), graph.out_of(node)
        arrays = [values[name] if name in values else self.constants[name] for name in node.inputs]
        moving = [name in values for name in node.inputs]
        if _works_on_batches(graph, node):
            results = node.op.quantized(inputs, outputs, *arrays)
            return dict(zip(node.outputs, results, strict=True))
        integer = is_integer_node(graph, node)
        rows = []
        for number in range(len(next(iter(values.values())))):
            given = [a[number] if moves else a for a, moves in zip(arrays, moving, strict=True)]
            rows.append(
                node.op.quantized(inputs, outputs, *given) if integer else node.op.reference(*given)
            )
        return {
            tensor.name: np.stack(
                [np.asarray(row[place], tensor.dtype).reshape(tensor.shape) for row in rows]
            )
            for place, tensor in enumerate(outputs)
        }


def _works_on_batches(graph: Graph, node: Node) -> bool:
    """Whether a node treats elements alike, so that a leading axis changes nothing.

    An operator that defines its integers by itself may depend on where an element stands.
    """
    meaning = type(node.op).quantized
    if meaning not in (Unary.quantized, Binary.quantized) or not is_integer_node(graph, node):
        return False
    rank = len(graph.tensors[node.name].shape)
    return all(t.is_constant or len(t.shape) == rank for t in graph.in_of(node))


def _layer(graph: Graph, node: Node) -> Callable[[Array], Array] | None:
    """What computes a layer with constant int8 weights and bias on a batch, or None."""
    rule, tensors = node.op.rule, graph.in_of(node)
    if not isinstance(node.op, Accumulating) or rule.bias is None or len(rule.weights) != 1:
        return None
    if bounds(node.op) is None or not is_integer_node(graph, node):
        return None
    (index,) = rule.weights
    weights, bias = tensors[index], tensors[rule.bias]
    if tensors[0].is_constant or weights.quant is None or weights.data is None or bias.data is None:
        return None
    requant = node.op.requant(tensors, graph.out_of(node))
    open_op = with_bounds(node.op, -math.inf, math.inf)
    kind = np.float32 if requant.bound < EXACT_IN_FLOAT32 else np.float64
    kernel = torch.from_numpy(weights.data.astype(kind) - weights.quant.zero_point[0])
    nothing = torch.zeros(bias.shape, dtype=kernel.dtype)
    addend = bias.data.astype(np.int64)

    def compute(x: Array) -> Array:
        centred = torch.from_numpy(x.astype(kind)) - requant.input_zero
        with torch.inference_mode():
            (sums,) = open_op.lower(torch, tensors, centred, kernel, nothing)
        return requant.apply(sums.contiguous().numpy().astype(np.int64) + addend)

    return compute
