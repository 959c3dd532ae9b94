"""Every shape of a graph inferred anew after an image in it changed its size.

Operators say what they are at another size (`Op.resized`). Constants that hold one number a pixel
follow, too. Let U be the matrix that makes an image of the old size from one of the new, each old
pixel the mean of the area that it covers, and D the same from old to new. A layer that sums over
pixels (dense behind a flattened map, a window as large as the map) sees x ≈ U x', so ::

    y = W x ≈ W U x'        W' = W U

and an image that is the same everywhere gives what it gave, since rows of U sum to 1. Numbers that
meet pixels one by one, as an added map, become D b.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from netsuke.compress.edits.windows import kernel_axes, window_of
from netsuke.data.view import area_overlaps
from netsuke.errors import GraphError
from netsuke.ir import Array, Graph, Node, Op, Slot, Tensor
from netsuke.ops import Reshape
from netsuke.ops.links import equal_products

Factors = tuple[tuple[int, int], ...]
"""(old, new) extents whose products are an axis's: (h, w, c) for an image in a row."""


def reflow(
    graph: Graph,
    inputs: Mapping[str, tuple[int, ...]],
    ops: Mapping[str, Op],
    values: bool = True,
) -> Graph:
    """Return the graph with other input shapes or operators, and all that follows from them.

    Parameters
    ----------
    graph
        A float graph.
    inputs
        Graph input -> its new shape ``(h, w, c)``; only the first two may differ.
    ops
        Node -> the operator that it gets.
    values
        Whether constants get their numbers; to see shapes only, they need not.

    Raises
    ------
    GraphError
        Naming the node that has no meaning at the new size.
    """
    flow = _Flow(graph, values)
    for name, shape in inputs.items():
        flow.resize_input(name, shape)
    nodes = tuple(flow.node(node, ops.get(node.name)) for node in graph.nodes)
    for name in graph.outputs:
        if flow.tensors[name].shape != graph.tensors[name].shape:
            became = list(flow.tensors[name].shape)
            raise GraphError(name, f"is an output, which would become {became}; labels would not")
    return replace(graph, nodes=nodes, tensors=flow.tensors)


class _Flow:
    def __init__(self, graph: Graph, values: bool) -> None:
        self.graph = graph
        self.values = values
        self.tensors = dict(graph.tensors)
        self.factors: dict[tuple[str, int], Factors] = {}

    def resize_input(self, name: str, shape: tuple[int, ...]) -> None:
        old = self.graph.tensors[name]
        self.tensors[name] = replace(old, shape=shape)
        for axis in (0, 1):
            self.factors[name, axis] = ((old.shape[axis], shape[axis]),)

    def node(self, node: Node, op: Op | None) -> Node:
        """The node at the new size; its outputs and constants are entered."""
        before = self.graph.in_of(node)
        moved = any(self.tensors[name].shape != old.shape for name, old in _named(node, before))
        if not moved and op is None:
            return node
        try:
            if moved:
                self._resample(node, before)
            after = tuple(self.tensors[name] for name in node.inputs)
            new = (op or node.op).resized(before, after) if moved else op or node.op
            types = new.infer(after)
        except GraphError as error:
            raise GraphError(node.name, f"has no form at the other size: {error}") from None
        for name, kind in zip(node.outputs, types, strict=True):
            self.tensors[name] = replace(self.tensors[name], shape=kind.shape)
        self._follow(node)
        return replace(node, op=new)

    def _changed(self, name: str, axis: int) -> bool:
        return self.tensors[name].shape[axis] != self.graph.tensors[name].shape[axis]

    def _follow(self, node: Node) -> None:
        """What the axes of a node's outputs are made of."""
        for slot, others in self._joined(node).items():
            if slot[0] == "out":
                self._copy(node, slot, others)
        if isinstance(node.op, Reshape):
            source, target = node.inputs[0], node.outputs[0]
            shapes = self.graph.tensors[source].shape, self.graph.tensors[target].shape
            for left, right in equal_products(*shapes):
                if len(right) == 1:
                    parts = [self._factors(source, axis) for axis in left]
                    self.factors[target, right[0]] = sum(parts, ())
        for name in node.outputs:
            old, new = self.graph.tensors[name].shape, self.tensors[name].shape
            for axis in (0, 1) if len(new) == 3 else ():
                self.factors.setdefault((name, axis), ((old[axis], new[axis]),))

    def _copy(self, node: Node, slot: Slot, others: Sequence[Slot]) -> None:
        for other in others:
            name = node.inputs[other[1]] if other[0] == "in" else ""
            if name and (name, other[2]) in self.factors:
                self.factors[node.outputs[slot[1]], slot[2]] = self.factors[name, other[2]]

    def _factors(self, name: str, axis: int) -> Factors:
        if (name, axis) in self.factors:
            return self.factors[name, axis]
        if self._changed(name, axis):
            raise GraphError(name, f"nobody knows which pixels its axis {axis} holds")
        extent = self.tensors[name].shape[axis]
        return ((extent, extent),)

    def _joined(self, node: Node) -> dict[Slot, list[Slot]]:
        """Axes of a node's arguments that hold the same positions as another one."""
        groups: dict[Slot, list[Slot]] = {}
        for link in node.op.links(self.graph.in_of(node), self.graph.out_of(node)):
            if link.positions is None:
                first = groups.setdefault(link.first, [link.first])
                second = groups.setdefault(link.second, [link.second])
                if first is not second:
                    first += second
                    groups.update(dict.fromkeys(second, first))
        return groups

    def _resample(self, node: Node, before: Sequence[Tensor]) -> None:
        """Bring the constants of a node to the new size."""
        for slot, others in self._joined(node).items():
            if slot[0] == "in" and before[slot[1]].is_constant:
                self._resample_axis(node, slot, others)
        axes = kernel_axes(node.op)
        if axes is None or window_of(node.op, before) != before[0].shape[:2]:
            return
        for place, axis in enumerate(axes):
            if self._changed(node.inputs[0], place):
                extents = before[0].shape[place], self.tensors[node.inputs[0]].shape[place]
                self._apply(node.inputs[1], axis, (extents,), sums=True)

    def _resample_axis(self, node: Node, slot: Slot, others: Sequence[Slot]) -> None:
        _, number, axis = slot
        rule = node.op.rule.weights
        for side, other, place in others:
            if side == "out" or self.graph.tensors[node.inputs[other]].is_constant:
                continue
            if self._changed(node.inputs[other], place):
                factors = self._factors(node.inputs[other], place)
                sums = number in rule and rule[number] != axis
                self._apply(node.inputs[number], axis, factors, sums)
                return

    def _apply(self, name: str, axis: int, factors: Factors, sums: bool) -> None:
        old = self.graph.tensors[name]
        shape = list(self.tensors[name].shape)
        if old.dtype != "float32" or old.quant is not None:
            raise GraphError(name, "holds no real numbers that could be averaged over pixels")
        shape[axis] = int(np.prod([new for _, new in factors]))
        data = self.tensors[name].data
        assert data is not None
        if self.values:
            data = resampled(data, axis, factors, sums)
        else:
            data = np.broadcast_to(np.float32(0), shape)
        data.setflags(write=False)
        self.tensors[name] = replace(old, shape=tuple(shape), data=data)


def _named(node: Node, tensors: Sequence[Tensor]) -> list[tuple[str, Tensor]]:
    return list(zip(node.inputs, tensors, strict=True))


def resampled(data: Array, axis: int, factors: Factors, sums: bool) -> Array:
    """An array brought to another size along an axis: times U if it sums over it, else times D.

    Parameters
    ----------
    data
        float32.
    axis
        Has ``Π old`` positions, the last of `factors` fastest.
    factors
        (old, new) extents.
    sums
        Whether the array's numbers are multiplied with pixels and added up.
    """
    before, after = data.shape[:axis], data.shape[axis + 1 :]
    values = data.astype(np.float64).reshape(*before, *(old for old, _ in factors), *after)
    for place, (old, new) in enumerate(factors, len(before)):
        if old != new:
            matrix = area_overlaps(old, new) / (new if sums else old)
            values = np.moveaxis(np.tensordot(matrix, values, (1, place)), 0, place)
    extent = int(np.prod([new for _, new in factors]))
    return np.ascontiguousarray(values.reshape(*before, extent, *after), np.float32)
