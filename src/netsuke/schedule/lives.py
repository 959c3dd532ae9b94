"""Which bytes of a tensor must be kept, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from netsuke.ir import Graph, Node, Tensor

Stay: TypeAlias = tuple[int, int, int, int]
"""First step, last step, first byte, end of bytes: what must not be overwritten."""


class Lives:
    """The lives of all activations in one order of execution.

    A tensor is written whole at one step (-1 for a graph input) and kept until its last reader.
    A reader that only looks at a part of it, such as a slice of rows, keeps that part alone: so
    rows of an image die one after the other while the image is consumed from the top. If the
    part becomes a view, it lives on as a tensor of its own in the same bytes.

    Attributes
    ----------
    born, last
        Tensor name -> step at which it is written; last step at which it is read.
    """

    def __init__(self, graph: Graph, nodes: Sequence[Node]) -> None:
        self._sizes = {name: tensor.size for name, tensor in graph.tensors.items()}
        self.born = {name: step for step, node in enumerate(nodes) for name in node.outputs}
        self.last: dict[str, int] = {}
        self._whole = dict.fromkeys(graph.outputs, len(nodes))
        self._parts: dict[str, list[tuple[int, int, int]]] = {}
        for step, node in enumerate(nodes):
            inputs, outputs = graph.in_of(node), graph.out_of(node)
            views = node.op.views(inputs, outputs)
            looked = {v.outer[1] for v in views if v.outer[0] == "in" and v.inner[0] == "out"}
            for view in views:
                if view.outer[0] == "in" and view.inner[0] == "out":
                    self._look(inputs[view.outer[1]], step, view.offset, outputs[view.inner[1]])
            for index, name in enumerate(node.inputs):
                self.last[name] = step
                if index not in looked:
                    self._whole[name] = max(step, self._whole.get(name, step))
        self.last |= dict.fromkeys(graph.outputs, len(nodes))
        self._stays: dict[str, tuple[Stay, ...]] = {}

    def _look(self, outer: Tensor, step: int, offset: int, inner: Tensor) -> None:
        self._parts.setdefault(outer.name, []).append((step, offset, offset + inner.size))

    def whole(self, name: str) -> int:
        """Last step at which all of a tensor must be kept."""
        return self.stays(name)[0][1]

    def stays(self, name: str) -> tuple[Stay, ...]:
        """What must be kept of a tensor, in bytes from its start."""
        if name not in self._stays:
            born = self.born.get(name, -1)
            whole = max(born, self._whole.get(name, born))
            parts = [
                (born, step, low, high)
                for step, low, high in self._parts.get(name, ())
                if step > whole and low < high
            ]
            self._stays[name] = ((born, whole, 0, self._sizes[name]), *parts)
        return self._stays[name]
