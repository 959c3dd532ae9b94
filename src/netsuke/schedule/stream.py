"""Which parts of a graph run in stripes: the cheapest set that fits, found before it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule.floor import Floor
from netsuke.schedule.lives import Lives
from netsuke.schedule.patches import Patches, patches
from netsuke.schedule.profile import Bill, Profile, bill, is_aligned, patch_profile, profile
from netsuke.schedule.select import Room
from netsuke.schedule.striped import rewrite
from netsuke.schedule.stripes import Stripes, stripes
from netsuke.schedule.tied import Kernels, Settled, settle

LONGEST = 16
"""Most nodes of one part."""
PARTS = 1000
"""Parts beyond which only shorter ones are looked at: each takes tens of milliseconds."""
HEIGHTS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Rows of a part's output in one stripe; taller stripes save little."""
CALLS = 512
"""Calls that one part may become: each takes flash, and time to plan."""
GRIDS = (2, 3, 4, 6, 8)
"""Into how many patches a part's output is cut downwards, and perhaps across."""
TRIALS = 4
"""Sets of parts that are built at most for one limit."""
SLACKS = (1.0, 0.97, 0.93, 0.87)
"""Shares of the limit that are tried, for the gaps that a layout may need."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Nodes from `first` up to `end` in the order of execution, and what they take in stripes."""

    first: int
    end: int
    profile: Profile


class Streaming:
    """The parts of a graph that can run in stripes, and what they would take.

    Parameters
    ----------
    graph, nodes
        The graph, and its nodes in the order of execution.
    candidates
        Kernels of all nodes.
    kernels
        Kernels of stripes.
    start
        Frugal kernels of all nodes.
    """

    def __init__(
        self,
        graph: Graph,
        nodes: Sequence[Node],
        candidates: Mapping[str, Sequence[Kernel]],
        kernels: Kernels,
        start: Mapping[str, Kernel],
    ) -> None:
        self.graph, self.nodes, self.kernels, self.start = graph, tuple(nodes), kernels, start
        self.candidates = candidates
        self.lives = Lives(graph, nodes)
        self._bills: dict[Piece, Bill] = {}
        self._pieces: dict[tuple[int, int], list[Piece]] = {}
        self._patched: dict[tuple[int, int], list[Piece]] = {}

    @cached_property
    def floor(self) -> Floor:
        return Floor(self.graph, self.nodes, self.candidates)

    def pieces(self, limit: int) -> list[Piece]:
        """Every part in stripes of every height around nodes that want more memory than there is.

        They are those that do not get their fastest kernel within the limit.
        """
        wanting = [
            step
            for step, node in enumerate(self.nodes)
            if self.plain(step, limit) > min(k.instructions for k in self.candidates[node.name])
        ]
        found = []
        for start, end in self._parts(wanting):
            if (start, end) not in self._pieces:
                self._pieces[start, end] = self._striped(start, end)
            found += self._pieces[start, end]
        return found

    def _parts(self, wanting: Sequence[int]) -> list[tuple[int, int]]:
        """First node and end of every part that holds one of these nodes; short ones of many."""
        wanted = set(wanting)
        before = [0, *accumulate(step in wanted for step in range(len(self.nodes)))]
        parts = [
            (start, end)
            for end in range(1, len(self.nodes) + 1)
            for start in range(self._first(end), end)
            if before[start] < before[end] and self._is_closed(start, end)
        ]
        longest = LONGEST
        while len(parts) > PARTS and longest > 1:
            longest //= 2
            parts = [(start, end) for start, end in parts if end - start <= longest]
        return parts

    def _striped(self, start: int, end: int) -> list[Piece]:
        """A part in stripes of every height."""
        found: list[Piece] = []
        rows = self.graph.tensors[self.nodes[end - 1].name].shape[0]
        for height in HEIGHTS:
            part = stripes(self.graph, self.nodes[start:end], height)
            if part is None or 2 * height > rows:
                break
            if part.count * len(part.nodes) > CALLS or not is_aligned(self.graph, part):
                continue
            outside, dying = self._around(part, start, end)
            found.append(Piece(start, end, profile(self.graph, part, outside, dying)))
        return found

    def patched(self, limit: int) -> tuple[Piece, ...]:
        """Parts in patches, around nodes that do not fit as they are."""
        tight = [step for step in range(len(self.nodes)) if self.plain(step, limit) == float("inf")]
        return tuple(piece for part in self._parts(tight) for piece in self._patches(*part))

    def _patches(self, start: int, end: int) -> list[Piece]:
        key = (start, end)
        if key not in self._patched:
            height, width, _ = self.graph.tensors[self.nodes[end - 1].name].shape
            sizes = dict.fromkeys(
                size
                for n in GRIDS
                for size in ((-(-height // n), width), (-(-height // n), -(-width // n)))
            )
            self._patched[key] = []
            for rows, columns in sizes:
                part = patches(self.graph, self.nodes[start:end], rows, columns)
                if part is not None and part.count * len(part.nodes) <= CALLS:
                    outside, _ = self._around(part, start, end)
                    taken = patch_profile(self.graph, part, outside)
                    self._patched[key].append(Piece(start, end, taken))
        return self._patched[key]

    def _first(self, end: int) -> int:
        """First node of the longest part that may run in stripes and ends here."""
        first = end
        while first > 0 and end - first < LONGEST and self._has_rows(self.nodes[first - 1]):
            first -= 1
        return first

    def _has_rows(self, node: Node) -> bool:
        shape = self.graph.tensors[node.name].shape
        if len(node.outputs) != 1 or len(shape) != 3 or shape[0] < 2 or shape[1] < 1:
            return False
        tile = node.op.tile(self.graph.in_of(node), ((0, 1), (0, shape[1])))
        return tile is not None

    def _is_closed(self, start: int, end: int) -> bool:
        """Whether nobody else reads what a part makes, but for its last output."""
        return all(
            start <= self.lives.born[name] and self.lives.last.get(name, end) < end
            for node in self.nodes[start : end - 1]
            for name in node.outputs
        )

    def _around(self, part: Stripes | Patches, start: int, end: int) -> tuple[int, frozenset[str]]:
        """Bytes that live through a part without it, and what it reads for the last time."""
        read = {name for node in part.nodes for name in node.inputs}
        outside, dying = 0, set()
        for name, tensor in self.graph.tensors.items():
            born, last = self.lives.born.get(name, -1), self.lives.last.get(name, -1)
            if tensor.is_constant or born >= start or last < start:
                continue
            if name not in read:
                outside += tensor.size if last >= end else 0
            elif last < end:
                dying.add(name)
        return outside, frozenset(dying)

    def plain(self, step: int, limit: int) -> float:
        """Instructions of a node that runs as it is; infinite where it does not fit."""
        node = self.nodes[step]
        return min(
            (
                kernel.instructions
                for kernel in self.candidates[node.name]
                if self.floor.needed(step, node, kernel) <= limit
            ),
            default=float("inf"),
        )

    def best(
        self, limit: int, banned: set[Piece], patched: bool = False
    ) -> tuple[Piece, ...] | None:
        """The parts with which all nodes take the fewest instructions; None where none fit."""
        return self._shortest(
            lambda step: self.plain(step, limit),
            lambda piece: self._bill(piece).cost(limit),
            lambda total, more: total + more,
            [p for p in self._all(limit, patched) if p not in banned],
        )

    def _all(self, limit: int, patched: bool) -> Sequence[Piece]:
        return (*self.pieces(limit), *self.patched(limit)) if patched else self.pieces(limit)

    def _bill(self, piece: Piece) -> Bill:
        if piece not in self._bills:
            self._bills[piece] = bill(self.graph, self.kernels, piece.profile)
        return self._bills[piece]

    def smallest(self, pieces: Sequence[Piece]) -> tuple[Piece, ...] | None:
        """The parts with which the largest step takes the fewest bytes."""
        return self._shortest(
            lambda step: float(self._least(step)),
            lambda piece: float(self._bill(piece).needed()),
            max,
            pieces,
        )

    def _shortest(
        self,
        node: Callable[[int], float],
        part: Callable[[Piece], float],
        join: Callable[[float, float], float],
        pieces: Sequence[Piece],
    ) -> tuple[Piece, ...] | None:
        """The cheapest way through all nodes, each by itself or within a part."""
        ending: dict[int, list[Piece]] = {}
        for piece in pieces:
            ending.setdefault(piece.end, []).append(piece)
        best: list[tuple[float, tuple[Piece, ...]]] = [(0.0, ())]
        for end in range(1, len(self.nodes) + 1):
            ways = [(join(best[-1][0], node(end - 1)), best[-1][1])]
            for piece in ending.get(end, ()):
                total, parts = best[piece.first]
                ways.append((join(total, part(piece)), (*parts, piece)))
            best.append(min(ways, key=lambda way: (way[0], len(way[1]))))
        total, parts = best[-1]
        return parts if total < float("inf") else None

    def settle(self, parts: Sequence[Piece], room: Room) -> Settled | None:
        """Build a set of parts."""
        chosen = [piece.profile.part for piece in parts]
        striped = rewrite(self.graph, self.nodes, chosen)
        # What joins the stripes of a node has the name of the node, for it makes the same tensor.
        same = {id(node) for node in self.nodes}
        candidates = {
            node.name: self.candidates[node.name]
            if id(node) in same
            else self.kernels(striped.graph, node)
            for node in striped.graph.nodes
        }
        start = {
            node.name: self.start[node.name] for node in striped.graph.nodes if id(node) in same
        }
        return settle(striped, candidates, start, room)

    def search(self, room: Room) -> Settled | None:
        """The cheapest parts that fit; None where none do, or none are needed.

        Patches, which compute borders twice, are tried where no stripes are small enough.
        """
        return self._search(room, False) or self._search(room, True)

    def _search(self, room: Room, patched: bool) -> Settled | None:
        """The cheapest parts that fit, with or without patches.

        A set is found by what it would take without gaps between its buffers, so sets for a little
        less memory are built, too, and the one whose real plan is the cheapest is taken.
        """
        best: Settled | None = None
        seen: set[tuple[Piece, ...]] = set()
        for slack in SLACKS:
            banned: set[Piece] = set()
            for _ in range(TRIALS):
                parts = self.best(int(room.ram * slack), banned, patched)
                if not parts or parts in seen:
                    break
                seen.add(parts)
                settled = self.settle(parts, room)
                if settled and settled.layout.size <= room.ram:
                    if best is None or settled.instructions < best.instructions:
                        best = settled
                    break
                banned.add(max(parts, key=lambda piece: piece.profile.height))
        return best

    def smallest_found(self, room: Room) -> Settled | None:
        """A plan with as small an arena as this search knows to make, whatever RAM the room has."""
        parts = self.smallest(self.pieces(0))
        if not parts:
            return None
        bound = self._bound(parts)
        parts = self.smallest(self._all(bound - 1, True)) or parts
        bound = self._bound(parts)
        found: Settled | None = None
        for slack in (1.0, 1.03, 1.07, 1.15, 1.3):
            found = self.search(replace(room, ram=int(bound * slack)))
            if found:
                break
        for _ in range(TRIALS if found else 0):
            assert found is not None
            smaller = self.search(replace(room, ram=found.layout.size - 1))
            if smaller is None:
                break
            found = smaller
        return found or self.settle(parts, replace(room, ram=bound))

    def _bound(self, parts: Sequence[Piece]) -> int:
        """Bytes that parts and the nodes outside of them need with the most frugal kernels."""
        needed = [self._bill(piece).needed() for piece in parts]
        return max([*needed, *(self._least(step) for step in self._outside(parts))])

    def _outside(self, parts: Sequence[Piece]) -> list[int]:
        inside = {step for piece in parts for step in range(piece.first, piece.end)}
        return [step for step in range(len(self.nodes)) if step not in inside]

    def _least(self, step: int) -> int:
        """Bytes that a node needs with its most frugal kernel."""
        node = self.nodes[step]
        return min(self.floor.needed(step, node, k) for k in self.candidates[node.name])
