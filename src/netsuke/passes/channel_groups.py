"""Which channels of a graph stand or fall together, found from the operators' own links.

Every position along every axis of every tensor is a point; the operators' links join points, and
the joined points are a unit: cutting one means cutting all. A unit that holds a position which
some operator needs whole (pixels, classes, the graph's inputs and outputs) cannot be cut. Units
that touch the same axes equally often are alike and make a group: the channels of a layer, or of
several that a residual addition ties together. (The same idea on a network's gradient graph:
Fang et al. 2023, DepGraph, arXiv:2301.12900.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netsuke.ir import Array, Graph, Node, Slot, Tensor, constant, verify

Axis = tuple[str, int]
"""A tensor and one of its axes."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelGroup:
    """Units that are alike and may be cut.

    Attributes
    ----------
    name
        The first tensor that a node makes with these channels.
    members
        Axis -> positions ``(units, m)``: what each unit takes of it.
    """

    name: str
    members: Mapping[Axis, Array]

    @property
    def units(self) -> int:
        return len(next(iter(self.members.values())))

    @property
    def channels(self) -> int:
        """Channels of the tensor `name` that one unit takes."""
        return next(p.shape[1] for (name, _), p in self.members.items() if name == self.name)


def channel_groups(graph: Graph, whole: Collection[str] = ()) -> tuple[ChannelGroup, ...]:
    """Return the groups of a graph, in the order in which nodes make them.

    Parameters
    ----------
    graph
        Any valid graph.
    whole
        Names of tensors that must not be cut, besides the graph's inputs and outputs.
    """
    bases, count = _number(graph)
    edges, frozen = _edges(graph, bases, count, (*graph.inputs, *graph.outputs, *whole))
    label = _components(edges, count)
    blocked = np.zeros(count, bool)
    blocked[label[frozen]] = True
    # One row a point: (unit, axis number), grouped by unit.
    axes = list(bases)
    owner = np.empty(count, np.int64)
    for number, axis in enumerate(axes):
        start = bases[axis]
        owner[start : start + graph.tensors[axis[0]].shape[axis[1]]] = number
    points = np.flatnonzero(~blocked[label])
    points = points[np.argsort(label[points], kind="stable")]
    families: dict[tuple[int, ...], list[Array]] = {}
    for unit in np.split(points, np.flatnonzero(np.diff(label[points])) + 1):
        if unit.size:
            families.setdefault(tuple(np.sort(owner[unit])), []).append(unit)
    made = (name for node in graph.nodes for name in node.outputs)
    order = {name: number for number, name in enumerate(made)}
    groups = [_group(graph, axes, bases, owner, order, units) for units in families.values()]
    kept = [group for group in groups if group is not None]
    return tuple(sorted(kept, key=lambda group: (order.get(group.name, -1), -group.units)))


def _group(
    graph: Graph,
    axes: Sequence[Axis],
    bases: Mapping[Axis, int],
    owner: Array,
    order: Mapping[str, int],
    units: Sequence[Array],
) -> ChannelGroup | None:
    """A group of units with equal axes, or None when cutting it saves no constant."""
    members: dict[Axis, Array] = {}
    stacked = np.stack([unit[np.argsort(owner[unit], kind="stable")] for unit in units])
    for number in np.unique(owner[stacked[0]]):
        axis = axes[number]
        columns = owner[stacked[0]] == number
        members[axis] = np.sort(stacked[:, columns] - bases[axis], axis=1)
    if not any(graph.tensors[name].is_constant for name, _ in members):
        return None
    made = [name for name, _ in members if name in order]
    if not made:
        return None
    name = min(made, key=lambda tensor: order[tensor])
    first = next(axis for axis in members if axis[0] == name)
    rank = np.argsort(members[first][:, 0], kind="stable")
    return ChannelGroup(name, {axis: places[rank] for axis, places in members.items()})


def _number(graph: Graph) -> tuple[dict[Axis, int], int]:
    """The first point of every axis, and the number of points."""
    bases, count = {}, 0
    for tensor in graph.tensors.values():
        for axis, extent in enumerate(tensor.shape):
            bases[tensor.name, axis] = count
            count += extent
    return bases, count


def _edges(
    graph: Graph, bases: Mapping[Axis, int], count: int, whole: Collection[str]
) -> tuple[Array, Array]:
    """Pairs of points that operators join ``(e, 2)``, and the points that must stay."""
    pairs: list[Array] = [np.zeros((0, 2), np.int64)]
    frozen = np.zeros(count, bool)
    for name in whole:
        for axis, extent in enumerate(graph.tensors[name].shape):
            frozen[bases[name, axis] + np.arange(extent)] = True
    for node in graph.nodes:
        linked = np.zeros(count, bool)
        for link in node.op.links(graph.in_of(node), graph.out_of(node)):
            first, second = _argument(node, link.first), _argument(node, link.second)
            extent = graph.tensors[first[0]].shape[first[1]]
            here, there = link.pairs(extent)
            here, there = here + bases[first], there + bases[second]
            linked[here] = linked[there] = True
            pairs.append(np.stack([here, there], axis=1))
        for name in (*node.inputs, *node.outputs):
            for axis, extent in enumerate(graph.tensors[name].shape):
                places = bases[name, axis] + np.arange(extent)
                # A constant of extent 1 broadcasts: it holds nothing that could be cut.
                if extent > 1:
                    frozen[places[~linked[places]]] = True
    return np.concatenate(pairs), np.flatnonzero(frozen)


def _argument(node: Node, slot: Slot) -> Axis:
    side, number, axis = slot
    return (node.inputs if side == "in" else node.outputs)[number], axis


def _components(edges: Array, count: int) -> Array:
    """The component of every point; the smallest point of a component is its number."""
    label = np.arange(count)
    while True:
        low = np.minimum(label[edges[:, 0]], label[edges[:, 1]])
        before = label.copy()
        for side in (0, 1):
            np.minimum.at(label, label[edges[:, side]], low)
            np.minimum.at(label, edges[:, side], low)
        label = label[label]
        if np.array_equal(label, before):
            return label


def cut(graph: Graph, groups: Sequence[ChannelGroup], kept: Sequence[Sequence[int]]) -> Graph:
    """Return the graph with only some units of each group.

    Parameters
    ----------
    graph
        The graph that the groups were found in.
    groups
        Some or all of its groups.
    kept
        For each of them the units that stay, at least one.
    """
    gone: dict[Axis, list[Array]] = {}
    for group, units in zip(groups, kept, strict=True):
        dropped = np.setdiff1d(np.arange(group.units), np.asarray(units, np.int64))
        for axis, places in group.members.items():
            gone.setdefault(axis, []).append(places[dropped].ravel())
    stay = {
        name: [
            np.setdiff1d(
                np.arange(extent), np.concatenate(gone.get((name, axis), [[]])).astype(np.int64)
            )
            for axis, extent in enumerate(tensor.shape)
        ]
        for name, tensor in graph.tensors.items()
    }
    tensors = {name: _taken(tensor, stay[name]) for name, tensor in graph.tensors.items()}
    nodes = tuple(_renumbered(graph, node, stay, tensors) for node in graph.nodes)
    nodes = tuple(
        replace(
            node,
            op=node.op.cut(
                [tensors[name] for name in node.inputs], [tensors[name] for name in node.outputs]
            ),
        )
        for node in nodes
    )
    read = {*graph.inputs, *graph.outputs, *(n for node in nodes for n in node.inputs)}
    made = {name for node in nodes for name in node.outputs}
    left = {name: tensor for name, tensor in tensors.items() if name in read | made}
    return verify(replace(graph, nodes=nodes, tensors=left))


def _renumbered(
    graph: Graph, node: Node, stay: Mapping[str, list[Array]], tensors: dict[str, Tensor]
) -> Node:
    """The node with its constants that hold positions told anew, under names of their own."""
    found = node.op.renumbered(graph.in_of(node), [stay[name] for name in node.inputs])
    inputs = list(node.inputs)
    for number, data in found.items():
        name, tries = f"{node.name}.positions", 1
        while name in tensors:
            name, tries = f"{node.name}.positions{tries}", tries + 1
        tensors[name] = constant(name, data, graph.tensors[inputs[number]].quant)
        inputs[number] = name
    return replace(node, inputs=tuple(inputs))


def _taken(tensor: Tensor, stay: Sequence[Array]) -> Tensor:
    shape = tuple(map(len, stay))
    if shape == tensor.shape:
        return tensor
    if tensor.data is None:
        return replace(tensor, shape=shape)
    quant = tensor.quant
    if quant is not None and quant.axis is not None and len(quant.scale) > 1:
        places = stay[quant.axis]
        scale = tuple(quant.scale[i] for i in places)
        quant = replace(quant, scale=scale, zero_point=tuple(quant.zero_point[i] for i in places))
    return constant(tensor.name, tensor.data[np.ix_(*stay)], quant)
