"""What a candidate costs: exactly, by compiling it, and quickly, for the steps between.

Exact sizes need a quantized graph and a plan, some tenths of a second; a search that removes a
few channels at a time asks thousands of times. `QuickCost` counts the bytes of int8 weights and of
live activations from shapes alone; it is scaled to the last exact answer, and every design that a
search returns has exact sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.ir import Array, Graph
from netsuke.passes.channel_groups import ChannelGroup

LIMITS = ("flash", "ram", "instructions")
BIAS = 9.0
"""Bytes of a bias: an int32, and the multiplier and the shift of its channel."""


class QuickCost:
    """Bytes and multiply-accumulates of a graph as a function of its groups' widths.

    All methods take widths ``(..., groups)``, one design or many at a time.

    Parameters
    ----------
    graph
        The original float graph.
    groups
        Its groups.
    """

    def __init__(self, graph: Graph, groups: Sequence[ChannelGroup]) -> None:
        self.units = np.array([group.units for group in groups], np.int64)
        names = list(graph.tensors)
        number = {name: index for index, name in enumerate(names)}
        rank = max((len(graph.tensors[name].shape) for name in names), default=1) or 1
        self._extents = np.ones((len(names), rank))
        for name, index in number.items():
            self._extents[index, : len(graph.tensors[name].shape)] = graph.tensors[name].shape
        # What one unit of a group takes of each axis of each tensor.
        self._taken = np.zeros((len(groups), len(names), rank))
        for group, members in enumerate(groups):
            for (name, axis), places in members.members.items():
                self._taken[group, number[name], axis] = places.shape[1]
        self._bytes = np.zeros(len(names))
        # A batch normalization folds away, wherever it stands.
        folded = {name for node in graph.nodes if node.op.measured for name in node.inputs}
        for tensor in graph.constants():
            if tensor.name not in folded:
                is_bias = tensor.dtype == "float32" and len(tensor.shape) == 1
                self._bytes[number[tensor.name]] = BIAS if is_bias else 1.0
        lifetimes = _lifetimes(graph)
        self._live = np.zeros((len(lifetimes), len(names)))
        for step, living in enumerate(lifetimes):
            self._live[step, [number[name] for name in living]] = 1.0
        self._work = np.zeros(len(names))
        for macs, name in _work(graph):
            self._work[number[name]] += macs / max(graph.tensors[name].elements, 1)

    def elements(self, widths: Array) -> Array:
        """Elements of every tensor ``(..., tensors)``."""
        missing = (self.units - np.asarray(widths)).astype(np.float64)
        extents = self._extents - np.tensordot(missing, self._taken, axes=1)
        counts: Array = extents.prod(axis=-1)
        return counts

    def __call__(self, widths: Array) -> Array:
        """(flash, ram, instructions) ``(..., 3)``: bytes, bytes, multiply-accumulates."""
        elements = self.elements(widths)
        live = elements @ self._live.T
        return np.stack(
            [elements @ self._bytes, live.max(axis=-1, initial=0.0), elements @ self._work], axis=-1
        )

    def excess(self, widths: Array, targets: Array) -> Array:
        """By how much each target is missed ``(..., 3)``; RAM summed over all nodes that miss it.

        With the sum every node at the peak counts, and cutting one of several equal peaks is a
        step forward.
        """
        elements = self.elements(widths)
        live = np.maximum(elements @ self._live.T - targets[1], 0.0).sum(axis=-1)
        return np.stack(
            [
                np.maximum(elements @ self._bytes - targets[0], 0.0),
                live,
                np.maximum(elements @ self._work - targets[2], 0.0),
            ],
            axis=-1,
        )


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
