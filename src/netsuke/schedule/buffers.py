"""Which tensors share memory, and when each buffer lives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netsuke.errors import GraphError
from netsuke.ir import Graph, Kernel, Node, Tensor
from netsuke.schedule.buffer import ALIGNMENT, Buffer, buffer_of
from netsuke.schedule.lives import Lives, Stay


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

    buffers: dict[str, Buffer]
    inside: Mapping[str, tuple[str, int]]
    skipped: frozenset[str]


def scratch_key(node: str, groups: Mapping[str, str]) -> str:
    """The key of a node's scratch buffer; stripes of one node share theirs."""
    return f"{groups.get(node, node)}:scratch"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the nodes of a graph that was cut into stripes come from.

    Attributes
    ----------
    groups
        Node name -> name of the node that it is a part of; their scratch lies at one place.
    moved
        Names of nodes that move bytes although their output could be a view.
    anchors
        Tensor name -> (anchor, bytes behind it): tensors of one anchor lie in one memory. An
        anchor is the name of a tensor that lies there already, or any other text.
    """

    groups: Mapping[str, str]
    moved: frozenset[str]
    anchors: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def share(
    graph: Graph,
    nodes: Sequence[Node],
    kernels: Mapping[str, Kernel],
    lives: Lives | None = None,
    origin: Origin | None = None,
) -> Sharing:
    """Merge tensors into buffers: views first, then kernels that work in place.

    Raises
    ------
    GraphError
        When tensors cannot lie where their anchors want them.

    Parameters
    ----------
    graph
        The graph.
    nodes
        Its nodes in the order of execution.
    kernels
        Node name -> the kernel that runs it.
    lives
        Of this graph in this order, if the caller has them.
    origin
        How the graph was cut into stripes, if it was.
    """
    origin = origin or Origin({}, frozenset())
    work = _Sharing(graph, nodes, lives or Lives(graph, nodes))
    for step, node in enumerate(nodes):
        if node.name in origin.moved or not work.grant_views(node):
            inplace = kernels[node.name].inplace
            if node.name in origin.anchors:
                work.anchor(step, node, inplace, *origin.anchors[node.name])
            else:
                work.allocate(step, node, inplace)
    sharing = work.result()
    skipped, groups = sharing.skipped, origin.groups
    return replace(sharing, buffers=sharing.buffers | scratches(nodes, kernels, skipped, groups))


def scratches(
    nodes: Sequence[Node],
    kernels: Mapping[str, Kernel],
    skipped: frozenset[str],
    groups: Mapping[str, str],
) -> dict[str, Buffer]:
    """The scratch buffers of kernels by key."""
    stays: dict[str, list[Stay]] = {}
    for step, node in enumerate(nodes):
        scratch = kernels[node.name].scratch if node.name not in skipped else None
        if scratch:
            stays.setdefault(scratch_key(node.name, groups), []).append((step, step, 0, scratch))
    return {key: buffer_of(key, found) for key, found in stays.items()}


class _Sharing:
    def __init__(self, graph: Graph, nodes: Sequence[Node], lives: Lives) -> None:
        self.graph = graph
        self.nodes = nodes
        self.lives = lives
        self.inside: dict[str, tuple[str, int]] = {}
        self.extent: dict[str, int] = {}  # buffer key -> bytes
        self.members: dict[str, list[str]] = {}  # buffer key -> tensors
        self.spent: dict[str, int] = {}  # buffer key -> how many of the first ones are not needed
        self.skipped: set[str] = set()
        self.anchored: dict[str, tuple[str, int]] = {}  # anchor -> a tensor, and where it is
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
        """Make one memory of the buffers whose parts are the node's single output (a concat)."""
        (output,) = self.graph.out_of(node)
        shifts: dict[str, int] = {}  # buffer key -> where it starts, counted from the output
        for tensor in inner:
            key, inside = self.inside[tensor.name]
            shift = offsets[tensor.name] - inside
            if shifts.setdefault(key, shift) != shift:
                return False
        if len({tensor.name for tensor in inner}) < len(node.inputs):
            return False
        if not self._are_apart(shifts):
            return False
        self._join(output, shifts)
        self.skipped.add(node.name)
        return True

    def _join(self, output: Tensor, shifts: Mapping[str, int]) -> None:
        base = -min(0, *shifts.values())
        members, extent = [output.name], base + output.size
        for key, shift in shifts.items():
            extent = max(extent, base + shift + self.extent.pop(key))
            for member in self.members.pop(key):
                self.inside[member] = (output.name, base + shift + self.inside[member][1])
                members.append(member)
        self.inside[output.name] = (output.name, base)
        self.members[output.name], self.extent[output.name] = members, extent

    def _stays(self, key: str, shift: int = 0) -> Iterator[Stay]:
        """What must be kept of a buffer's members, in bytes from where it starts."""
        for name in self.members[key]:
            base = shift + self.inside[name][1]
            for born, last, low, high in self.lives.stays(name):
                yield born, last, base + low, base + high

    def _are_apart(self, shifts: Mapping[str, int]) -> bool:
        """Whether buffers can lie at these places of one memory.

        What one of them held before it shrank may reach into the next, while that does not live.
        """
        spans = sorted((shift, shift + self.extent[key]) for key, shift in shifts.items())
        if all(one[1] <= other[0] for one, other in itertools.pairwise(spans)):
            return True
        sets = [list(self._stays(key, shift)) for key, shift in shifts.items()]
        return not any(
            born <= b_last and b_born <= last and low < b_high and b_low < high
            for one, other in itertools.combinations(sets, 2)
            for born, last, low, high in one
            for b_born, b_last, b_low, b_high in other
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

    def anchor(
        self, step: int, node: Node, inplace: Sequence[tuple[int, int]], anchor: str, offset: int
    ) -> None:
        """Put a node's only output at a place of the memory that an anchor names."""
        (tensor,) = self.graph.out_of(node)
        if offset % ALIGNMENT:
            raise GraphError(node.name, f"cannot lie {offset} bytes behind {anchor!r}: unaligned")
        known, at = self.anchored.setdefault(anchor, (tensor.name, offset))
        if anchor in self.inside:
            known, at = anchor, 0
        if known == tensor.name:
            self.inside[known] = (known, offset)
            self.extent[known] = offset + tensor.size
            self.members[known] = [known]
            return
        key, base = self.inside[known]
        start, end = base - at + offset, base - at + offset + tensor.size
        for index, name in enumerate(node.inputs):
            if name in self.inside and self.inside[name][0] == key:
                low = self.inside[name][1]
                apart = low >= end or low + self.graph.tensors[name].size <= start
                if not apart and not (low == start and (index, 0) in inplace):
                    raise GraphError(node.name, f"would overwrite its input {name!r}")
        if start < 0 or self._is_needed(key, start, end, step):
            raise GraphError(node.name, "would overwrite what is still needed")
        self._put(tensor, key, start)

    def _is_needed(self, key: str, start: int, end: int, step: int) -> bool:
        """Whether some of these bytes of a buffer must be kept beyond a step.

        Steps only rise, so members that are spent by this one are never looked at again.
        """
        members, spent = self.members[key], self.spent.get(key, 0)
        while spent < len(members) and self._is_spent(members[spent], step):
            spent += 1
        self.spent[key] = spent
        return any(
            last > step and self.inside[name][1] + low < end and start < self.inside[name][1] + high
            for name in members[spent:]
            for _, last, low, high in self.lives.stays(name)
        )

    def _is_spent(self, name: str, step: int) -> bool:
        return all(last <= step for _, last, *_ in self.lives.stays(name))

    def _may_overwrite(
        self, step: int, node: Node, source: int, dying: Tensor, written: Tensor
    ) -> bool:
        """Whether nothing that still lives, nor another input, lies where the output would."""
        if dying.name not in self.inside:
            return False
        key, offset = self.inside[dying.name]
        if self._is_needed(key, offset, offset + written.size, step):
            return False
        others = [name for index, name in enumerate(node.inputs) if index != source]
        return not any(
            name in self.inside
            and self.inside[name][0] == key
            and self.inside[name][1] < offset + written.size
            and offset < self.inside[name][1] + self.graph.tensors[name].size
            for name in others
        )

    def result(self) -> Sharing:
        buffers = {key: buffer_of(key, list(self._stays(key))) for key in self.members}
        return Sharing(buffers, self.inside, frozenset(self.skipped))
