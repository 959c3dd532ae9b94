"""Fully connected layers on 32-bit cores without SIMD: what their kernel is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsuke.ir import Kernel, Tensor
from netsuke.ops.pairs import exact_scale, suits
from netsuke.ops.requant import Requant, folded_bias

UNITS = 4
"""Units that are computed at once, and so the fewest."""


def four_kernels(
    shape: Mapping[str, int],
    requant: Requant,
    inputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """The kernel for a node; () where it is not exact."""
    weights, bias = inputs[1].data, inputs[2].data
    assert weights is not None and bias is not None
    folded = folded_bias(inputs, requant, 0)
    if not suits(isa) or len(weights) < UNITS or folded is None:
        return ()
    scale = exact_scale(requant, weights, bias)
    if scale is None:
        return ()
    start = folded.astype(np.int64) - scale.centre
    reach = np.abs(start) + 128 * np.abs(weights.astype(np.int64)).sum(axis=1)
    if reach.max(initial=0) >= 1 << 31:
        return ()
    tail = np.stack([scale.low, scale.high, scale.a, scale.c, scale.b << 8 | scale.shift], axis=1)
    words = np.concatenate([start[:, None], tail], axis=1).astype(np.int32)
    each = 3.6 if "thumb" in isa else 2.7 if "thumb2" in isa else 3.6
    fours = -(-shape["units"] // UNITS)
    return (
        Kernel(
            "nsk_dense_s8_fours",
            "dense/dense_s8_fours.c",
            "nsk_dense_fours",
            {**shape, "scale": words.reshape(-1)},
            constants={2: None},
            instructions=shape["rows"] * fours * (4 * each * shape["depth"] + 190.0) + 30,
        ),
    )
