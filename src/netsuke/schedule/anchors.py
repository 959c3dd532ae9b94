"""Where the stripes of a graph lie: each tensor's rows in one memory, one over the other if it may.

The rows of one tensor that are in memory at once, its window, always start at the same address:
kept rows move to the front, new ones are computed behind them. A tensor of which no row is kept
needs no memory of its own where the next operator works in place: its rows are computed where that
one's output is to lie. The output of the whole part may even lie over the rows of a tensor from
before that are used up, such as the residual that is added last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netsuke.ir import Kernel, Node
from netsuke.schedule.buffers import Origin
from netsuke.schedule.striped import Striped
from netsuke.schedule.stripes import Stripes

Candidates = Mapping[str, Sequence[Kernel]]
"""Node name -> kernels that can run it."""
Place = tuple[str, int]
"""Anchor, and bytes behind it; see `Origin.anchors`."""


def anchor(striped: Striped, candidates: Candidates, over: bool) -> tuple[Origin, Candidates]:
    """Fix where stripes lie, and leave out the kernels that cannot work there.

    Parameters
    ----------
    striped
        The graph.
    candidates
        Kernels of every node of it.
    over
        Whether outputs of parts lie over inputs of parts, where that can be.
    """
    work = _Anchoring(striped, candidates)
    for part in striped.parts:
        work.run(part, over)
    origin = Origin(striped.groups, striped.moved, work.places)
    return origin, {**candidates, **work.restricted}


class _Anchoring:
    def __init__(self, striped: Striped, candidates: Candidates) -> None:
        self.striped, self.candidates = striped, candidates
        self.nodes = {node.name: node for node in striped.graph.nodes}
        self.places: dict[str, Place] = {}
        self.restricted: dict[str, tuple[Kernel, ...]] = {}

    def run(self, part: Stripes, over: bool) -> None:
        taken: set[str] = set()  # nodes whose place in memory is that of one of their inputs
        onto = self._onto(part) if over else None
        for node in reversed(part.nodes):
            target = self._next(part, node, taken)
            if node is part.nodes[-1] and onto is not None:
                taken.add(node.name)
                self._restrict(node, onto)
            self._place(part, node, target, onto)

    def _place(self, part: Stripes, node: Node, target: Node | None, onto: str | None) -> None:
        graph, last = self.striped.graph, part.nodes[-1]
        for at, chunk in enumerate(self.striped.chunks[node.name]):
            state = part.stages[node.name][at]
            kept = self.striped.kept[node.name][at] if at else None
            if kept is not None:
                self.places[kept] = (f"rows of {node.name}", 0)
            if chunk is None or state.new is None:
                continue
            row = graph.tensors[chunk].size // (state.new[1] - state.new[0])
            if target is not None:
                reader = self.striped.chunks[target.name][at]
                assert reader is not None, "a tensor of which nothing is kept is read at once"
                self.places[chunk] = self.places[reader]
            elif node is last:
                self.places[chunk] = (onto or f"rows of {node.name}", state.new[0] * row)
            else:
                self.places[chunk] = (
                    f"rows of {node.name}",
                    (state.new[0] - state.window[0]) * row,
                )

    def _next(self, part: Stripes, node: Node, taken: set[str]) -> Node | None:
        """The node that may write over this one's rows, if there is one."""
        readers = [other for other in part.nodes if node.name in other.inputs]
        if len(readers) != 1 or readers[0].name in taken:
            return None
        if any(stage.kept for stage in part.stages[node.name]):
            return None
        (reader,) = readers
        for ours, theirs in zip(
            self.striped.chunks[node.name], self.striped.chunks[reader.name], strict=True
        ):
            if ours is None and theirs is None:
                continue
            if ours is None or theirs is None or not self._in_place(theirs, ours):
                return None
        self._restrict(reader, node.name)
        taken.add(reader.name)
        return reader

    def _in_place(self, name: str, source: str) -> tuple[Kernel, ...]:
        """The kernels of a node that may write over this input."""
        indices = [i for i, given in enumerate(self.nodes[name].inputs) if given == source]
        return tuple(
            kernel
            for kernel in self.restricted.get(name, self.candidates[name])
            if len(indices) == 1 and (indices[0], 0) in kernel.inplace
        )

    def _restrict(self, reader: Node, source: str) -> None:
        """Leave a node's stripes only kernels that may write over their stripes of an input."""
        position = reader.inputs.index(source)
        for chunk in self.striped.chunks[reader.name]:
            if chunk is not None:
                given = self.nodes[chunk].inputs[position]
                self.restricted[chunk] = self._in_place(chunk, given)

    def _onto(self, part: Stripes) -> str | None:
        """A tensor from before the part over which the last node can write, row by row."""
        graph, last = self.striped.graph, part.nodes[-1]
        inside = {node.name for node in part.nodes}
        for position, name in enumerate(last.inputs):
            tensor = graph.tensors.get(name)
            if name in inside or tensor is None or tensor.is_constant or name in graph.outputs:
                continue
            chunks = [chunk for chunk in self.striped.chunks[last.name] if chunk is not None]
            sources = [self.nodes[chunk].inputs[position] for chunk in chunks]
            if tensor.size == graph.tensors[last.name].size and all(
                graph.tensors[chunk].size == graph.tensors[source].size
                and self._in_place(chunk, source)
                for chunk, source in zip(chunks, sources, strict=True)
            ):
                return name
        return None
