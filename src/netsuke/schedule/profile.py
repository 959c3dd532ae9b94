"""What running a part of a graph in stripes takes, before the stripes are written out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from netsuke.ir import Array, Box, Graph, Kernel, Node, Op, Tensor
from netsuke.schedule.buffer import ALIGNMENT
from netsuke.schedule.patches import Patches, tile_of
from netsuke.schedule.stripes import Rows, Stage, Stripes
from netsuke.schedule.tied import Kernels

CALL = 15.0
"""Instructions of one more call."""
MOVE = 1.25
"""Instructions for one byte that moves to the front."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of stripe of a node: its operator, and the shapes that it reads and writes."""

    node: Node
    op: Op
    reads: tuple[tuple[int, ...], ...]
    writes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What a part takes in stripes of one height.

    Attributes
    ----------
    part
        The part.
    height
        Bytes of arena without scratch: outside tensors, inputs, output and windows.
    live
        Node name -> most bytes that live while one of its stripes is computed, without scratch.
    shapes
        How often each kind of stripe is computed.
    moved
        Bytes that move to the front in all.
    """

    part: Stripes | Patches
    height: int
    live: Mapping[str, int]
    shapes: Mapping[Shape, int]
    moved: int


@dataclass(frozen=True, slots=True, eq=False)
class Bill:
    """What a part takes with each of its kernels.

    Attributes
    ----------
    height, moved
        As in `Profile`.
    rows
        For each kind of stripe: bytes that live without scratch, how often it is computed, and
        (scratch, instructions) of each kernel.
    """

    height: int
    moved: int
    rows: tuple[tuple[int, int, tuple[tuple[int, float], ...]], ...]

    def cost(self, limit: int) -> float:
        """Instructions with the fastest kernels whose scratch fits; infinite where none does."""
        if self.height > limit:
            return math.inf
        total = MOVE * self.moved
        for live, times, options in self.rows:
            costs = [cost for scratch, cost in options if live + scratch <= limit]
            if not costs:
                return math.inf
            total += times * (min(costs) + CALL)
        return total

    def needed(self) -> int:
        """Bytes of arena with the most frugal kernels."""
        frugal = (live + min(s for s, _ in options) for live, _, options in self.rows)
        return max(self.height, *frugal)


def bill(graph: Graph, kernels: Kernels, found: Profile) -> Bill:
    """Look up the kernels of a part."""
    rows = []
    for shape, times in found.shapes.items():
        options = {(k.scratch or 0, k.instructions) for k in kernels_of(graph, kernels, shape)}
        rows.append((found.live[shape.node.name], times, tuple(sorted(options))))
    return Bill(found.height, found.moved, tuple(rows))


def kernels_of(graph: Graph, kernels: Kernels, shape: Shape) -> Sequence[Kernel]:
    """The kernels for one kind of stripe."""
    tensors = {}
    for name, extents in zip(shape.node.inputs, shape.reads, strict=True):
        tensor = graph.tensors[name]
        data = tensor.data
        if data is not None and data.shape != extents:
            data = data[tuple(slice(extent) for extent in extents)]
        tensors[name] = Tensor(name, extents, tensor.dtype, tensor.quant, data)
    output = graph.tensors[shape.node.name]
    tensors[output.name] = Tensor(output.name, shape.writes, output.dtype, output.quant)
    node = Node(shape.op, shape.node.inputs, shape.node.outputs)
    return kernels(Graph((), (), (node,), tensors), node)


def patch_profile(graph: Graph, part: Patches, outside: int) -> Profile:
    """Find out what a part in patches takes; `outside` as for `profile`.

    Its input and its output are counted whole.
    """
    ends = {node.name: place for place, node in enumerate(part.nodes)}
    shapes: Counter[Shape] = Counter()
    given: dict[str, int] = {}
    live: dict[str, int] = dict.fromkeys(ends, 0)
    last = part.nodes[-1].name
    output = graph.tensors[last]
    wide = len(part.grid[0]) > 1
    moved = 2 * output.size if wide else 0
    for node in part.nodes:
        for name in node.inputs:
            ends[name] = max(ends.get(name, 0), part.nodes.index(node))
    for boxes in part.each():
        held: dict[str, int] = {}
        for place, node in enumerate(part.nodes):
            if node.name not in boxes:
                continue
            tile, reads, cuts = tile_of(graph, node, boxes[node.name]), [], 0
            for name, read in zip(node.inputs, tile.reads, strict=True):
                tensor = graph.tensors[name]
                reads.append(_extents(read, tensor.shape))
                if tensor.is_constant or name in boxes:
                    continue
                given[name] = tensor.size
                size = _bytes(read, tensor)
                cuts += size if wide and size < tensor.size else 0
            writes = _extents(boxes[node.name], graph.tensors[node.name].shape)
            shapes[Shape(node, tile.op, tuple(reads), writes)] += 1
            held[node.name] = _bytes(boxes[node.name], graph.tensors[node.name])
            live[node.name] = max(live[node.name], sum(held.values()) + cuts)
            moved += 2 * cuts
            held = {name: size for name, size in held.items() if ends[name] > place}
    row = output.size * (part.grid[0][0][last][0][1]) // output.shape[0] if wide else 0
    base = outside + sum(given.values()) + output.size + row
    live = {name: base + size for name, size in live.items()}
    return Profile(part, max(live.values()), live, shapes, moved)


def _extents(box: Box | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if box is None else (*(end - first for first, end in box), *shape[2:])


def _bytes(box: Box | None, tensor: Tensor) -> int:
    extents = _extents(box, tensor.shape)
    return tensor.size * math.prod(extents) // max(tensor.elements, 1)


def is_aligned(graph: Graph, part: Stripes) -> bool:
    """Whether all rows begin where tensors may begin, so that nothing has to be copied."""
    for node in part.nodes:
        row = graph.tensors[node.name].size // graph.tensors[node.name].shape[0]
        for at, stage in enumerate(part.stages[node.name]):
            if stage.new is None:
                continue
            behind = stage.new[0] - (0 if node is part.nodes[-1] else stage.window[0])
            if behind * row % ALIGNMENT or not _reads_aligned(graph, part, node, at, stage.new):
                return False
    return True


def _reads_aligned(graph: Graph, part: Stripes, node: Node, at: int, new: Rows) -> bool:
    tile = part.tile(graph, node, new)
    for name, box in zip(node.inputs, tile.reads, strict=True):
        tensor = graph.tensors[name]
        if box is None or tensor.is_constant:
            continue
        start = part.stages[name][at].window[0] if name in part.stages else 0
        if (box[0][0] - start) * (tensor.size // tensor.shape[0]) % ALIGNMENT:
            return False
    return True


def profile(graph: Graph, part: Stripes, outside: int, dying: frozenset[str]) -> Profile:
    """Find out what a part takes.

    Parameters
    ----------
    graph, part
        The graph, and a part of it in stripes.
    outside
        Bytes of tensors that live meanwhile and that the part neither reads nor makes.
    dying
        Tensors from before the part that nobody reads after it.
    """
    return _Profiling(graph, part, outside, dying).run()


@dataclass(slots=True)
class _Profiling:
    graph: Graph
    part: Stripes
    outside: int
    dying: frozenset[str]
    shapes: Counter[Shape] = field(default_factory=Counter)
    needs: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)

    def run(self) -> Profile:
        part, count = self.part, self.part.count
        for node in part.nodes:
            for at, stage in enumerate(part.stages[node.name]):
                if stage.new:
                    self._look(node, at, stage.new)
        live = np.full((count, len(part.nodes)), self.outside, np.int64)
        windows = moved = 0
        for index, node in enumerate(part.nodes[:-1]):
            held, window, bytes_ = self._held(index, node)
            live += held
            windows, moved = windows + window, moved + bytes_
        output, inputs = self._output(), self._inputs()
        top = self._top(inputs, output)
        live += output + sum(self.graph.tensors[n].size - low for n, low in inputs.items())
        most = live.max(axis=0)
        return Profile(
            part,
            max(int(most.max()), self.outside + top + windows),
            {node.name: int(most[index]) for index, node in enumerate(part.nodes)},
            self.shapes,
            moved,
        )

    def _look(self, node: Node, at: int, rows: Rows) -> None:
        """Note a stripe's shape and what it reads."""
        tile = self.part.tile(self.graph, node, rows)
        reads = []
        place = self.part.nodes.index(node)
        for name, box in zip(node.inputs, tile.reads, strict=True):
            shape = self.graph.tensors[name].shape
            reads.append((box[0][1] - box[0][0], *shape[1:]) if box else shape)
            first = box[0][0] if box else 0
            self.needs.setdefault(name, []).append((at, place, first))
        writes = (rows[1] - rows[0], *self.graph.tensors[node.name].shape[1:])
        self.shapes[Shape(node, tile.op, tuple(reads), writes)] += 1

    def _row(self, name: str) -> int:
        tensor = self.graph.tensors[name]
        return tensor.size // max(tensor.shape[0], 1)

    def _held(self, index: int, node: Node) -> tuple[Array, int, int]:
        """Bytes of a tensor's window by stage and node; most of them if rows are kept; moves."""
        part, row = self.part, self._row(node.name)
        held = np.zeros((part.count, len(part.nodes)), np.int64)
        reader = max(i for i, other in enumerate(part.nodes) if node.name in other.inputs)
        stages: tuple[Stage, ...] = part.stages[node.name]
        before = moved = 0
        for at, stage in enumerate(stages):
            after = (stage.kept[1] - stage.kept[0]) * row if stage.kept else 0
            held[at, :index] = before
            held[at, index : reader + 1] = (stage.window[1] - stage.window[0]) * row
            held[at, reader + 1 :] = after
            moved += after if stage.kept != stage.window else 0
            before = after
        if any(stage.kept for stage in stages):
            return held, int(held.max()), moved
        reading = part.nodes[reader]
        chunk = max((s.new[1] - s.new[0] for s in part.stages[reading.name] if s.new), default=0)
        if self._may_overwrite(reading):  # the next output lies over this tensor
            held[:, reader] = np.maximum(0, held[:, reader] - chunk * self._row(reading.name))
        return held, 0, moved

    def _may_overwrite(self, node: Node) -> bool:
        """Whether a node surely has kernels that work in place: it needs no other pixel."""
        tile = self.part.tile(self.graph, node, (0, 1))
        return all(box is None or box[0] == (0, 1) for box in tile.reads)

    def _output(self) -> Array:
        """Bytes of the output by stage and node."""
        last, row = self.part.nodes[-1].name, self._row(self.part.nodes[-1].name)
        output = np.zeros((self.part.count, len(self.part.nodes)), np.int64)
        for at, stage in enumerate(self.part.stages[last]):
            assert stage.new is not None
            output[at] = stage.new[0] * row
            output[at, -1] = stage.new[1] * row
        return output

    def _inputs(self) -> dict[str, Array]:
        """Tensors from before the part: bytes that are used up, by stage and node."""
        made = {node.name for node in self.part.nodes}
        lows = {}
        for name, needs in self.needs.items():
            if name in made or self.graph.tensors[name].is_constant:
                continue
            tensor = self.graph.tensors[name]
            low = np.zeros((self.part.count, len(self.part.nodes)), np.int64)
            if name in self.dying and len(tensor.shape) == 3:
                first = np.full(low.size + 1, tensor.shape[0], np.int64)
                for at, place, row in needs:
                    step = at * low.shape[1] + place
                    first[step] = min(first[step], row)
                low = np.minimum.accumulate(first[::-1])[::-1][:-1].reshape(low.shape)
                low = low * self._row(name)
            lows[name] = low
        return lows

    def _top(self, inputs: Mapping[str, Array], output: Array) -> int:
        """Bytes of inputs and output together: the output grows over what is used up."""
        last = self.graph.tensors[self.part.nodes[-1].name].size
        sizes = {name: self.graph.tensors[name].size for name in inputs}
        if not sizes:
            return last
        largest = max(sizes, key=lambda name: (sizes[name], name))
        if not inputs[largest].any():
            return last + sum(sizes.values())
        used_up = inputs[largest] >= sizes[largest]
        shift = max(0, int(np.where(used_up, 0, output - inputs[largest]).max()))
        return max(last, shift + sizes[largest]) + sum(sizes.values()) - sizes[largest]
