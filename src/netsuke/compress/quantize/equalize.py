"""Cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array, Graph, Node
from netsuke.ops.average_pool2d import AveragePool2d
from netsuke.ops.clamp import Clamp
from netsuke.ops.max_pool2d import MaxPool2d
from netsuke.ops.reshape import Reshape
from netsuke.passes.edit import Edit
from netsuke.passes.linear import bounds, is_linear

ROUNDS = 20
"""Most times that every pair is equalized; chains of layers settle one after another."""

SETTLED = 1e-3
"""Factors this close to 1 count as settled."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers between which channels can be rescaled, and the tensors on the way."""

    first: str
    second: str
    tensors: tuple[str, ...]


def find_pairs(graph: Graph) -> tuple[Pair, ...]:
    """Linear layers that feed nothing but one other linear layer, positively homogeneously.

    f(s·x) = s·f(x) for s > 0 must hold for everything on the way: clamps at zero only (ReLU, not
    ReLU6), poolings, reshapes that keep the channels.
    """
    edit = Edit(graph)
    pairs = []
    for node in graph.nodes:
        if is_linear(edit, node) and _is_homogeneous(node):
            found = _walk(edit, node)
            if found is not None:
                pairs.append(found)
    return tuple(pairs)


def _is_homogeneous(node: Node) -> bool:
    limits = bounds(node.op)
    return limits is None or (limits[0] in (0.0, -np.inf) and limits[1] == np.inf)


def _walk(edit: Edit, node: Node) -> Pair | None:
    first, tensors = node.name, [node.name]
    while edit.has_one_reader(tensors[-1]):
        (node,) = edit.readers(tensors[-1])
        inputs = edit.inputs(node)
        if is_linear(edit, node):
            reads_it = node.inputs[0] == tensors[-1] and tensors[-1] not in node.inputs[1:]
            if reads_it and node.op.weight_inputs(inputs) is not None:
                return Pair(first, node.name, tuple(tensors))
            return None
        keeps = isinstance(node.op, Clamp | MaxPool2d | AveragePool2d) and _is_homogeneous(node)
        if isinstance(node.op, Reshape):
            keeps = inputs[0].shape[-1:] == edit.outputs(node)[0].shape[-1:]
        if not keeps:
            return None
        tensors.append(node.name)
    return None


def equalize(graph: Graph) -> Graph:
    """Balance the ranges of weights between consecutive layers; the meaning is kept.

    For channel i between two layers, with r1 the largest weight that makes it and r2 the largest
    that reads it::

        s_i = sqrt(r1_i · r2_i) / r2_i,   W1_i ← W1_i / s_i,  b1_i ← b1_i / s_i,  W2_i ← W2_i · s_i

    after which both ranges are sqrt(r1_i · r2_i).
    """
    edit = Edit(graph)
    pairs = find_pairs(graph)
    values: dict[tuple[str, int], Array] = {}
    for _ in range(ROUNDS if pairs else 0):
        change = max(_balance(edit, pair, values) for pair in pairs)
        if change < SETTLED:
            break
    for (name, number), array in values.items():
        node = edit.node(name)
        assert node is not None
        inputs = list(node.inputs)
        wish = f"{inputs[number]}_equalized"
        inputs[number] = edit.constant(wish, array.astype(np.float32))
        edit.replace(node, inputs=inputs)
    return edit.finish()


def _balance(edit: Edit, pair: Pair, values: dict[tuple[str, int], Array]) -> float:
    """Equalize one pair in `values` (node, input -> array); return how far factors were from 1."""
    first, second = edit.node(pair.first), edit.node(pair.second)
    assert first is not None and second is not None and first.op.rule.bias is not None
    ((made, axis),) = first.op.rule.weights.items()
    (read,) = second.op.rule.weights
    assert axis is not None
    weights = _value(edit, first, made, values)
    following = _value(edit, second, read, values)
    channels = second.op.weight_inputs(edit.inputs(second))
    assert channels is not None
    others = tuple(i for i in range(weights.ndim) if i != axis)
    r1 = np.abs(weights).max(axis=others, initial=0.0)
    r2 = largest_by_channel(following, channels, len(r1))
    usable = (r1 > 0.0) & (r2 > 0.0)
    ratio = np.where(usable, r1, 1.0) / np.where(usable, r2, 1.0)
    factors = np.clip(np.sqrt(ratio), 1e-3, 1e3)
    shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
    bias = first.op.rule.bias
    values[first.name, made] = weights / factors.reshape(shape)
    values[first.name, bias] = _value(edit, first, bias, values) / factors
    values[second.name, read] = following * factors[channels]
    return float(np.abs(np.log(factors)).max(initial=0.0))


def _value(edit: Edit, node: Node, number: int, values: dict[tuple[str, int], Array]) -> Array:
    """A constant of a node, as far as it is equalized already."""
    if (node.name, number) in values:
        return values[node.name, number]
    data = edit.inputs(node)[number].data
    assert data is not None
    return data.astype(np.float64)


def largest_by_channel(weights: Array, channels: Array, count: int) -> Array:
    """The largest magnitude among the weights that read each input channel."""
    result = np.zeros(count)
    places = np.broadcast_to(channels, weights.shape)
    np.maximum.at(result, places.ravel(), np.abs(weights).ravel())
    return result
