"""Channels that hold the same value for every input, and channels that nobody reads.

Trained networks are full of them: a filter whose weights have all decayed to zero, a ReLU that no
input can open. What such a channel adds to the layers that read it is a number, which their biases
take over; then the channel goes, and everything that only served it. Between which values a
channel lies is found from the weights alone, in the integers of the device, so the result is the
same bit for bit (in floats: but for rounding).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from netsuke.errors import NetsukeError
from netsuke.ir import Addends, Array, Graph, Node, Range, constant, possible_range
from netsuke.passes.channel_groups import ChannelGroup, channel_groups, cut
from netsuke.passes.edit import own_constants

MULTIPLE = 2
"""Channels are left in whole multiples of it: kernels make outputs in couples."""


def drop_constant_channels(graph: Graph) -> Graph:
    """Fold channels of constant values into biases and cut them, and what only they needed.

    Where too few channels could go to leave a multiple of `MULTIPLE`, some stay.
    """
    while (smaller := _without(graph)) is not graph:
        graph = smaller
    return graph


def _without(graph: Graph) -> Graph:
    """One round; what became unread is found by the next."""
    addends, opaque = _survey(graph)
    if not any(found.fixed.any() for found in addends.values()):
        return graph
    own = own_constants(graph)
    whole = {
        name for node in own.nodes if node.name in opaque for name in (*node.inputs, *node.outputs)
    }
    groups = channel_groups(own, whole)
    kept = [_kept(own, group, addends) for group in groups]
    if all(len(units) == group.units for group, units in zip(groups, kept, strict=True)):
        return graph
    return cut(_folded(own, groups, kept, addends), groups, kept)


def _survey(graph: Graph) -> tuple[dict[str, Addends], set[str]]:
    """What channels add to the nodes that sum them up; and the nodes that tell nothing."""
    known = {name: possible_range(tensor) for name, tensor in graph.tensors.items()}
    addends: dict[str, Addends] = {}
    opaque = set()
    for node in graph.nodes:
        given = [known[name] for name in node.inputs]
        ranges = _ranges(graph, node, given)
        if ranges is None:
            opaque.add(node.name)
            continue
        known.update(zip(node.outputs, ranges, strict=True))
        found = node.op.addends(graph.in_of(node), given)
        if found is not None:
            addends[node.name] = found
    return addends, opaque


def _ranges(graph: Graph, node: Node, known: Sequence[Range]) -> tuple[Range, ...] | None:
    try:
        return node.op.value_ranges(graph.in_of(node), graph.out_of(node), known)
    except NetsukeError:
        return None  # whoever computes or compiles the node will say what is wrong with it


def _kept(graph: Graph, group: ChannelGroup, addends: Mapping[str, Addends]) -> list[int]:
    """The units of a group that must stay, filled up to a multiple."""
    free = np.ones(group.units, bool)
    for node in graph.nodes:
        if node.name in addends and (places := _places(graph, node, group)) is not None:
            free &= addends[node.name].fixed[places].all(axis=1)
    needed = int((~free).sum())
    stay = min(max(-(-needed // MULTIPLE), 1) * MULTIPLE, group.units)
    gone = set(np.flatnonzero(free)[stay - needed :].tolist())
    return [unit for unit in range(group.units) if unit not in gone]


def _places(graph: Graph, node: Node, group: ChannelGroup) -> Array | None:
    """Channels ``(units, m)`` of a group in a node's first input."""
    x = graph.tensors[node.inputs[0]]
    return group.members.get((x.name, len(x.shape) - 1))


def _folded(
    graph: Graph,
    groups: Sequence[ChannelGroup],
    kept: Sequence[Sequence[int]],
    addends: Mapping[str, Addends],
) -> Graph:
    """The graph whose biases hold already what the channels that will go add."""
    tensors = dict(graph.tensors)
    for node in graph.nodes:
        if node.name not in addends or node.op.rule.bias is None:
            continue
        gone = np.zeros(len(addends[node.name].fixed), bool)
        for group, units in zip(groups, kept, strict=True):
            places = _places(graph, node, group)
            if places is not None:
                gone[np.delete(places, units, axis=0)] = True
        bias = tensors[node.inputs[node.op.rule.bias]]
        if gone.any() and bias.data is not None:
            total = bias.data + addends[node.name].amounts[gone].sum(axis=0)
            tensors[bias.name] = constant(bias.name, total.astype(bias.dtype), bias.quant)
    return replace(graph, tensors=tensors)
