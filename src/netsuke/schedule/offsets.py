"""Offsets of buffers in one memory: dynamic storage allocation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from netsuke.schedule.buffer import Buffer

NODES = 20_000
"""Nodes that the exact search may visit before it gives up."""
LARGEST = 400
"""Buffers beyond which the exact search, which goes as deep as there are buffers, is left out."""
REORDERED = 600
"""Orders that are tried at most where the exact search is none."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets of buffers.

    Attributes
    ----------
    offsets
        Buffer key -> offset in bytes.
    size
        Bytes from 0 to the highest end.
    lower_bound
        Largest sum of buffers that live at one step; no layout is smaller.
    optimal
        Whether no layout of these buffers is smaller.
    """

    offsets: Mapping[str, int]
    size: int
    lower_bound: int
    optimal: bool


def live_bytes(buffers: Iterable[Buffer], step: int) -> int:
    return sum(buffer.at(step) for buffer in buffers)


def live(buffers: Iterable[Buffer]) -> list[int]:
    """Bytes of all buffers before the first step (-1) and at each step until the last one ends."""
    runs = [run for buffer in buffers for run in buffer.runs]
    changes = [0] * (max((end for _, end, *_ in runs), default=-1) + 3)
    for start, end, low, high in runs:
        changes[start + 1] += high - low
        changes[end + 2] -= high - low
    return list(accumulate(changes[:-1]))


def lower_bound(buffers: Iterable[Buffer]) -> int:
    """Largest sum of buffers that live at one step."""
    return max(live(buffers))


def lay_out(buffers: Sequence[Buffer], nodes: int = NODES) -> Layout:
    """Place buffers so that no two living at one step overlap, in as few bytes as possible.

    Greedy orders first (by size, Pisarchyk & Lee 2020, arXiv:2001.03288; by lifetime; by area);
    when none reaches the lower bound, a branch and bound over placements in rising offset: some
    optimal layout has every buffer at 0 or on top of one that lives with it, so it is found by
    placing buffers one after another at their lowest free offset in the right order.
    """
    bound = lower_bound(buffers)
    keys = (
        lambda b: (-b.size, b.start, b.name),
        lambda b: (-(b.end - b.start), -b.size, b.name),
        lambda b: (-b.size * (b.end - b.start + 1), b.name),
        lambda b: (b.start, -b.size, b.name),
        lambda b: (-b.end, -b.size, b.name),
    )
    table = _Clearances(buffers)
    layouts = []
    for key in keys:
        order = sorted(range(len(buffers)), key=lambda i: key(buffers[i]))
        offsets = table.first_fit(order)
        size = table.height(offsets)
        if size == bound:
            return Layout(table.named(offsets), size, bound, True)
        layouts.append((size, offsets, order))
    size, best, order = min(layouts, key=lambda layout: layout[0])
    if len(buffers) > LARGEST:
        return Layout(table.named(best), size, bound, False)
    # A buffer that shrinks from below may start lower than one that it lies on: then the search
    # below does not see every layout.
    flat = all(low == 0 for buffer in buffers for _, _, low, _ in buffer.runs)
    if not flat:
        size, best = _reorder(table, order, size, best, bound, min(nodes // 10, REORDERED))
    search = _Search(buffers, bound, size, table.named(best), nodes)
    search.run()
    proved = search.best == bound or (flat and not search.exhausted)
    return Layout(search.offsets, search.best, bound, proved)


def _reorder(
    table: _Clearances, order: list[int], size: int, best: list[int], bound: int, rounds: int
) -> tuple[int, list[int]]:
    """First-fit over other orders: a buffer that ends highest comes earlier, by chance how much."""
    chance = Random(0)
    current, offsets = size, best
    for _ in range(rounds):
        if size == bound:
            break
        highest = [i for i in order if offsets[i] + table.buffers[i].size == current]
        moved = chance.choice(highest if chance.random() < 0.7 else order)
        place = chance.randrange(order.index(moved) + 1)
        trial = [i for i in order if i != moved]
        trial.insert(place, moved)
        found = table.first_fit(trial)
        height = table.height(found)
        if height <= current:
            order, current, offsets = trial, height, found
        if height < size:
            size, best = height, found
    return size, best


class _Clearances:
    """How far above each buffer's start each other one must start to lie above it."""

    def __init__(self, buffers: Sequence[Buffer]) -> None:
        self.buffers = buffers
        self.pairs: list[list[tuple[int, int, int]]] = [[] for _ in buffers]
        for i, one in enumerate(buffers):
            for j in range(i):
                above, below = buffers[j].clearance(one), one.clearance(buffers[j])
                if above is not None and below is not None:
                    self.pairs[i].append((j, below, above))
                    self.pairs[j].append((i, above, below))

    def first_fit(self, order: Sequence[int]) -> list[int]:
        """Offsets when each buffer in turn takes its lowest free place."""
        offsets = [-1] * len(self.buffers)
        for index in order:
            closed = [
                (offsets[other] - below, offsets[other] + above)
                for other, below, above in self.pairs[index]
                if offsets[other] >= 0
            ]  # offsets between the two, both excluded
            offsets[index] = _lowest(closed)
        return offsets

    def height(self, offsets: Sequence[int]) -> int:
        tops = (o + b.size for o, b in zip(offsets, self.buffers, strict=True))
        return max(tops, default=0)

    def named(self, offsets: Sequence[int]) -> dict[str, int]:
        return {b.name: o for b, o in zip(self.buffers, offsets, strict=True)}


def _lowest(closed: list[tuple[int, int]]) -> int:
    """Lowest offset that lies inside none of these open intervals."""
    offset = 0
    for low, high in sorted(closed):
        if low >= offset:
            break
        offset = max(offset, high)
    return offset


def lowest_gap(buffer: Buffer, placed: Sequence[tuple[int, Buffer]]) -> int:
    """Lowest offset at which the buffer meets none of those placed."""
    closed = [
        (start - below, start + above)
        for start, other in placed
        if (above := other.clearance(buffer)) is not None
        and (below := buffer.clearance(other)) is not None
    ]  # offsets between the two, both excluded
    return _lowest(closed)


class _Search:
    """Depth-first branch and bound; placements rise in offset, so no layout is met twice."""

    def __init__(
        self,
        buffers: Sequence[Buffer],
        bound: int,
        best: int,
        offsets: Mapping[str, int],
        nodes: int,
    ) -> None:
        self.buffers = sorted(buffers, key=lambda b: (-b.size, b.name))
        self.bound, self.best, self.offsets = bound, best, dict(offsets)
        self.left = nodes
        self.exhausted = False
        self.below = [
            [
                (j, above)
                for j, b in enumerate(self.buffers)
                if j != i and (above := b.clearance(a)) is not None
            ]
            for i, a in enumerate(self.buffers)
        ]  # neighbours, and how far above their start a buffer lies that lies higher

    def run(self) -> None:
        self._place([-1] * len(self.buffers), 0, len(self.buffers))

    def _place(self, offsets: list[int], floor: int, missing: int) -> None:
        if self.best == self.bound or self.exhausted:
            return
        if missing == 0:
            self.best = max(o + b.size for o, b in zip(offsets, self.buffers, strict=True))
            self.offsets = {b.name: o for o, b in zip(offsets, self.buffers, strict=True)}
            return
        self.left -= 1
        if self.left < 0:
            self.exhausted = True
            return
        lowest = []
        for index, buffer in enumerate(self.buffers):
            if offsets[index] >= 0:
                continue
            tops = [offsets[j] + size for j, size in self.below[index] if offsets[j] >= 0]
            offset = max(tops, default=0)
            if offset + buffer.size >= self.best:
                return
            lowest.append((offset, index))
        for offset, index in sorted(lowest):
            if offset < floor:
                continue
            offsets[index] = offset
            self._place(offsets, offset, missing - 1)
            offsets[index] = -1
