"""Which tensors share memory, and when each buffer lives."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netsuke.ir import Graph, Kernel, Node, Tensor

ALIGNMENT = 4
"""Every tensor and scratch buffer starts at a multiple of this many bytes."""


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


@dataclass(slots=True)
class Buffer:
    """Memory that one or several tensors share.

    Attributes
    ----------
    name
        The first tensor's name, or ``node:scratch``.
    size
        Most bytes that it takes at one step, aligned.
    start, end
        First and last step at which it must not be overwritten; a graph input starts at -1, a
        graph output ends after the last step.
    runs
        (first step, last step, bytes) in turn from `start` to `end`: working in place, it shrinks
        and grows at its upper end. By default the bytes never change.
    """

    name: str
    size: int
    start: int
    end: int
    runs: tuple[tuple[int, int, int], ...] = ()

    def __post_init__(self) -> None:
        self.runs = self.runs or ((self.start, self.end, self.size),)

    def at(self, step: int) -> int:
        """Bytes that it takes at a step."""
        return next((size for start, end, size in self.runs if start <= step <= end), 0)

    def beside(self, other: Buffer) -> int:
        """Most bytes that it takes at a step at which the other lives, too."""
        if len(self.runs) == 1:
            return self.size
        return max(
            (size for start, end, size in self.runs if start <= other.end and other.start <= end),
            default=0,
        )


@dataclass(frozen=True, slots=True)
class Sharing:
    """Buffers, and the place of every tensor inside one.

    Attributes
    ----------
    buffers
        By key.
    inside
        Tensor name -> (buffer key, offset in bytes).
    skipped
        Names of nodes that need no call, because their outputs are views.
    """

    buffers: Mapping[str, Buffer]
    inside: Mapping[str, tuple[str, int]]
    skipped: frozenset[str]


def share(graph: Graph, nodes: Sequence[Node], kernels: Mapping[str, Kernel]) -> Sharing:
    """Merge tensors into buffers: views first, then kernels that work in place.

    Parameters
    ----------
    graph
        The graph.
    nodes
        Its nodes in the order of execution.
    kernels
        Node name -> the kernel that runs it.
    """
    work = _Sharing(graph, nodes)
    for step, node in enumerate(nodes):
        if not work.grant_views(node):
            work.allocate(step, node, kernels[node.name].inplace)
    return work.result(kernels)


class _Sharing:
    def __init__(self, graph: Graph, nodes: Sequence[Node]) -> None:
        self.graph = graph
        self.nodes = nodes
        self.inside: dict[str, tuple[str, int]] = {}
        self.extent: dict[str, int] = {}  # buffer key -> bytes
        self.members: dict[str, list[str]] = {}  # buffer key -> tensors
        self.skipped: set[str] = set()
        self.step_of = {name: i for i, node in enumerate(nodes) for name in node.outputs}
        last: dict[str, int] = {}
        for step, node in enumerate(nodes):
            for name in node.inputs:
                last[name] = step
        for name in graph.outputs:
            last[name] = len(nodes)
        self.last = last
        for name in graph.inputs:
            if not graph.tensors[name].is_constant:
                self._new(graph.tensors[name])

    def _new(self, tensor: Tensor) -> None:
        self.inside[tensor.name] = (tensor.name, 0)
        self.extent[tensor.name] = tensor.size
        self.members[tensor.name] = [tensor.name]

    def _put(self, tensor: Tensor, key: str, offset: int) -> None:
        self.inside[tensor.name] = (key, offset)
        self.members[key].append(tensor.name)
        self.extent[key] = max(self.extent[key], offset + tensor.size)

    def grant_views(self, node: Node) -> bool:
        """Make the node a no-op if all of its views can be granted."""
        inputs, outputs = self.graph.in_of(node), self.graph.out_of(node)
        views = node.op.views(inputs, outputs)
        if not views:
            return False
        arguments = {"in": inputs, "out": outputs}
        if any(tensor.is_constant for tensor in inputs if tensor.name not in self.inside):
            return False
        pairs = [
            (arguments[v.inner[0]][v.inner[1]], arguments[v.outer[0]][v.outer[1]], v.offset)
            for v in views
        ]
        if any(offset % ALIGNMENT for _, _, offset in pairs):
            return False
        gathered = [inner for inner, outer, _ in pairs if outer.name not in self.inside]
        if gathered:
            return self._gather(node, gathered, {i.name: offset for i, _, offset in pairs})
        for inner, outer, offset in pairs:
            key, base = self.inside[outer.name]
            self._put(inner, key, base + offset)
        self.skipped.add(node.name)
        return True

    def _gather(self, node: Node, inner: list[Tensor], offsets: dict[str, int]) -> bool:
        """Move whole buffers into the node's single output (a concat)."""
        (output,) = self.graph.out_of(node)
        keys = [self.inside[tensor.name][0] for tensor in inner]
        whole = [self.extent[k] == t.size for k, t in zip(keys, inner, strict=True)]
        if any(self.inside[tensor.name][1] for tensor in inner) or len(set(keys)) != len(keys):
            return False
        if not all(whole) and not self._are_apart(keys, [offsets[t.name] for t in inner]):
            return False
        self._new(output)
        for tensor, key in zip(inner, keys, strict=True):
            for member in self.members.pop(key):
                self.inside[member] = (output.name, offsets[tensor.name] + self.inside[member][1])
                self.members[output.name].append(member)
            end = offsets[tensor.name] + self.extent.pop(key)
            self.extent[output.name] = max(self.extent[output.name], end)
        self.skipped.add(node.name)
        return True

    def _life(self, name: str) -> tuple[int, int]:
        """First and last step of a tensor."""
        birth = self.step_of.get(name, -1)
        return birth, self.last.get(name, birth)

    def _are_apart(self, keys: Sequence[str], offsets: Sequence[int]) -> bool:
        """Whether buffers can lie at these offsets of one memory.

        What one of them held before it shrank may reach into the next, while that does not live.
        """

        def boxes(key: str, offset: int) -> list[tuple[int, int, int, int]]:
            return [
                (*self._life(name), offset + self.inside[name][1], self.graph.tensors[name].size)
                for name in self.members[key]
            ]

        sets = [boxes(key, offset) for key, offset in zip(keys, offsets, strict=True)]
        return not any(
            born <= b_last and b_born <= last and low < b_low + b_size and b_low < low + size
            for one, other in itertools.combinations(sets, 2)
            for born, last, low, size in one
            for b_born, b_last, b_low, b_size in other
        )

    def allocate(self, step: int, node: Node, inplace: Sequence[tuple[int, int]]) -> None:
        """Give each output the memory of a dying input, or memory of its own."""
        taken: set[int] = set()
        for number, tensor in enumerate(self.graph.out_of(node)):
            for source, target in inplace:
                if target == number and source not in taken:
                    source_tensor = self.graph.tensors[node.inputs[source]]
                    if self._may_overwrite(step, node, source, source_tensor, tensor):
                        key, offset = self.inside[source_tensor.name]
                        self._put(tensor, key, offset)
                        taken.add(source)
                        break
            else:
                self._new(tensor)

    def _may_overwrite(
        self, step: int, node: Node, source: int, dying: Tensor, written: Tensor
    ) -> bool:
        """Whether nothing that still lives, nor another input, lies where the output would."""
        if dying.name not in self.inside:
            return False
        key, offset = self.inside[dying.name]
        for member in self.members[key]:
            base = self.inside[member][1]
            size = self.graph.tensors[member].size
            overlaps = base < offset + written.size and offset < base + size
            if overlaps and self.last.get(member, -1) > step:
                return False
        others = [name for index, name in enumerate(node.inputs) if index != source]
        return not any(
            name in self.inside
            and self.inside[name][0] == key
            and self.inside[name][1] < offset + written.size
            and offset < self.inside[name][1] + self.graph.tensors[name].size
            for name in others
        )

    def result(self, kernels: Mapping[str, Kernel]) -> Sharing:
        buffers = {}
        for key, members in self.members.items():
            runs = self._runs(members)
            size = max(size for _, _, size in runs)
            buffers[key] = Buffer(key, size, runs[0][0], runs[-1][1], runs)
        for step, node in enumerate(self.nodes):
            scratch = kernels[node.name].scratch if node.name not in self.skipped else None
            if scratch:
                key = f"{node.name}:scratch"
                buffers[key] = Buffer(key, aligned(scratch), step, step)
        return Sharing(buffers, self.inside, frozenset(self.skipped))

    def _runs(self, members: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
        """(first step, last step, bytes) of a buffer: at each step up to the end of the last
        tensor that lives then."""
        lives = [self._life(name) for name in members]
        start, end = min(life[0] for life in lives), max(life[1] for life in lives)
        sizes = [0] * (end - start + 1)
        for name, (born, last) in zip(members, lives, strict=True):
            top = aligned(self.inside[name][1] + self.graph.tensors[name].size)
            for step in range(born - start, last - start + 1):
                sizes[step] = max(sizes[step], top)
        runs = []
        for size, steps in itertools.groupby(range(len(sizes)), key=sizes.__getitem__):
            first, *rest = steps
            runs.append((start + first, start + (rest[-1] if rest else first), size))
        return tuple(runs)
