"""Weights of which most are 0, as `runtime/nsk_sparse.h` reads them: lists of (gap, weight).

Han et al. 2015 store the distance to the next weight in so many bits and fill up with zeros where
a distance is longer (arXiv:1510.00149, figure 2). 8 bits suit one weight of ten, 4 bits one of
four.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array, Tensor
from netsuke.ops.couples import dsp_channels
from netsuke.ops.requant import Requant, folded_bias

MOST_GROUPS = 1 << 23
"""Groups of a unit that its third word can count."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The words of all units, and how many groups of entries they are together."""

    words: Array
    groups: int


def is_sparse(weights: Tensor) -> bool:
    """Whether more than half of a constant's elements are 0, the zero point being 0."""
    data, quant = weights.data, weights.quant
    if data is None or quant is None or any(quant.zero_point):
        return False
    return 2 * int(np.count_nonzero(data)) < data.size


def portable_lists(
    inputs: Sequence[Tensor], requant: Requant, offsets: Array, bits: int
) -> Lists | None:
    """Lists with the multipliers and shifts of `nsk_fixed.h`.

    None where a sum could overflow, or where the lists are not smaller than the weights.
    """
    folded, weights = folded_bias(inputs, requant, 0), inputs[1].data
    if folded is None or weights is None:
        return None
    rows = weights.reshape(len(weights), -1)
    return _worth(rows, folded, requant.multiplier, requant.shift, offsets, bits)


def dsp_lists(
    inputs: Sequence[Tensor], requant: Requant, offsets: Array, bits: int
) -> Lists | None:
    """Lists with the multipliers and right shifts of `couples.py`; None as there, or as above."""
    weights, bias = inputs[1].data, inputs[2].data
    assert weights is not None and bias is not None
    channels = dsp_channels(requant, weights.reshape(len(weights), -1), bias)
    if channels is None:
        return None
    return _worth(channels.rows, channels.bias, channels.multiplier, channels.right, offsets, bits)


def _worth(
    rows: Array, bias: Array, multiplier: Array, shift: Array, offsets: Array, bits: int
) -> Lists | None:
    found = pack_lists(rows, bias, multiplier, shift, offsets, bits)
    return found if found and found.words.nbytes < rows.size + 9 * len(rows) else None


def pack_lists(
    rows: Array, bias: Array, multiplier: Array, shift: Array, offsets: Array, bits: int
) -> Lists | None:
    """Pack weights ``(units, depth)``; None where a unit has too many groups.

    Parameters
    ----------
    bias, multiplier, shift
        ``(units,)``, the input zero point folded into the bias.
    offsets
        Bytes from the window to each weight's input, ``(depth,)``, rising.
    bits
        Of a gap: 8 or 4.
    """
    size, longest = 32 // bits, (1 << bits) - 1
    unit, column = np.nonzero(rows)
    place = offsets[column].astype(np.int64)
    first = np.ones(len(unit), bool)
    first[1:] = unit[1:] != unit[:-1]
    gap = np.where(first, place, np.diff(place, prepend=0))
    fillers = np.maximum(gap - 1, 0) // longest
    ends = np.cumsum(fillers + 1)
    entries = np.bincount(unit, fillers + 1, len(rows)).astype(np.int64)
    groups = -(-entries // size)
    if groups.max(initial=0) >= MOST_GROUPS:
        return None
    start = size * (np.cumsum(groups) - groups)  # of each unit, among all entries of all groups
    before = np.cumsum(entries) - entries
    at = start[unit] + ends - 1 - before[unit]
    gaps = np.zeros(size * int(groups.sum()), np.int64)
    # Fillers stand before their entry: at first all entries but the filling-up are full gaps.
    owner = np.repeat(np.arange(len(rows)), size * groups)
    gaps[np.arange(gaps.size) - start[owner] < entries[owner]] = longest
    gaps[at] = gap - fillers * longest
    values = np.zeros(gaps.size, np.int64)
    values[at] = rows[unit, column]
    return Lists(
        _interleave(gaps, values, groups, bias, multiplier, shift, bits), int(groups.sum())
    )


def _interleave(
    gaps: Array,
    values: Array,
    groups: Array,
    bias: Array,
    multiplier: Array,
    shift: Array,
    bits: int,
) -> Array:
    """Heads of units, each followed by its groups."""
    bytes_of = gaps.reshape(-1, 32 // bits)
    if bits == 4:
        bytes_of = bytes_of[:, :4] | bytes_of[:, 4:] << 4
    weights = (values & 255).reshape(-1, 32 // bits)
    body = np.concatenate([bytes_of, weights], axis=1).astype(np.uint8).view("<u4")
    width = body.shape[1]
    head = np.stack([bias, multiplier, (shift.astype(np.int64) & 255) | groups << 8], axis=1)
    starts = np.cumsum(3 + width * groups) - (3 + width * groups)
    words = np.zeros(3 * len(groups) + body.size, np.uint32)
    is_head = np.zeros(len(words), bool)
    is_head[(starts[:, None] + np.arange(3)).ravel()] = True
    words[is_head] = (head.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32).ravel()
    words[~is_head] = body.ravel()
    return words.view(np.int32)
