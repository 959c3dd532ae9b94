"""What a candidate costs: exactly, by compiling it, and quickly, for the steps between.

Exact sizes need a quantized graph and a plan, some tenths of a second; a search that removes a
few channels at a time asks thousands of times. `QuickCost` counts the bytes of int8 weights and of
live activations from shapes alone; it is scaled to the last exact answer, and every design that a
search returns has exact sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array, Graph
from netsuke.passes.channel_groups import ChannelGroup

LIMITS = ("flash", "ram", "instructions")


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A tensor's elements as a product over its axes, each with the groups that shrink it."""

    extents: Array  # of each axis, uncut
    cuts: tuple[tuple[int, int, int], ...]  # (axis, group, positions that a unit takes)


class QuickCost:
    """Bytes and multiply-accumulates of a graph as a function of its groups' widths.

    Parameters
    ----------
    graph
        The original float graph.
    groups
        Its groups.
    """

    def __init__(self, graph: Graph, groups: Sequence[ChannelGroup]) -> None:
        self.units = np.array([group.units for group in groups], np.int64)
        self._entries = {name: _entry(graph, groups, name) for name in graph.tensors}
        # A batch normalization folds away, wherever it stands.
        folded = {name for node in graph.nodes if node.op.measured for name in node.inputs}
        self._constants = [
            (tensor.name, tensor.dtype == "float32" and len(tensor.shape) == 1)
            for tensor in graph.constants()
            if tensor.name not in folded
        ]
        self._live = _lifetimes(graph)
        self._macs = _work(graph)

    def elements(self, name: str, widths: Array) -> float:
        """Elements of a tensor."""
        entry = self._entries[name]
        extents = entry.extents.copy()
        for axis, group, each in entry.cuts:
            extents[axis] -= each * (self.units[group] - widths[group])
        return float(np.prod(extents)) if extents.size else 1.0

    def live(self, widths: Array) -> Array:
        """Bytes of activations that live during each node, as int8."""
        names = {name for step in self._live for name in step}
        sizes = {name: self.elements(name, widths) for name in names}
        return np.array([sum(sizes[name] for name in step) for step in self._live])

    def flash(self, widths: Array) -> float:
        """Bytes of constants: int8 weights, and int32 biases with a multiplier and a shift."""
        return sum(
            self.elements(name, widths) * (9.0 if is_vector else 1.0)
            for name, is_vector in self._constants
        )

    def macs(self, widths: Array) -> float:
        """Multiply-accumulates of one inference."""
        total = 0.0
        for count, giver in self._macs:
            whole = float(np.prod(self._entries[giver].extents))
            total += count * self.elements(giver, widths) / whole
        return total

    def __call__(self, widths: Array) -> Array:
        """(flash, ram, instructions), unscaled: bytes, bytes, multiply-accumulates."""
        return np.array([self.flash(widths), self.live(widths).max(initial=0.0), self.macs(widths)])

    def excess(self, widths: Array, targets: Array) -> Array:
        """By how much each target is missed; for RAM summed over all nodes that miss it.

        With the sum every node at the peak counts, and cutting one of several equal peaks is a
        step forward.
        """
        over_ram = np.maximum(self.live(widths) - targets[1], 0.0).sum()
        return np.array(
            [
                max(self.flash(widths) - targets[0], 0.0),
                over_ram if np.isfinite(targets[1]) else 0.0,
                max(self.macs(widths) - targets[2], 0.0),
            ]
        )


def _entry(graph: Graph, groups: Sequence[ChannelGroup], name: str) -> _Entry:
    shape = graph.tensors[name].shape
    cuts = [
        (axis, number, group.members[name, axis].shape[1])
        for number, group in enumerate(groups)
        for axis in range(len(shape))
        if (name, axis) in group.members
    ]
    return _Entry(np.array(shape, np.int64), tuple(cuts))


def _work(graph: Graph) -> list[tuple[int, str]]:
    """(multiply-accumulates, tensor) of each node: the work grows with that tensor's elements.

    A convolution's work is its weights times the pixels, which cutting channels leaves alone.
    """
    work = []
    for node in graph.nodes:
        macs = node.op.cost(graph.in_of(node), graph.out_of(node)).macs
        names = [name for name in node.inputs if graph.tensors[name].is_constant] or node.outputs
        if macs:
            work.append((macs, max(names, key=lambda name: graph.tensors[name].elements)))
    return work


def _lifetimes(graph: Graph) -> list[list[str]]:
    """The activations that live during each node; what only changes its values stays in place."""
    root: dict[str, str] = {name: name for name in graph.inputs}
    for node in graph.nodes:
        sources = [name for name in node.inputs if not graph.tensors[name].is_constant]
        for name in node.outputs:
            in_place = len(sources) == 1 and graph.tensors[sources[0]].elements == (
                graph.tensors[name].elements
            )
            moved = in_place and not node.op.rule.weights
            root[name] = root[sources[0]] if moved else name
    last: dict[str, int] = {}
    first: dict[str, int] = {root[name]: 0 for name in graph.inputs}
    for step, node in enumerate(graph.nodes):
        for name in (*node.inputs, *node.outputs):
            if name in root:
                last[root[name]] = step
                first.setdefault(root[name], step)
    for name in graph.outputs:
        if name in root:
            last[root[name]] = len(graph.nodes) - 1
    return [
        [name for name in first if first[name] <= step <= last.get(name, first[name])]
        for step in range(len(graph.nodes))
    ]
