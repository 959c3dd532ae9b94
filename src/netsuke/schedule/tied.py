"""Kernels, buffers and offsets of a graph in stripes: all stripes of a node get one kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from netsuke.errors import GraphError
from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule.anchors import Candidates, anchor
from netsuke.schedule.buffers import Origin, Sharing, scratches, share
from netsuke.schedule.flash import FRAME, call_bytes, kernel_bytes, table_bytes, table_key, tables
from netsuke.schedule.lives import Lives
from netsuke.schedule.offsets import Layout, lay_out, live
from netsuke.schedule.select import Room
from netsuke.schedule.striped import Striped

Maker = Callable[[Graph, Node], Sequence[Kernel]]
"""The kernels that can run a node of a graph."""
Choice = dict[str, Kernel]
LAYOUT = 3000
"""Nodes that the search of the final layout may visit."""


class Kernels:
    """The kernels of nodes; stripes with equal shapes and constants share them."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self._known: dict[object, tuple[Kernel, ...]] = {}
        self._held: list[Graph] = []  # so that no constant's id is given to another one

    def __call__(self, graph: Graph, node: Node) -> tuple[Kernel, ...]:
        key = (
            node.op,
            tuple(
                (t.shape, t.dtype, t.quant, t.data is None or id(t.data)) for t in graph.in_of(node)
            ),
            tuple((t.shape, t.dtype, t.quant) for t in graph.out_of(node)),
        )
        if key not in self._known:
            self._known[key] = tuple(self._make(graph, node))
            self._held.append(graph)
        return self._known[key]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A graph in stripes with everything that a plan needs.

    Attributes
    ----------
    striped, origin
        The graph, and where its stripes lie.
    kernels, sharing, layout
        What runs its nodes, and where.
    instructions
        Of all calls.
    """

    striped: Striped
    origin: Origin
    kernels: Mapping[str, Kernel]
    sharing: Sharing
    layout: Layout
    instructions: float


def settle(
    striped: Striped, candidates: Candidates, start: Mapping[str, Kernel], room: Room
) -> Settled | None:
    """Choose kernels and places for a graph in stripes, with few instructions within the room.

    Parameters
    ----------
    striped
        The graph.
    candidates
        Kernels of its nodes.
    start
        Frugal kernels of the nodes that do not run in stripes.
    room
        What it must fit into. If it cannot, the smallest that was found is returned.

    Returns
    -------
    Settled or None
        None where the stripes cannot lie as they are anchored.
    """
    found = []
    for over in (True, False):
        origin, allowed = anchor(striped, candidates, over)
        try:
            found.append(_Settling(striped, origin, allowed, start, room).run())
        except GraphError:
            continue  # what would lie over an input of the part is still needed
    fitting = [one for one in found if one.layout.size <= room.ram]
    if fitting:
        return min(fitting, key=lambda one: one.instructions)
    return min(found, key=lambda one: one.layout.size, default=None)


class _Settling:
    def __init__(
        self,
        striped: Striped,
        origin: Origin,
        candidates: Mapping[str, Sequence[Kernel]],
        start: Mapping[str, Kernel],
        room: Room,
    ) -> None:
        self.striped, self.origin, self.room = striped, origin, room
        self.graph, self.nodes = striped.graph, striped.graph.nodes
        self.lives = Lives(self.graph, self.nodes)
        self.shared: dict[tuple[object, ...], Sharing] = {}
        self.step = {node.name: step for step, node in enumerate(self.nodes)}
        self.groups: dict[str, list[str]] = {}
        for node in self.nodes:
            self.groups.setdefault(origin.groups.get(node.name, node.name), []).append(node.name)
        self.options = {key: _options(members, candidates) for key, members in self.groups.items()}
        for key, members in self.groups.items():
            if members == [key] and key in start:
                frugal = {key: start[key]}
                self.options[key] = [frugal, *(o for o in self.options[key] if o != frugal)]

    def run(self) -> Settled:
        chosen: Choice = {}
        for options in self.options.values():
            chosen |= options[0]
        chosen = self._improve(chosen)
        sharing = self._share(chosen)
        layout = lay_out(list(sharing.buffers.values()), nodes=LAYOUT)
        total = sum(
            kernel.instructions for name, kernel in chosen.items() if name not in sharing.skipped
        )
        return Settled(self.striped, self.origin, chosen, sharing, layout, total)

    def _share(self, chosen: Choice) -> Sharing:
        """Tensors lie as the kernels' working in place says, whatever scratch they take."""
        key = tuple(chosen[node.name].inplace for node in self.nodes)
        if key not in self.shared:
            bare = {name: replace(kernel, scratch=None) for name, kernel in chosen.items()}
            self.shared[key] = share(self.graph, self.nodes, bare, self.lives, self.origin)
        sharing = self.shared[key]
        extra = scratches(self.nodes, chosen, sharing.skipped, self.origin.groups)
        return replace(sharing, buffers=sharing.buffers | extra)

    def _improve(self, chosen: Choice) -> Choice:
        """Take faster kernels while everything fits: all that may at once, or one by one."""
        needed = live(self._share(chosen).buffers.values())
        wishes = {
            key: [
                option
                for option in self._faster(key, chosen)
                if self._may_fit(option, chosen, needed)
            ]
            for key in self.options
        }
        eager = dict(chosen)
        for options in wishes.values():
            eager |= options[0] if options else {}
        if self._fits(eager):
            return eager
        items = [
            (
                _cost(chosen, self.groups[key]) - _cost(option, self.groups[key]),
                _scratch(option) - _scratch(chosen, self.groups[key]),
                key,
                option,
            )
            for key, options in wishes.items()
            for option in options
        ]
        # What saves most first, or what saves most for a byte: neither is always the better one.
        by_gain = sorted(items, key=lambda item: (-item[0], item[2]))
        by_byte = sorted(items, key=lambda item: (-item[0] / max(64, 64 + item[1]), item[2]))
        ends = [
            self._take(chosen, [(key, option) for *_, key, option in order])
            for order in (by_gain, [*by_byte, *by_gain])
        ]
        return min(ends, key=lambda end: _cost(end, list(end)))

    def _take(self, chosen: Choice, items: Sequence[tuple[str, Choice]]) -> Choice:
        """Take each option that is faster than what there is and fits."""
        for key, option in items:
            members = self.groups[key]
            if _cost(option, members) < _cost(chosen, members) and self._fits(chosen | option):
                chosen = chosen | option
        return chosen

    def _faster(self, key: str, chosen: Choice) -> list[Choice]:
        """Other kernels of a group that take fewer instructions, the fastest first."""
        members = self.groups[key]
        cost = _cost(chosen, members)
        faster = [option for option in self.options[key] if _cost(option, members) < cost]
        return sorted(faster, key=lambda option: _cost(option, members))

    def _may_fit(self, option: Choice, chosen: Choice, needed: Sequence[int]) -> bool:
        """Whether no step alone says that another kernel's scratch is too large."""
        return all(
            needed[self.step[name] + 1]
            + (kernel.scratch or 0)
            - (chosen[name].scratch or 0)
            - (0 if chosen[name].inplace == kernel.inplace else self._saved(name, kernel))
            <= self.room.ram
            for name, kernel in option.items()
        )

    def _saved(self, name: str, kernel: Kernel) -> int:
        """Bytes that working in place may save."""
        return self.graph.tensors[name].size if kernel.inplace else 0

    def _fits(self, chosen: Choice) -> bool:
        buffers = list(self._share(chosen).buffers.values())
        if max(live(buffers)) > self.room.ram:
            return False
        if lay_out(buffers, nodes=300).size > self.room.ram:
            return False
        return self.room.flash is None or self._flash(chosen) <= self.room.flash

    def _flash(self, chosen: Choice) -> int:
        parts: dict[str, int] = {}
        for node in self.nodes:
            kernel = chosen[node.name]
            parts[kernel.function] = kernel_bytes(kernel, self.room.core)
            parts[f"call {id(kernel)}"] = call_bytes(kernel)
            for table in tables(self.graph, node, kernel):
                parts[table_key(table)] = table_bytes(table)
        return FRAME + sum(parts.values())


def _options(members: Sequence[str], candidates: Mapping[str, Sequence[Kernel]]) -> list[Choice]:
    """Ways to run all stripes of a node by one function, the most frugal first."""
    frugal = {name: min(candidates[name], key=_by_scratch) for name in members}
    signatures = dict.fromkeys(
        (kernel.function, bool(kernel.inplace)) for name in members for kernel in candidates[name]
    )
    options = [frugal]
    for signature in signatures:
        option = dict(frugal)
        for name in members:
            for kernel in candidates[name]:
                if (kernel.function, bool(kernel.inplace)) == signature:
                    option[name] = kernel
                    break
        if option not in options:
            options.append(option)
    return options


def _by_scratch(kernel: Kernel) -> tuple[int, int, float]:
    return (kernel.scratch or 0, -len(kernel.inplace), kernel.instructions)


def _scratch(choice: Mapping[str, Kernel], members: Sequence[str] = ()) -> int:
    return max(choice[name].scratch or 0 for name in members or choice)


def _cost(choice: Mapping[str, Kernel], members: Sequence[str]) -> float:
    return sum(choice[name].instructions for name in members)
