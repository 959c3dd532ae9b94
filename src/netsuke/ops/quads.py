"""Weights of MVE kernels: four output channels side by side, requantization included.

A quad of channels is, for every 16 elements of depth, the 16 weights of each channel in turn (zeros
behind the depth's end), then four biases, four multipliers and four shifts, see ``nsk_quads.h``.
The input zero point is folded into the bias: b - zero · Σ w.
"""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array
from netsuke.ops.couples import Channels, dsp_channels
from netsuke.ops.requant import Requant

LANES = 16
"""Weights in a vector."""

LARGEST_SUM = (1 << 31) - (1 << 8)
"""Sums below it leave room for the zero point; VQRDMULH itself takes any."""

LARGEST_SHIFT = 31
"""Right shifts that VRSHL knows."""


def quad_channels(requant: Requant, rows: Array, bias: Array) -> Channels | None:
    """Prepare weights ``(k, depth)`` with zero points 0, or say None where it is not exact.

    VQRDMULH and VRSHL round as `netsuke.ops.fixed_point` does, for every int32; only factors of
    one or more, which need a saturating left shift first, are left to other kernels.
    """
    return dsp_channels(requant, rows, bias, LARGEST_SUM, LARGEST_SHIFT)


def quad_blocks(depth: int) -> int:
    """Vectors of weights that a channel takes."""
    return -(-depth // LANES)


def quad_words(channels: Channels) -> Array:
    """Pack channels into one row of words a quad (int32)."""
    count, depth = channels.rows.shape
    missing, blocks = -count % 4, quad_blocks(depth)
    rows = np.pad(channels.rows, ((0, missing), (0, blocks * LANES - depth)))
    vectors = rows.reshape(-1, 4, blocks, LANES).transpose(0, 2, 1, 3)
    words = np.ascontiguousarray(vectors, np.int8).view("<i4").reshape(len(rows) // 4, -1)
    fields = (channels.bias, channels.multiplier, -channels.right)
    tail = [np.pad(field, (0, missing)).reshape(-1, 4) for field in fields]
    packed = np.concatenate([words, *tail], axis=1, dtype=np.int64)
    return (packed & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def quad_instructions(channels: int, depth: int, vectors: int = 2) -> float:
    """Executed instructions of ``nsk_quads_all`` for one vector or two."""
    blocks, (whole, rest) = quad_blocks(depth), divmod(channels, 4)
    two = 14 * blocks + 28 + 2 * ((blocks + 6) // 8)
    quad = two if vectors == 2 else 10 * blocks + 20
    return float((whole + (rest > 0)) * quad + 70 + (rest > 0) * (50 + 6 * rest))
