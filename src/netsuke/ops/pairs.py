"""Weights of kernels that multiply two pixels at once, requantization included: ``nsk_pairs.h``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsuke.ir import Array, Kernel
from netsuke.ops.requant import Requant
from netsuke.ops.step_scale import StepScale, step_scale

GROUP = 255
"""Largest sum of |w| over the taps of a group: times 128, it leaves a bit for the sign."""

CORES = ("thumb", "thumb2", "rv32")
"""Beginnings of the instruction sets that these kernels are for."""

LARGEST_BIAS = 1 << 29
"""Starts of sums below it fit, doubled."""


def suits(isa: frozenset[str]) -> bool:
    """Whether the core multiplies to 32 bits at once and has no SIMD."""
    simd = any(token in ("dsp", "mve", "neon", "a64", "avx2") for token in isa)
    return not simd and any(token.startswith(CORES) for token in isa)


def slower_kernels(
    kernels: Sequence[Kernel], elements: int, isa: frozenset[str]
) -> tuple[Kernel, ...]:
    """Portable kernels with what they take on a core other than a Cortex-M4, by measurement.

    Armv6-M has few registers and no long multiplication: 1.4 times the instructions, and 75 more
    for each of so many outputs. RISC-V has neither a multiplication that adds nor loads that move a
    pointer on.
    """
    factor, more = 1.0, 0.0
    if "thumb" in isa:
        factor, more = 1.4, 75.0
    elif any(token.startswith("rv32") for token in isa):
        factor, more = 1.65, 5.0
    return tuple(
        replace(kernel, instructions=factor * kernel.instructions + more * elements)
        for kernel in kernels
    )


def pair_words(requant: Requant, rows: Array, bias: Array) -> Array | None:
    """Pack channels ``(k, depth)`` with weights of zero point 0 (int32, a row a channel).

    None where the arithmetic would not be exact.
    """
    missing = -rows.shape[1] % 4
    weights = np.pad(rows, ((0, 0), (0, missing))).astype(np.int64)
    magnitude = np.abs(weights).reshape(len(weights), -1, 4)
    four = magnitude.sum(axis=2).max(axis=1, initial=0) <= GROUP
    if magnitude.reshape(len(weights), -1, 2).sum(axis=2).max(initial=0) > GROUP:
        return None
    return pack_pairs(requant, weights, bias, four, weights.shape[1] // np.where(four, 4, 2))


def pack_pairs(
    requant: Requant, rows: Array, bias: Array, long: Array, groups: Array
) -> Array | None:
    """The words of channels ``(k, taps)``; None where the requantization is not exact.

    Parameters
    ----------
    requant, rows, bias
        Of the convolution; weights have zero point 0.
    long
        Whether a channel's groups are the longer ones.
    groups
        How many each channel has.
    """
    weights = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).astype(np.int64)
    scale = exact_scale(requant, weights, bias)
    if scale is None:
        return None
    start = bias - requant.input_zero * weights.sum(axis=1) - scale.centre
    if np.abs(start).max(initial=0) >= LARGEST_BIAS:
        return None
    head = np.stack([start + (start << 16) - (groups << 15), 2 * start + long], axis=1)
    low, high, a, b, c, shift = scale.words().astype(np.int64).T
    tail = np.stack([low, high, a, c, b << 8 | shift], axis=1)
    words = np.ascontiguousarray(weights, np.int8).view("<i4")
    packed = np.concatenate([head, words, tail], axis=1, dtype=np.int64)
    return (packed & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def exact_scale(requant: Requant, rows: Array, bias: Array) -> StepScale | None:
    """The requantization by two products for channels ``(k, depth)``, or None."""
    weights = rows.astype(np.int64)
    below, above = -128 - requant.input_zero, 127 - requant.input_zero
    least = np.minimum(weights * below, weights * above).sum(axis=1) + bias
    most = np.maximum(weights * below, weights * above).sum(axis=1) + bias
    return step_scale(requant, least, most)


def pair_instructions(words: Array, depth: int, isa: frozenset[str]) -> float:
    """Executed instructions of ``nsk_pairs_four``: four pixels times all channels."""
    four = int((words[:, 1] & 1).sum())
    two = len(words) - four
    if "thumb" in isa:
        pair, quad, channel = 39.0, 34.0, 104.0
    elif "thumb2" in isa:
        pair, quad, channel = 25.0, 21.0, 125.0
    else:
        pair, quad, channel = 42.0, 36.0, 125.0
    return depth / 4 * (pair * two + quad * four) + channel * len(words) + 40
