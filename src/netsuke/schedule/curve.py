"""RAM against instructions: what speed every limit of memory allows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from netsuke.devices import Device
from netsuke.ir import Graph
from netsuke.schedule.costs import Costs
from netsuke.schedule.plan import Plan, plan

POINTS = 12
"""Limits that are tried between the smallest arena and the one of the fastest kernels."""
UNLIMITED = 1 << 40


@dataclass(frozen=True, slots=True)
class Trade:
    """A plan that no other one beats in both RAM and instructions.

    Attributes
    ----------
    arena
        Bytes.
    instructions
        Of one inference, modelled or as the costs say.
    stripes
        Whether parts of the graph run in stripes.
    """

    arena: int
    instructions: float
    stripes: bool


def curve(
    graph: Graph,
    device: Device,
    flash: int | None = None,
    costs: Costs | None = None,
    points: int = POINTS,
) -> tuple[Trade, ...]:
    """Return the plans that none of the others beats, by rising RAM.

    Every trick takes part: kernels that work in place, rings, strips, streamed stripes. The limits
    lie in equal ratios between the smallest arena found and that of the fastest kernels, and each
    plan is the best found within its limit; between two limits there may be more.

    Parameters
    ----------
    graph, device, flash, costs
        As for `netsuke.schedule.plan`.
    points
        Number of limits.
    """
    plans = _plans(graph, device, flash, costs, points)
    return _front([Trade(p.arena, p.instructions, p.graph is not graph) for p in plans])


def _plans(
    graph: Graph, device: Device, flash: int | None, costs: Costs | None, points: int
) -> Iterator[Plan]:
    least = plan(graph, device, 0, flash=flash, costs=costs)
    most = plan(graph, device, UNLIMITED, flash=flash, costs=costs)
    yield from (least, most)
    if not 0 < least.arena < most.arena:
        return
    ratio = math.log(most.arena / least.arena)
    # From above: what a plan leaves of its limit need not be tried again.
    arena = most.arena
    for number in range(points - 1, -1, -1):
        limit = int(least.arena * math.exp(ratio * number / points))
        if limit < arena:
            planned = plan(graph, device, limit, flash=flash, costs=costs)
            arena = min(arena, planned.arena)
            yield planned


def _front(points: list[Trade]) -> tuple[Trade, ...]:
    """Points that no other one equals or beats in both."""
    kept: list[Trade] = []
    for point in sorted(points, key=lambda point: (point.arena, point.instructions)):
        if not kept or point.instructions < kept[-1].instructions:
            kept.append(point)
    return tuple(kept)
