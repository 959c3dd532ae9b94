"""Requantization for cores whose multiplier yields 32 bits only: two products and a shift.

An accumulator of a convolution becomes one of at most 256 values, and the value rises with it: a
staircase of at most 255 steps. So a cheaper function that rises, too, is equal to the exact one for
every accumulator as soon as it steps at the same places::

    y = (x · a + (x · b >> 12) + c) >> s,   x = clamp(accumulator - centre, low, high)

with a, b >= 0. The clamp leaves the stretch on which there are steps, at most 2^20 wide, so that no
product overflows. The constants are sought channel by channel and all steps of a channel compared,
one by one: a channel that is found is proved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array
from netsuke.ops.requant import Requant

FRACTION = 12
"""Bits of b, which are shifted out."""

WIDEST = (1 << 19) - 1
"""Largest x: its product with b stays below 2^31."""

TRIES = 4
"""Shifts that are tried, from the largest one that does not overflow."""

NEIGHBOURS = (0, 1, -1, 2, -2)
"""Distances from the nearest factor that are tried."""

FAR = 1 << 60


@dataclass(frozen=True, slots=True, eq=False)
class StepScale:
    """int64 arrays, one element a channel; see the module's formula."""

    centre: Array
    low: Array
    high: Array
    a: Array
    b: Array
    c: Array
    shift: Array

    def apply(self, accumulators: Array) -> Array:
        """int8 outputs of accumulators whose last axis is the channel."""
        x = np.clip(accumulators.astype(np.int64) - self.centre, self.low, self.high)
        scaled = (x * self.a + (x * self.b >> FRACTION) + self.c) >> self.shift
        return scaled.astype(np.int8)

    def words(self) -> Array:
        """(channels, 6) int32: low, high, a, b, c, shift."""
        fields = (self.low, self.high, self.a, self.b, self.c, self.shift)
        return np.stack(fields, axis=1).astype(np.int32)


def step_scale(requant: Requant, least: Array, most: Array) -> StepScale | None:
    """Find the constants with which the formula is exact, or say None.

    Parameters
    ----------
    requant
        What is to be computed, zero point and clamp included.
    least, most
        Smallest and largest accumulator of each channel, for any input whatsoever.
    """
    constant = requant.apply(least) == requant.apply(most)
    if ((requant.shift > 0) & ~constant).any():
        return None
    values = np.arange(requant.low + 1, requant.high + 1)
    steps = _steps(requant, values)
    first = steps[:, :1].min(axis=1, initial=FAR)
    last = steps[:, -1:].max(axis=1, initial=-FAR)
    below = np.where(constant, least, np.clip(first - 1, least, most))
    above = np.where(constant, least, np.clip(last, least, most))
    centre = (below + above) >> 1
    low, high = below - centre, above - centre
    reach = np.maximum(np.maximum(-low, high), 1)
    if reach.max(initial=0) > WIDEST:
        return None
    reached = (steps > below[:, None]) & (steps <= above[:, None])
    real = requant.multiplier.astype(np.float64) * 2.0 ** (requant.shift.astype(np.float64) - 31)
    largest = np.floor(31 - np.log2(reach * real + 260)).astype(np.int64)
    zeros = np.zeros_like(least)
    found = StepScale(centre, low, high, zeros, zeros.copy(), zeros.copy(), zeros.copy())
    found.c[constant] = requant.apply(least)[constant]
    missing = ~constant
    for attempt in range(TRIES * len(NEIGHBOURS)):
        if not missing.any():
            return found
        tried, neighbour = divmod(attempt, len(NEIGHBOURS))
        shift = np.clip(largest - tried, 0, 30)
        factor = np.rint(real * 2.0 ** (shift + FRACTION)).astype(np.int64)
        factor = np.maximum(factor + NEIGHBOURS[neighbour], 0)
        places = np.where(reached, steps - centre[:, None], 0)
        good, c = _offset(factor, values[None, :] << shift[:, None], places, reached, low, high)
        good &= missing
        found.a[good], found.b[good] = _halves(factor[good])
        found.c[good], found.shift[good] = c[good], shift[good]
        missing &= ~good
    return None if missing.any() else found


def _halves(factor: Array) -> tuple[Array, Array]:
    return factor >> FRACTION, factor & ((1 << FRACTION) - 1)


def _steps(requant: Requant, values: Array) -> Array:
    """(channels, values): the smallest accumulator whose output is at least a value."""
    right = np.maximum(-requant.shift.astype(np.int64), 0)[:, None]
    multiplier = np.maximum(requant.multiplier.astype(np.int64), 1)[:, None]
    wanted = ((values - requant.output_zero)[None, :] << right) - ((1 << right) >> 1)
    # high(x) >= wanted: x · multiplier >= wanted · 2^31 - 2^30. No product of an accumulator is
    # beyond 2^62, so larger ones are never reached.
    wanted = np.clip(wanted, -(1 << 31), 1 << 31)
    return -(-((wanted << 31) - (1 << 30)) // multiplier)


def _offset(
    factor: Array, wanted: Array, places: Array, reached: Array, low: Array, high: Array
) -> tuple[Array, Array]:
    """Whether there is a c with which every channel's steps are at their places, and that c."""
    a, b = (half[:, None] for half in _halves(factor))

    def product(x: Array) -> Array:
        return x * a + (x * b >> FRACTION)

    smallest = np.where(reached, wanted - product(places), -FAR).max(axis=1, initial=-FAR)
    largest = np.where(reached, wanted - 1 - product(places - 1), FAR).min(axis=1, initial=FAR)
    c = (np.maximum(smallest, -FAR // 2) + np.minimum(largest, FAR // 2)) >> 1
    ends = np.abs(product(np.stack([low, high], axis=1))).max(axis=1)
    return (smallest <= largest) & (ends + np.abs(c) < (1 << 31) - (1 << 20)), c
