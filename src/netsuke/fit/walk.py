"""Choosing widths: the least missed channels go first, the most useful come back.

Greedy knapsack, the order of HALP (Shen et al. 2021, arXiv:2110.10811) by hand: on the way down
the chunk of units goes that loses the least importance for what it frees of the limits that are
still broken; on the way up the chunk comes that brings the most for what it takes of the room that
is left. Chunks end at widths that are multiples of four, which the kernels like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.fit.cost import QuickCost
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


class Walk:
    """Goes down and up among the widths of one skeleton along one measure of importance.

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

    def __init__(
        self, quick: QuickCost, importance: Sequence[Array], relative: bool = True
    ) -> None:
        self.quick = quick
        self.relative = relative
        self.sorted = [np.sort(values)[::-1] for values in importance]
        self.sums = [np.concatenate([[0.0], np.cumsum(values)]) for values in self.sorted]
        self.whole = np.array([len(values) for values in importance], np.int64)

    def down(self, targets: Array, start: Array | None = None, floor: int = LANE) -> Array:
        """Return widths whose quick cost is at most `targets` (inf: free), as near as can be.

        When no group above its floor can help any more, the floor falls to one; when nothing
        helps at all, the narrowest widths come back.
        """
        widths = (self.whole if start is None else np.asarray(start, np.int64)).copy()
        while True:
            excess = self.quick.excess(widths, targets)
            if not excess.any():
                return widths
            choice = self._cheapest(widths, excess, targets, floor)
            if choice is not None:
                widths[choice] -= chunk(int(widths[choice]), floor)
            elif floor > 1:
                floor = 1
            else:
                return widths

    def _cheapest(self, widths: Array, excess: Array, targets: Array, floor: int) -> int | None:
        """The group whose next chunk costs the least for what it frees."""
        counts = np.array([chunk(int(width), floor) for width in widths])
        groups = np.flatnonzero(counts)
        if not groups.size:
            return None
        fewer = np.repeat(widths[None, :], groups.size, axis=0)
        fewer[np.arange(groups.size), groups] -= counts[groups]
        freed = excess - self.quick.excess(fewer, targets)
        gains = (freed / np.where(excess > 0, excess, 1.0)).sum(axis=1)
        lost = self._values(groups, widths - counts, widths)
        prices = np.where(gains > 0.0, lost / np.where(gains > 0.0, gains, 1.0), np.inf)
        best = int(prices.argmin())
        return int(groups[best]) if np.isfinite(prices[best]) else None

    def up(self, targets: Array, start: Array) -> Array:
        """Return widths grown from `start` until no further chunk stays within `targets`."""
        widths = np.asarray(start, np.int64).copy()
        while True:
            counts = np.minimum(self.whole - widths, _steps(widths))
            groups = np.flatnonzero(counts > 0)
            if not groups.size:
                return widths
            more = np.repeat(widths[None, :], groups.size, axis=0)
            more[np.arange(groups.size), groups] += counts[groups]
            costs, here = self.quick(more), self.quick(widths)
            fits = (costs <= targets).all(axis=1)
            if not fits.any():
                return widths
            room = np.where(np.isfinite(targets), np.maximum(targets - here, 1e-9), np.inf)
            taken = ((costs - here) / room).sum(axis=1)
            gained = self._values(groups, widths, widths + counts)
            worth = np.where(fits, gained / np.maximum(taken, 1e-12), -1.0)
            best = int(worth.argmax())
            widths[groups[best]] += counts[groups[best]]

    def _values(self, groups: Array, low: Array, high: Array) -> Array:
        """Importance of the units between two widths, of some groups."""
        upper = np.array([self.sums[group][high[group]] for group in groups])
        lower = np.array([self.sums[group][low[group]] for group in groups])
        return (upper - lower) / upper if self.relative else upper - lower

    def retained(self, widths: Array) -> Array:
        """Share of each group's importance that stays ``(groups,)``."""
        return np.array(
            [float(sums[width] / sums[-1]) for sums, width in zip(self.sums, widths, strict=True)]
        )


def _steps(widths: Array) -> Array:
    """Units that would come to each group next."""
    wide = np.maximum(LANE, widths // 16 // LANE * LANE)
    odd = (-widths) % LANE
    return np.where(widths < LANE, 1, np.where(odd > 0, odd, wide))
