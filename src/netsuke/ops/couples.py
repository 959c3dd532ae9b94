"""Weights of Armv7E-M DSP kernels: two output channels side by side, requantization included.

A word of weights holds the bytes a0 b0 a1 b1 of a couple of channels (a, b) at two depths, so that
one load and two SXTB16 give the pairs (a0, a1) and (b0, b1) for two SMLADs. A couple's words are::

    bias a, bias b, weights ..., right shift a | right shift b << 8, multiplier a, multiplier b

with the input zero point folded into the bias: b - zero · Σ w.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array
from netsuke.ops.requant import Requant

LARGEST_SUM = 1 << 30
"""Sums below it survive being doubled, which the high multiply of the core needs."""

LARGEST_SHIFT = 22
"""Right shifts up to it leave room for rounding term, zero point and scaled sum in 32 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """Integers of channels for which the DSP requantization is exact.

    Attributes
    ----------
    rows
        int8 weights ``(k, depth)``.
    bias
        With the input zero point folded in.
    multiplier, right
        The factor is multiplier · 2^(-right - 31).
    """

    rows: Array
    bias: Array
    multiplier: Array
    right: Array


def dsp_channels(
    requant: Requant,
    rows: Array,
    bias: Array,
    largest_sum: int = LARGEST_SUM,
    largest_shift: int = LARGEST_SHIFT,
) -> Channels | None:
    """Prepare weights ``(k, depth)`` with zero points 0, or say None where it is not exact.

    The core computes (high(x) + 2^(right-1) + zero · 2^right) >> right in 32 bits: right when
    |x| is below 2^30, the factor at most 1 and the right shift at most 22. A channel whose output
    is the same for every possible input (a dead filter; its factor is often absurd) becomes a
    constant: no weights, and twice the output's distance from zero times a half.
    """
    weights = rows.astype(np.int64)
    below, above = -128 - requant.input_zero, 127 - requant.input_zero
    least = np.minimum(weights * below, weights * above).sum(axis=1) + bias
    most = np.maximum(weights * below, weights * above).sum(axis=1) + bias
    lowest, highest = (requant.apply(sums).astype(np.int64) for sums in (least, most))
    constant = lowest == highest
    right = -requant.shift.astype(np.int64)
    bound = np.maximum(np.abs(least), np.abs(most)) + np.abs(weights).sum(axis=1) * 128
    exact = (bound < largest_sum) & (right >= 0) & (right <= largest_shift)
    if not (exact | constant).all():
        return None
    folded = bias.astype(np.int64) - requant.input_zero * weights.sum(axis=1)
    return Channels(
        np.where(constant[:, None], 0, rows).astype(np.int8),
        np.where(constant, 2 * (lowest - requant.output_zero), folded),
        np.where(constant, 1 << 30, requant.multiplier.astype(np.int64)),
        np.where(constant, 0, right),
    )


def part_of(channels: Channels, first: int, count: int) -> Channels:
    """So many channels from one on."""
    kept = slice(first, first + count)
    return Channels(
        channels.rows[kept], channels.bias[kept], channels.multiplier[kept], channels.right[kept]
    )


def pair_order(run: int) -> list[tuple[int, int]]:
    """Which two bytes of a contiguous run share a word; -1 stands for nothing."""
    whole = run - run % 4
    order = [(k + odd, k + 2 + odd) for k in range(0, whole, 4) for odd in (0, 1)]
    order += [(k, k + 1 if k + 1 < run else -1) for k in range(whole, run, 2)]
    return order


def couple_words(channels: Channels, order: list[tuple[int, int]]) -> Array:
    """Pack channels into one row of words a couple (int32); an odd last one is coupled to zeros."""
    odd = len(channels.rows) % 2
    rows = np.pad(channels.rows, ((0, odd), (0, 1))).astype(np.uint8).astype(np.uint32)
    bias, multiplier, right = (
        np.pad(field, (0, odd)) for field in (channels.bias, channels.multiplier, channels.right)
    )
    first, second = (rows[:, [pair[i] for pair in order]] for i in (0, 1))
    words = first[0::2] | first[1::2] << 8 | second[0::2] << 16 | second[1::2] << 24
    packed = np.concatenate(
        [
            bias.reshape(-1, 2),
            words.astype(np.int64),
            (right[0::2] | right[1::2] << 8)[:, None],
            multiplier.reshape(-1, 2),
        ],
        axis=1,
    )
    return (packed & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
