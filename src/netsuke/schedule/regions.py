"""Which memory of a device each buffer lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netsuke.devices import Region
from netsuke.ir import Kernel, Node
from netsuke.schedule.buffer import Buffer
from netsuke.schedule.buffers import Sharing, scratch_key
from netsuke.schedule.offsets import Layout, lay_out, live

STATES = 4_000
"""Sets of buffers that the search for one region may visit."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor or scratch buffer lives."""

    region: str
    offset: int  # bytes from the start of the region's arena


def heat(
    nodes: Sequence[Node],
    kernels: Mapping[str, Kernel],
    sharing: Sharing,
    groups: Mapping[str, str],
) -> dict[str, float]:
    """How much each buffer is used: the instructions of the calls that read it.

    Kernels read inputs and scratch in their inner loops and write each output once, so of an
    output only that it is written counts.
    """
    used = dict.fromkeys(sharing.buffers, 0.0)
    for node in nodes:
        if node.name in sharing.skipped:
            continue
        kernel = kernels[node.name]
        read = {sharing.inside[name][0] for name in node.inputs if name in sharing.inside}
        if kernel.scratch:
            read.add(scratch_key(node.name, groups))
        for key in read:
            used[key] += kernel.instructions
        for name in node.outputs:
            used[sharing.inside[name][0]] += 1.0
    return used


def spread(
    buffers: Sequence[Buffer],
    layout: Layout,
    regions: Sequence[Region],
    used: Mapping[str, float],
    limit: int | None = None,
) -> dict[str, Place]:
    """Put buffers into regions, the fastest first.

    All into the fastest if they fit there. Else the buffers that are used most are put into the
    fastest, of the others those that are used most into the next one, and so on. If that leaves
    too much for the last ones, the regions are filled with as many bytes as they hold.

    Parameters
    ----------
    buffers
        All buffers.
    layout
        Of all of them in one memory.
    regions
        Memories for arenas, the fastest first.
    used
        How much each buffer is used.
    limit
        Bytes that all arenas may take; beyond it, buffers stay together where they can.

    Returns
    -------
    dict
        Buffer key -> place; in the largest region, beyond its end, where nothing else works.
    """
    if not regions:
        return _together(layout, "ram")
    whole = [region for region in regions if layout.size <= region.available]
    if whole and whole[0] is regions[0]:
        return _together(layout, whole[0].name)
    bytes_ = {buffer.name: float(buffer.size) for buffer in buffers}
    for weight in (used, bytes_):
        located = _fill(buffers, regions, weight)
        if located is not None and (not whole or _size(buffers, located) <= (limit or 1 << 62)):
            return located
    largest = max(regions, key=lambda region: region.available)
    return _together(layout, whole[0].name if whole else largest.name)


def _together(layout: Layout, region: str) -> dict[str, Place]:
    return {name: Place(region, offset) for name, offset in layout.offsets.items()}


def _size(buffers: Sequence[Buffer], located: Mapping[str, Place]) -> int:
    """Bytes of all arenas."""
    ends: dict[str, int] = {}
    for buffer in buffers:
        place = located[buffer.name]
        ends[place.region] = max(ends.get(place.region, 0), place.offset + buffer.size)
    return sum(ends.values())


def _fill(
    buffers: Sequence[Buffer], regions: Sequence[Region], weight: Mapping[str, float]
) -> dict[str, Place] | None:
    """Fill one region after the other with what weighs most; None if something is left over."""
    located: dict[str, Place] = {}
    rest = list(buffers)
    for region in regions:
        layout = lay_out(rest, nodes=1000)
        chosen = rest
        if layout.size > region.available:
            chosen = _Filling(rest, region.available, weight).run()
            layout = lay_out(chosen, nodes=1000)
        located |= {name: Place(region.name, offset) for name, offset in layout.offsets.items()}
        taken = {buffer.name for buffer in chosen}
        rest = [buffer for buffer in rest if buffer.name not in taken]
        if not rest:
            return located
    return None


class _Filling:
    """The buffers that weigh most and fit into one memory: depth-first branch and bound."""

    def __init__(self, buffers: Sequence[Buffer], room: int, weight: Mapping[str, float]) -> None:
        self.room, self.weight = room, weight
        self.order = sorted(
            (buffer for buffer in buffers if buffer.size <= room),
            key=lambda b: (-weight[b.name] / max(b.size, 1), -b.size, b.name),
        )
        self.left = STATES
        self.rest = [0.0]
        for buffer in reversed(self.order):
            self.rest.append(self.rest[-1] + weight[buffer.name])
        self.rest.reverse()
        self.best: list[Buffer] = []
        self.most = -1.0

    def run(self) -> list[Buffer]:
        stack: list[tuple[int, tuple[Buffer, ...], float]] = [(0, (), 0.0)]
        while stack and self.left > 0:
            index, chosen, total = stack.pop()
            if total + self.rest[index] <= self.most:
                continue
            self.left -= 1
            if index == len(self.order):
                self._keep(chosen, total)
                continue
            buffer = self.order[index]
            stack.append((index + 1, chosen, total))
            taken = (*chosen, buffer)
            if max(live(taken)) <= self.room:
                stack.append((index + 1, taken, total + self.weight[buffer.name]))
        if not self.best:
            self._hurry()
        return self.best

    def _keep(self, chosen: Sequence[Buffer], total: float) -> None:
        if total > self.most and lay_out(chosen, nodes=100).size <= self.room:
            self.best, self.most = list(chosen), total

    def _hurry(self) -> None:
        """Take one after the other while they fit."""
        for buffer in self.order:
            taken = [*self.best, buffer]
            if max(live(taken)) <= self.room and lay_out(taken, nodes=0).size <= self.room:
                self.best = taken
