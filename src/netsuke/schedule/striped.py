"""The graph with stripes and patches written out: slices, smaller operators, concatenations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netsuke.ir import Box, Graph, Node, Op, Tensor, constant, verify
from netsuke.ops import Concat, Slice
from netsuke.ops.concat import INPUTS
from netsuke.schedule.patches import Patches, tile_of
from netsuke.schedule.stripes import Rows, Stripes


@dataclass(frozen=True, slots=True, eq=False)
class Striped:
    """A graph of which parts run in stripes.

    Attributes
    ----------
    graph
        With the same inputs, outputs and bits; its nodes are in the order of execution.
    parts
        The stripes.
    groups
        Node name -> name of the node that it is a part of.
    moved
        Names of slices that move the rows which are kept, so that they are no views.
    chunks, kept
        Tensor -> for each stage the tensor that holds its new rows, or the rows that were kept of
        the stage before; None where there are none.
    """

    graph: Graph
    parts: tuple[Stripes, ...]
    groups: Mapping[str, str]
    moved: frozenset[str]
    chunks: Mapping[str, tuple[str | None, ...]]
    kept: Mapping[str, tuple[str | None, ...]]


def rewrite(graph: Graph, order: Sequence[Node], parts: Sequence[Stripes | Patches]) -> Striped:
    """The graph with some of its parts in stripes.

    Parameters
    ----------
    graph
        The graph.
    order
        All of its nodes in an order of execution.
    parts
        Stripes or patches of disjoint runs of nodes of that order.
    """
    work = _Rewriting(graph)
    heads = {part.nodes[0].name: part for part in parts}
    inside = {node.name for part in parts for node in part.nodes}
    for node in order:
        if node.name in heads:
            part = heads[node.name]
            work.run(part) if isinstance(part, Stripes) else work.patch(part)
        elif node.name not in inside:
            work.nodes.append(node)
    return work.finish(parts)


class _Rewriting:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors: dict[str, Tensor] = dict(graph.tensors)
        self.nodes: list[Node] = []
        self.groups: dict[str, str] = {}
        self.moved: set[str] = set()
        self.chunks: dict[str, list[str | None]] = {}
        self.kept: dict[str, list[str | None]] = {}
        self.windows: dict[str, tuple[str, Rows]] = {}  # tensor -> the one that holds its rows
        self.cuts: dict[tuple[str, Rows], str] = {}

    def finish(self, parts: Sequence[Stripes | Patches]) -> Striped:
        used = {name for node in self.nodes for name in (*node.inputs, *node.outputs)}
        used |= {*self.graph.inputs, *self.graph.outputs}
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in used}
        graph = replace(self.graph, nodes=tuple(self.nodes), tensors=tensors)
        return Striped(
            verify(graph),
            tuple(part for part in parts if isinstance(part, Stripes)),
            self.groups,
            frozenset(self.moved),
            {name: tuple(chunks) for name, chunks in self.chunks.items()},
            {name: tuple(kept) for name, kept in self.kept.items()},
        )

    def _add(self, op: Op, inputs: Sequence[str], wish: str, like: Tensor) -> str:
        name, number = wish, 1
        while name in self.tensors:
            name, number = f"{wish}.{number}", number + 1
        (kind,) = op.infer([self.tensors[n] for n in inputs])
        self.tensors[name] = Tensor(name, kind.shape, kind.dtype, like.quant)
        self.nodes.append(Node(op, tuple(inputs), (name,)))
        return name

    def run(self, part: Stripes) -> None:
        """Add the nodes of all stripes."""
        output = part.nodes[-1].name
        pieces = []
        for node in part.nodes:
            self.chunks[node.name], self.kept[node.name] = [], [None]
        for at in range(part.count):
            last = {
                name: node.name
                for node in part.nodes
                for name in node.inputs
                if part.stages[node.name][at].new
            }
            for node in part.nodes:
                self._compute(part, node, at)
                if node.name not in last:
                    self._keep(part, node.name, at)
                for name in dict.fromkeys(node.inputs):
                    if name in part.stages and last.get(name) == node.name:
                        self._keep(part, name, at)
            pieces.append(self.windows[output][0])
        for node in part.nodes:
            del self.windows[node.name]
        self._join(pieces, output)

    def _compute(self, part: Stripes, node: Node, at: int) -> None:
        """Add the node that computes the new rows, and one that puts them behind the kept ones."""
        state, tensor = part.stages[node.name][at], self.graph.tensors[node.name]
        if not state.new:
            self.chunks[node.name].append(None)
            return
        tile = part.tile(self.graph, node, state.new)
        inputs = [
            name if box is None else self._rows(name, box[0])
            for name, box in zip(node.inputs, tile.reads, strict=True)
        ]
        name = self._add(tile.op, inputs, f"{node.name}@{at}", tensor)
        self.groups[name] = node.name
        self.chunks[node.name].append(name)
        if state.window != state.new:
            kept = self.windows[node.name][0]
            name = self._add(Concat(axis=0), [kept, name], f"{node.name}@{at}+", tensor)
        self.windows[node.name] = (name, state.window)

    def _rows(self, name: str, rows: Rows) -> str:
        """The tensor that holds these rows of another one."""
        tensor = self.graph.tensors[name]
        source, (top, bottom) = self.windows.get(name, (name, (0, tensor.shape[0])))
        if rows == (top, bottom):
            return source
        key = (source, rows)
        if key not in self.cuts:
            if tensor.data is not None:
                cut = constant(
                    f"{name}[{rows[0]}:{rows[1]}]", tensor.data[slice(*rows)], tensor.quant
                )
                self.tensors[cut.name] = cut
                self.cuts[key] = cut.name
            else:
                self.cuts[key] = self._slice(source, rows[0] - top, rows[1] - top)
        return self.cuts[key]

    def _slice(self, source: str, first: int, end: int) -> str:
        tensor = self.tensors[source]
        ranges = ((first, end - first, 1), *((0, extent, 1) for extent in tensor.shape[1:]))
        return self._add(Slice(ranges), [source], f"{source}[{first}:{end}]", tensor)

    def _keep(self, part: Stripes, name: str, at: int) -> None:
        """Move the rows that the next stage needs to the front."""
        state, moved = part.stages[name][at], None
        if state.kept and state.kept != state.window:
            source, (top, _) = self.windows[name]
            moved = self._slice(source, state.kept[0] - top, state.kept[1] - top)
            self.moved.add(moved)
            self.groups[moved] = f"{name} kept"
            self.windows[name] = (moved, state.kept)
        self.kept[name].append(moved)

    def patch(self, part: Patches) -> None:
        """Add the nodes of all patches."""
        output, number, lines = part.nodes[-1].name, 0, []
        for row in part.grid:
            pieces = []
            for boxes in row:
                pieces.append(self._patch(part, boxes, number))
                number += 1
            lines.append(self._beside(pieces, output))
        self._join(lines, output)

    def _patch(self, part: Patches, boxes: Mapping[str, Box], number: int) -> str:
        """Add the nodes of one patch and return its output."""
        made: dict[str, str] = {}
        for node in part.nodes:
            if node.name not in boxes:
                continue
            tile = tile_of(self.graph, node, boxes[node.name])
            inputs = []
            for name, read in zip(node.inputs, tile.reads, strict=True):
                shape = self.graph.tensors[name].shape
                whole = boxes.get(name, ((0, shape[0]), (0, shape[1] if len(shape) > 1 else 1)))
                source = made.get(name, name)
                inputs.append(
                    source if read in (None, whole) else self._cut(source, whole, read, name)
                )
            like = self.graph.tensors[node.name]
            made[node.name] = self._add(tile.op, inputs, f"{node.name}#{number}", like)
            self.groups[made[node.name]] = node.name
        return made[part.nodes[-1].name]

    def _cut(self, source: str, whole: Box, read: Box | None, name: str) -> str:
        """The tensor that holds a rectangle of another one, which holds `whole`."""
        assert read is not None
        tensor = self.tensors[source]
        starts = [inner[0] - outer[0] for inner, outer in zip(read, whole, strict=True)]
        counts = [end - first for first, end in read]
        if tensor.data is not None:
            data = tensor.data[starts[0] :, starts[1] :][: counts[0], : counts[1]]
            cut = constant(f"{source}{starts}{counts}", data, tensor.quant)
            self.tensors[cut.name] = cut
            return cut.name
        ranges = [(first, count, 1) for first, count in zip(starts, counts, strict=True)]
        op = Slice((*ranges, *((0, extent, 1) for extent in tensor.shape[2:])))
        made = self._add(op, [source], f"{source}{starts}", tensor)
        self.groups[made] = f"{name} cut"
        return made

    def _beside(self, pieces: Sequence[str], output: str) -> str:
        """A row of patches as one tensor."""
        tensor = self.graph.tensors[output]
        while len(pieces) > 1:
            pieces = [
                self._add(Concat(axis=1), pieces[at : at + INPUTS], f"{output}#", tensor)
                for at in range(0, len(pieces), INPUTS)
            ]
        return pieces[0]

    def _join(self, pieces: Sequence[str], output: str) -> None:
        """Make the output of its stripes."""
        tensor = self.graph.tensors[output]
        while len(pieces) > INPUTS:
            pieces = [
                self._add(Concat(axis=0), pieces[at : at + INPUTS], f"{output}[]", tensor)
                if len(pieces[at : at + INPUTS]) > 1
                else pieces[at]
                for at in range(0, len(pieces), INPUTS)
            ]
        self.nodes.append(Node(Concat(axis=0), tuple(pieces), (output,)))
