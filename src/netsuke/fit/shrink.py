"""Choosing which channels go: the least missed first, until the limits hold.

Greedy knapsack, the order of HALP (Shen et al. 2021, arXiv:2110.10811) by hand: at each step the
chunk of units goes that loses the least importance for what it frees of the limits that are still
broken. Chunks end at widths that are multiples of four, which the kernels like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.fit.cost import QuickCost
from netsuke.fit.space import Candidate
from netsuke.ir import Array

LANE = 4


def chunk(width: int, floor: int) -> int:
    """Units to take from a group of this width; 0 at its floor.

    Examples
    --------
    >>> [chunk(width, 1) for width in (64, 30, 4, 3, 1)]
    [4, 2, 1, 1, 0]
    """
    if width <= floor:
        return 0
    if width <= LANE:
        return 1
    # Wide layers go in larger steps, or a network of thousands of channels would take minutes.
    step = max(LANE, width // 16 // LANE * LANE)
    return min(width % LANE or step, width - floor)


class Shrinker:
    """Walks down from the original along one measure of importance.

    Parameters
    ----------
    quick
        The cost model.
    importance
        Of every unit of every group.
    relative
        Measure a unit against what is left of its own group (as LAMP does: Lee et al. 2021,
        arXiv:2010.07611) instead of against the whole network; keeps layers from vanishing.
    """

    def __init__(self, quick: QuickCost, importance: Sequence[Array], relative: bool) -> None:
        self.quick = quick
        self.relative = relative
        self.ranks = [np.argsort(-values, kind="stable") for values in importance]
        self.sorted = [values[rank] for values, rank in zip(importance, self.ranks, strict=True)]
        self.whole = np.array([len(values) for values in importance], np.int64)

    def shrink(self, targets: Array, floor: int = LANE) -> tuple[Array, bool]:
        """Return widths whose quick cost is at most `targets` (inf: free), and whether it is.

        When no group above its floor can help any more, the floor falls to one.
        """
        widths = self.whole.copy()
        while True:
            excess = self.quick.excess(widths, targets)
            if not excess.any():
                return widths, True
            choice = self._choose(widths, excess, targets, floor)
            if choice is not None:
                widths[choice] -= chunk(int(widths[choice]), floor)
            elif floor > 1:
                floor = 1
            else:
                return widths, False

    def _choose(self, widths: Array, excess: Array, targets: Array, floor: int) -> int | None:
        """The group whose next chunk costs the least for what it frees."""
        counts = np.array([chunk(int(width), floor) for width in widths])
        groups = np.flatnonzero(counts)
        if not groups.size:
            return None
        fewer = np.repeat(widths[None, :], groups.size, axis=0)
        fewer[np.arange(groups.size), groups] -= counts[groups]
        freed = excess - self.quick.excess(fewer, targets)
        gains = (freed / np.where(excess > 0, excess, 1.0)).sum(axis=1)
        lost = np.array([self._lost(g, int(widths[g]), int(counts[g])) for g in map(int, groups)])
        prices = np.where(gains > 0.0, lost / np.where(gains > 0.0, gains, 1.0), np.inf)
        best = int(prices.argmin())
        return int(groups[best]) if np.isfinite(prices[best]) else None

    def _lost(self, group: int, width: int, count: int) -> float:
        """Importance that a group's next chunk takes with it."""
        values = self.sorted[group]
        lost = float(values[width - count : width].sum())
        return lost / float(values[:width].sum()) if self.relative else lost

    def candidate(self, widths: Array, origin: str) -> Candidate:
        """The most important units at these widths."""
        kept = tuple(
            tuple(sorted(int(unit) for unit in rank[:width]))
            for rank, width in zip(self.ranks, widths, strict=True)
        )
        return Candidate(kept, origin)
