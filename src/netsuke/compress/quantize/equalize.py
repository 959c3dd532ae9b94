"""Cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721)."""

from __future__ import annotations

from collections.abc import Mapping
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

MOST = 1e3
"""Channels are scaled by at most this factor, and at least its inverse."""

TINY = 1e-6
"""Channels whose weights are smaller than this share of the largest are dead and stay."""


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


def equalize(graph: Graph, reach: Mapping[str, Array] | None = None) -> Graph:
    """Balance the ranges of weights between consecutive layers; the meaning is kept.

    For channel i between two layers, with r1 the largest weight that makes it and r2 the largest
    that reads it::

        s_i = sqrt(r1_i · r2_i) / r2_i,   W1_i ← W1_i / s_i,  b1_i ← b1_i / s_i,  W2_i ← W2_i · s_i

    after which both ranges are sqrt(r1_i · r2_i).

    Parameters
    ----------
    graph
        A float graph.
    reach
        First tensor of a pair (`find_pairs`) -> the largest magnitude in each of its channels. If
        given, no channel is enlarged beyond the largest one as it was, since all channels share
        the range of the tensor, and channels that are always zero stay as they are.
    """
    edit = Edit(graph)
    pairs = find_pairs(graph)
    values: dict[tuple[str, int], Array] = {}
    totals: dict[str, Array] = {}
    for _ in range(ROUNDS if pairs else 0):
        change = 0.0
        for pair in pairs:
            limits = _limits(None if reach is None else reach[pair.first])
            change = max(change, _balance(edit, pair, values, totals, limits))
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


def _limits(reach: Array | None) -> tuple[Array, Array]:
    """The smallest and the largest factor of each channel, all rounds together."""
    if reach is None:
        return np.array(1.0 / MOST), np.array(MOST)
    dead = reach <= 0.0
    least = np.clip(reach / max(float(reach.max(initial=0.0)), 1e-30), 1.0 / MOST, 1.0)
    return np.where(dead, 1.0, least), np.where(dead, 1.0, MOST)


def _balance(
    edit: Edit,
    pair: Pair,
    values: dict[tuple[str, int], Array],
    totals: dict[str, Array],
    limits: tuple[Array, Array],
) -> float:
    """Equalize one pair in `values` (node, input -> array); return how far factors were from 1.

    `totals` holds the product of all factors of each pair so far.
    """
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
    usable = (r1 > TINY * r1.max(initial=0.0)) & (r2 > TINY * r2.max(initial=0.0))
    ratio = np.where(usable, r1, 1.0) / np.where(usable, r2, 1.0)
    before = totals.get(pair.first, np.ones(len(r1)))
    totals[pair.first] = np.clip(before * np.sqrt(ratio), *limits)
    factors = totals[pair.first] / before
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
