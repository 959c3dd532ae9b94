"""Weights and scales for kernels on wide vectors: order of channels, groups of depth, rounding.

A block of A vectors (A is 4, 2 or 1) holds A · lanes channels in the order in which the narrowing
instructions leave them: lane i of part l of vector q is channel ``(l · A + q) · 4 + i``. A step of
a dot product takes `group` weights of every lane. See ``runtime/nsk_wide.h``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.fixed_point import INT32_MAX
from netsuke.ops.requant import Requant


@dataclass(frozen=True, slots=True)
class Vectors:
    """One instruction set's vectors, as its header in ``runtime`` declares them.

    Attributes
    ----------
    name
        Last part of the kernels' names.
    needs
        Instruction sets that a device must have.
    lanes
        int32 sums of a vector.
    group
        Cells of one dot step.
    cell
        Bytes of an activation in scratch memory.
    offset
        What is added to activations there (128 makes them unsigned).
    lowest
        Smallest weight with which nothing saturates.
    taps
        Taps that one step of a depthwise window takes.
    channels
        Channels of a depthwise block.
    scales
        ``"arithmetic"``, ``"logical"`` (AVX2 has no arithmetic shift of 64 bits) or ``"doubling"``
        (multiplier and shift one after the other, as NEON has them).
    macs
        Multiply-accumulates that one instruction brings about, about.
    """

    name: str
    needs: frozenset[str]
    lanes: int
    group: int
    cell: int
    offset: int
    lowest: int
    taps: int
    channels: int
    scales: str
    macs: float


AVX512VNNI = Vectors(
    "avx512vnni", frozenset({"avx512vnni"}), 16, 4, 1, 128, -128, 4, 64, "arithmetic", 48.0
)
AMX = Vectors(
    "amx", frozenset({"amx", "avx512vnni"}), 16, 4, 1, 0, -128, 4, 64, "arithmetic", 200.0
)
AVX2 = Vectors("avx2", frozenset({"avx2"}), 8, 2, 2, 0, -128, 2, 16, "logical", 7.0)
NEON = Vectors("neon", frozenset({"neon"}), 4, 4, 1, 0, -127, 1, 16, "doubling", 4.0)
DOTPROD = Vectors("dotprod", frozenset({"dotprod"}), 4, 4, 1, 0, -128, 1, 16, "doubling", 12.0)

FAMILIES = (AMX, AVX512VNNI, AVX2, DOTPROD, NEON)


def families(isa: frozenset[str]) -> tuple[Vectors, ...]:
    """The families of kernels that a device can run, fastest first."""
    return tuple(family for family in FAMILIES if family.needs <= isa)


def blocks(channels: int, lanes: int) -> Iterator[tuple[int, int]]:
    """(first channel, vectors) of each block; the last ones are smaller where that suffices."""
    first = 0
    while first < channels:
        left = channels - first
        vectors = 4 if left > 3 * lanes else 2 if left > lanes else 1
        yield first, vectors
        first += vectors * lanes


def block_order(vectors: int, lanes: int) -> Array:
    """Channel of every lane, ``(vectors, lanes)``, counted from the block's first."""
    vector, lane = np.indices((vectors, lanes))
    return (lane // 4 * vectors + vector) * 4 + lane % 4


def channel_order(channels: int, lanes: int, fixed: int = 0) -> Array:
    """Channel of every lane of all blocks, ``(vectors, lanes)``; beyond the last: `channels`.

    `fixed` is the number of vectors of every block, or 0 where the last blocks are smaller.
    """
    if fixed:
        starts = [(first, fixed) for first in range(0, channels, fixed * lanes)]
    else:
        starts = list(blocks(channels, lanes))
    rows = [first + block_order(vectors, lanes) for first, vectors in starts]
    return np.minimum(np.concatenate(rows), channels)


def pack_weights(rows: Array, vectors: Vectors, halves: bool = False) -> Array:
    """Weights ``(k, depth)``, depth a multiple of `group`, in the order in which they are read.

    For every block, for every group, for every vector: lanes · group bytes. With `halves` the
    first two weights of every lane come before the other two.
    """
    channels, depth = rows.shape
    padded = np.concatenate([rows, np.zeros((1, depth), np.int8)])
    parts = []
    for first, count in blocks(channels, vectors.lanes):
        order = np.minimum(first + block_order(count, vectors.lanes), channels)
        block = padded[order].reshape(count, vectors.lanes, -1, vectors.group)
        block = block.transpose(2, 0, 1, 3)
        if halves:
            block = block.reshape(*block.shape[:3], 2, -1).transpose(0, 1, 3, 2, 4)
        parts.append(block.ravel())
    return np.ascontiguousarray(np.concatenate(parts))


def pack_taps(taps: Array, vectors: Vectors) -> Array:
    """Depthwise weights ``(taps, k)``, taps a multiple of those of a step, as they are read.

    For every block, for every step, for every lane: the step's taps.
    """
    order = channel_order(taps.shape[1], vectors.lanes, vectors.channels // vectors.lanes)
    padded = np.concatenate([taps, np.zeros((len(taps), 1), np.int8)], axis=1)
    picked = padded[:, order.reshape(-1, vectors.channels)]
    steps = picked.reshape(-1, vectors.taps, *picked.shape[1:])
    return np.ascontiguousarray(steps.transpose(2, 0, 3, 1).ravel())


def scales_of(
    requant: Requant, rows: Array, bias: Array, inputs: Sequence[Tensor], vectors: Vectors
) -> tuple[Array, Array] | None:
    """Scales of channels and their weights, or None where the family is not exact.

    Parameters
    ----------
    requant
        Of the channels.
    rows
        int8 weights ``(k, depth)``.
    bias
        int32 ``(k,)``.
    inputs
        The node's inputs, for the weights' zero points.
    vectors
        The family.

    Returns
    -------
    tuple
        The weights, with those of channels zeroed whose output is always the same, and the
        multiplier, bias-with-zero-points and shift of each channel, ``(3, k)`` int64.
    """
    quant = inputs[1].quant
    assert quant is not None
    if any(quant.zero_point):
        return None
    wide = rows.astype(np.int64)
    zero = requant.input_zero
    below, above = wide * (-128 - zero), wide * (127 - zero)
    least = np.minimum(below, above).sum(axis=1) + bias
    most = np.maximum(below, above).sum(axis=1) + bias
    lowest, highest = (requant.apply(sums).astype(np.int64) for sums in (least, most))
    constant = lowest == highest
    left = np.maximum(requant.shift.astype(np.int64), 0)
    bound = np.maximum(np.abs(least), np.abs(most))
    raw = np.abs(wide).sum(axis=1) * (128 + vectors.offset) + np.abs(bias.astype(np.int64))
    exact = (bound << left) + 256 <= INT32_MAX
    if vectors.scales == "doubling":
        exact &= left == 0
    else:  # room for the zero point beside the product
        exact &= requant.shift >= -23
    live = wide[~constant]
    if not (exact | constant).all() or (raw[~constant] > INT32_MAX).any():
        return None
    if live.size and live.min() < vectors.lowest:
        return None
    folded = bias.astype(np.int64) - (zero + vectors.offset) * wide.sum(axis=1)
    if (np.abs(folded[~constant]) > INT32_MAX).any():
        return None
    kept = np.where(constant[:, None], 0, rows).astype(np.int8)
    values = np.stack([requant.multiplier.astype(np.int64), folded, requant.shift.astype(np.int64)])
    # 2 · distance · 2^30 / 2^31 gives the constant back.
    still = np.stack(
        [np.full_like(folded, 1 << 30), 2 * (lowest - requant.output_zero), 0 * folded]
    )
    return kept, np.where(constant, still, values)


def scale_table(values: Array, output_zero: int, vectors: Vectors, fixed: int = 0) -> Array:
    """The table that ``nsk_store1/2/4`` reads, from what `scales_of` returned."""
    multiplier, bias, shift = values
    order = channel_order(values.shape[1], vectors.lanes, fixed)
    if vectors.scales == "doubling":
        return _doubling(multiplier, bias, shift, order)
    right = 31 - shift
    last = np.int64(1) << (30 - shift)  # a half of the last step
    add = multiplier * bias + last + np.where(shift < 0, 1 << 30, 0)
    add += np.int64(output_zero) << right
    if vectors.scales == "logical":
        add = (add.astype(np.uint64) + np.uint64(1 << 63)).view(np.int64)
    columns = [
        np.append(field, filler)[order]
        for field, filler in ((multiplier, 0), (add, 0), (right, 31))
    ]
    parts = [column[:, odd::2] for column in columns for odd in (0, 1)]
    if vectors.scales == "logical":
        parts.append(_excess(np.append(right, 31)[order]))
    return np.ascontiguousarray(np.concatenate(parts, axis=1)).view(np.int32).ravel()


def _excess(right: Array) -> Array:
    """What 2^63 adds to results, two int32 in a word."""
    excess = np.uint64(1) << (63 - right).astype(np.uint64) & np.uint64(0xFFFFFFFF)
    return (excess[:, 0::2] | excess[:, 1::2] << np.uint64(32)).view(np.int64)


def _doubling(multiplier: Array, bias: Array, shift: Array, order: Array) -> Array:
    columns = [np.append(field, 0)[order] for field in (bias, multiplier, shift)]
    return np.ascontiguousarray(np.concatenate(columns, axis=1)).astype(np.int32).ravel()


def vector_forms(portable: Kernel, isa: frozenset[str]) -> tuple[Kernel, ...]:
    """The same loops compiled for vectors, beside a portable kernel: same parameters, same scratch.

    For kernels without packed weights; each file bears the portable one's name and the family's.
    """
    return tuple(
        replace(
            portable,
            function=f"{portable.function}_{family.name}",
            source=f"{portable.source.removesuffix('.c')}_{family.name}.c",
            instructions=portable.instructions / family.lanes,
        )
        for family in (AVX512VNNI, AVX2, NEON)
        if family.needs <= isa
    )
