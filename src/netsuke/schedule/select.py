"""The kernels with the fewest instructions whose buffers and tables fit: branch and bound."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule.buffers import share
from netsuke.schedule.choose import Candidates, fastest
from netsuke.schedule.flash import (
    FRAME,
    call_bytes,
    call_parts,
    kernel_bytes,
    table_bytes,
    table_key,
    tables,
)
from netsuke.schedule.floor import Floor
from netsuke.schedule.offsets import lay_out, lower_bound

STATES = 50_000
"""Partial choices that the search may visit before it gives up."""
LEAVES = 300
"""Whole choices of which it may lay the buffers out."""
LAYOUT = 2_000
"""Nodes that the search of one layout may visit."""
DEEPEST = 400
"""Nodes with a choice beyond which the search, which goes as deep, is left out."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a choice of kernels must fit into.

    Attributes
    ----------
    ram
        Bytes of the arena.
    flash
        Bytes of tables, parameters and code; None leaves them free.
    core
        Whose recorded code sizes count.
    """

    ram: int
    flash: int | None = None
    core: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Kernels by node, and whether no other choice takes fewer instructions in this order."""

    kernels: Mapping[str, Kernel]
    proved: bool


def select(
    graph: Graph,
    nodes: Sequence[Node],
    candidates: Candidates,
    start: Mapping[str, Kernel],
    room: Room,
) -> Selection:
    """Choose the kernels with the fewest instructions that fit.

    What a step needs of RAM depends on its own kernel alone (`Floor`), so most candidates fall
    before the search; the cheapest of the rest usually fit together, and then nothing is left to
    search. Flash couples the nodes: code and equal tables count once. A depth-first branch and
    bound decides over the nodes with most at stake first; its bound is the continuous relaxation
    of the multiple-choice knapsack over the bytes that only one node would need (Sinha and
    Zoltners 1979, Oper. Res. 27(3)).

    Parameters
    ----------
    graph, nodes
        The graph, and its nodes in the order of execution.
    candidates
        Kernels of every node.
    start
        Kernels whose buffers fit; kept where nothing better is found.
    room
        The limits.
    """
    return _Search(graph, nodes, candidates, start, room).run()


@dataclass(slots=True, eq=False)
class _Option:
    """One kernel of one node.

    Attributes
    ----------
    cost
        Instructions that are sure: none where views may make the call a no-op.
    parts
        Tables and code by key, with their bytes; each counts once.
    own
        Bytes of what no other node can share.
    """

    kernel: Kernel
    cost: float
    parts: dict[str, int] = field(default_factory=dict)
    own: int = 0


class _Search:
    def __init__(
        self,
        graph: Graph,
        nodes: Sequence[Node],
        candidates: Candidates,
        start: Mapping[str, Kernel],
        room: Room,
    ) -> None:
        self.graph, self.nodes, self.room = graph, nodes, room
        self.candidates, self.start = candidates, start
        self.options = self._options()
        self.limited = self._may_exceed_flash()
        if self.limited:
            self._weigh()
        else:
            self.options = {name: _undominated(found) for name, found in self.options.items()}
        self.best: dict[str, Kernel] | None = None
        self.best_cost = float("inf")
        self.proved = True
        self.states, self.leaves = STATES, LEAVES

    def run(self) -> Selection:
        cheapest = {name: options[0].kernel for name, options in self.options.items()}
        if not self.limited and self._judge(cheapest) and self._is_bound(cheapest):
            return Selection(cheapest, True)
        budget = self.room.ram
        hasty = fastest(self.graph, self.nodes, self.candidates, self.start, budget)
        known = (hasty, dict(self.start), cheapest)
        for kernels in known:
            if not self.limited or self._flash(kernels) <= self._allowed():
                self._judge(kernels)
        self.proved = True
        self.order = sorted(
            (name for name, options in self.options.items() if len(options) > 1),
            key=lambda name: self.options[name][0].cost - self.options[name][-1].cost,
        )
        if len(self.order) > DEEPEST:
            return Selection(self.best or self._leanest(known), False)
        self._prepare()
        self._descend(0, self.fixed_cost, self.fixed_parts)
        if self.best is None:
            return Selection(self._leanest(known), False)
        return Selection(self.best, self.proved)

    def _options(self) -> dict[str, list[_Option]]:
        """Candidates that can fit, cheapest first."""
        floor = Floor(self.graph, self.nodes, self.candidates)
        options: dict[str, list[_Option]] = {}
        for step, node in enumerate(self.nodes):
            viewed = bool(node.op.views(self.graph.in_of(node), self.graph.out_of(node)))
            possible = [
                kernel
                for kernel in sorted(self.candidates[node.name], key=_by_instructions)
                if floor.needed(step, node, kernel) <= self.room.ram
            ] or [self.start[node.name]]
            options[node.name] = [_Option(k, 0.0 if viewed else k.instructions) for k in possible]
        return options

    def _may_exceed_flash(self) -> bool:
        """Whether the heaviest choice could break the limit; if not, flash is no concern."""
        if self.room.flash is None:
            return False
        total, functions = FRAME, dict[str, int]()
        for node in self.nodes:
            kernels = [option.kernel for option in self.options[node.name]]
            functions |= {k.function: kernel_bytes(k, self.room.core) for k in kernels}
            total += max(
                call_bytes(k) + sum(map(table_bytes, tables(self.graph, node, k))) for k in kernels
            )
        total += sum(functions.values())
        return total > self.room.flash

    def _weigh(self) -> None:
        """Find what each option adds to flash, and what of it no other node can share."""
        users: dict[str, set[str]] = {}
        for node in self.nodes:
            for option in self.options[node.name]:
                kernel = option.kernel
                code = kernel_bytes(kernel, self.room.core)
                option.parts = {f"code {kernel.function}": code}
                option.parts |= call_parts(node.name, kernel)
                for table in tables(self.graph, node, kernel):
                    option.parts[table_key(table)] = table_bytes(table)
                for key in option.parts:
                    users.setdefault(key, set()).add(node.name)
        for options in self.options.values():
            for option in options:
                option.own = sum(b for key, b in option.parts.items() if len(users[key]) == 1)

    def _allowed(self) -> int:
        return (self.room.flash or 0) - FRAME

    def _flash(self, kernels: Mapping[str, Kernel]) -> int:
        parts: dict[str, int] = {}
        for name, kernel in kernels.items():
            known = [o.parts for o in self.options[name] if o.kernel is kernel]
            parts |= known[0] if known else {name: 1 << 40}
        return sum(parts.values())

    def _leanest(self, known: Sequence[Mapping[str, Kernel]]) -> dict[str, Kernel]:
        """What to hand out when nothing fits: the fewest bytes of flash found, or the start."""
        if not self.limited:
            return dict(self.start)
        least = {
            name: min(options, key=lambda o: sum(o.parts.values())).kernel
            for name, options in self.options.items()
        }
        fitting = [dict(k) for k in (least, *known) if self._fits(k)[0]]
        return min(fitting, key=self._flash, default=dict(self.start))

    def _is_bound(self, kernels: Mapping[str, Kernel]) -> bool:
        """Whether a choice costs no more than the sum of what is sure."""
        return self.best_cost <= sum(options[0].cost for options in self.options.values())

    def _judge(self, kernels: dict[str, Kernel]) -> bool:
        """Keep a choice that fits and is the cheapest so far; whether it fits."""
        fits, cost = self._fits(kernels)
        if fits and cost < self.best_cost:
            self.best, self.best_cost = dict(kernels), cost
        return fits

    def _fits(self, kernels: Mapping[str, Kernel]) -> tuple[bool, float]:
        """Whether the buffers fit, and the instructions of the calls that are left."""
        sharing = share(self.graph, self.nodes, kernels)
        cost = sum(k.instructions for name, k in kernels.items() if name not in sharing.skipped)
        buffers = list(sharing.buffers.values())
        if lower_bound(buffers) > self.room.ram:
            return False, cost
        layout = lay_out(buffers, nodes=LAYOUT)
        fits = layout.size <= self.room.ram
        if not fits and not layout.optimal:
            self.proved = False
        return fits, cost

    def _prepare(self) -> None:
        """What the nodes without a choice cost, and what the others add at least."""
        single = [options[0] for options in self.options.values() if len(options) == 1]
        self.fixed_cost = sum(option.cost for option in single)
        self.fixed_parts: dict[str, int] = {}
        for option in single:
            self.fixed_parts |= option.parts
        self.chosen = {
            name: options[0].kernel for name, options in self.options.items() if len(options) == 1
        }
        self.depth = {name: index for index, name in enumerate(self.order)}
        hulls = {name: lower_hull(self.options[name]) for name in self.order}
        least = [hulls[name][0] for name in self.order]
        self.least_bytes = _suffix_sums([float(size) for size, _ in least])
        self.least_cost = _suffix_sums([self.options[name][0].cost for name in self.order])
        self.lean_cost = _suffix_sums([cost for _, cost in least])
        steps = [
            (gained / added, added, gained, self.depth[name])
            for name, hull in hulls.items()
            for (size, cost), (larger, cheaper) in itertools.pairwise(hull)
            for added, gained in [(larger - size, cost - cheaper)]
        ]
        self.steps = sorted(steps, key=lambda step: -step[0])

    def _rest(self, depth: int, spare: float) -> float:
        """Least instructions of the nodes from `depth` on, if they may add `spare` bytes."""
        if not self.limited:
            return self.least_cost[depth]
        spare -= self.least_bytes[depth]
        if spare < 0:
            return float("inf")
        cost = self.lean_cost[depth]
        for rate, added, gained, level in self.steps:
            if level < depth:
                continue
            if added > spare:
                return cost - rate * spare
            spare -= added
            cost -= gained
        return cost

    def _descend(self, depth: int, cost: float, parts: dict[str, int]) -> None:
        spare = self._allowed() - sum(parts.values())
        if cost + self._rest(depth, spare) >= self.best_cost:
            return
        self.states -= 1
        if self.states < 0 or self.leaves < 0:
            self.proved = False
            return
        if depth == len(self.order):
            self.leaves -= 1
            self._judge(self.chosen)
            return
        name = self.order[depth]
        for option in self.options[name]:
            self.chosen[name] = option.kernel
            self._descend(depth + 1, cost + option.cost, parts | option.parts)
        del self.chosen[name]


def lower_hull(options: Sequence[_Option]) -> list[tuple[int, float]]:
    """(bytes, instructions) on the lower convex hull, from the fewest bytes to the cheapest."""
    hull: list[tuple[int, float]] = []
    for size, cost in sorted((option.own, option.cost) for option in options):
        if hull and cost >= hull[-1][1]:
            continue
        while len(hull) > 1 and _is_above(hull[-2], hull[-1], (size, cost)):
            hull.pop()
        hull.append((size, cost))
    return hull


def _is_above(a: tuple[int, float], b: tuple[int, float], c: tuple[int, float]) -> bool:
    """Whether b lies on or above the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


def _suffix_sums(values: Sequence[float]) -> list[float]:
    """Sums of the values from each place on; the last one is 0."""
    return [*itertools.accumulate(reversed(values), initial=0.0)][::-1]


def _by_instructions(kernel: Kernel) -> tuple[float, int]:
    return (kernel.instructions, kernel.scratch or 0)


def _undominated(options: Sequence[_Option]) -> list[_Option]:
    """Of options from the cheapest on, those that want less scratch than all before them that may
    work in place as they may."""
    least: dict[tuple[tuple[int, int], ...], int] = {}
    kept = []
    for option in options:
        scratch, inplace = option.kernel.scratch or 0, option.kernel.inplace
        if scratch < least.get(inplace, 1 << 62):
            least[inplace] = scratch
            kept.append(option)
    return kept
