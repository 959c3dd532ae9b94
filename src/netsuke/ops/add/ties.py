"""Factors with which "ties upward" gives what "ties away from zero" gives, found by trying.

An addition of two int8 tensors has 65,536 pairs of operands. Its shifts round ties away from zero,
which takes two instructions more than rounding them upward. Most additions never see a tie that
matters; for the others a factor that is larger by a millionth moves every tie away from zero, and a
rounding term that is smaller by one moves all of them downward. The first choice that gives the
same output for all pairs is taken.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import numpy as np

from netsuke.ir import Array

_MINOR = ("offset_minor", "multiplier_minor", "round_minor", "right_minor")
_SUM = ("offset_major", "multiplier_y", "round_y", "right_y")


def without_ties(parameters: Mapping[str, int]) -> dict[str, int] | None:
    """Parameters of `nsk_add_plain` that are right without regard to ties; None if none is found.

    Parameters
    ----------
    parameters
        Those that round ties away from zero.
    """
    found = _search(*(parameters[name] for name in (*_MINOR, *_SUM)))
    names = ("multiplier_minor", "round_minor", "multiplier_y", "round_y")
    return None if found is None else {**parameters, **dict(zip(names, found, strict=True))}


def _trials(multiplier: int, rounding: int, largest: int) -> Iterator[tuple[int, int]]:
    yield multiplier, rounding
    yield multiplier, rounding - 1
    for exponent in range(largest):
        if multiplier + (1 << exponent) < 1 << 31:
            yield multiplier + (1 << exponent), rounding


def _high(x: Array, multiplier: int) -> Array:
    """What SMMULR computes."""
    return (x * multiplier + (1 << 31)) >> 32


def _away(x: Array, rounding: int, right: int) -> Array:
    return (x - (x < 0) + rounding) >> right


@functools.cache
def _search(
    offset_minor: int,
    multiplier_minor: int,
    round_minor: int,
    right_minor: int,
    offset: int,
    multiplier: int,
    rounding: int,
    right: int,
) -> tuple[int, int, int, int] | None:
    """Factor and rounding term of the operand with the smaller scale, and those of the sum."""
    values: Array = np.arange(-128, 128, dtype=np.int64)
    minor, major = (values << 21) + offset_minor, ((values << 20) + offset)[:, None]
    other = _away(_high(minor, multiplier_minor), round_minor, right_minor)
    if right_minor == 0:  # equal scales: the sum alone is scaled
        other = values << 19
    sums = major + 2 * other
    wanted = np.clip(_away(_high(sums, multiplier), rounding, right), -128, 127)
    for factor, term in _trials(multiplier_minor, round_minor, 2):
        if right_minor > 0:
            sums = major + 2 * ((_high(minor, factor) + term) >> right_minor)
        for whole, last in _trials(multiplier, rounding, 16):
            found = np.clip((_high(sums, whole) + last) >> right, -128, 127)
            if np.array_equal(found, wanted):
                return factor, term, whole, last
        if right_minor == 0:
            break
    return None
