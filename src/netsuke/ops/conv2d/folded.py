"""Convolutions in portable C whose bias holds the input zero point's share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.requant import Requant, folded_bias

SOURCE = "conv2d/conv2d_s8_folded.c"
ROWS = 16
"""Most rows of a kernel; ``NSK_CONV2D_ROWS`` in C."""


def folded_kernels(
    parameters: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
) -> tuple[Kernel, ...]:
    """Kernels for weights with zero point 0; () where they are not exact.

    One needs no scratch; another may overwrite its input and keeps, in a ring, the input rows that
    it still needs.
    """
    (x, weights, _), (y,) = inputs, outputs
    folded = folded_bias(inputs, requant, 0)
    if folded is None or parameters["kernel_h"] > ROWS:
        return ()
    work = 3.0 * y.elements * math.prod(weights.shape[1:]) + 40.0 * y.elements
    given = {**parameters, "folded": folded}
    plain = Kernel(
        "nsk_conv2d_s8_folded", SOURCE, "nsk_conv2d", {**given, "ring": 0}, instructions=work
    )
    ring = ring_rows(parameters)
    scratch = ring * x.shape[1] * x.shape[2]
    if y.size > x.size or scratch >= x.size:
        return (plain,)
    frugal = Kernel(
        "nsk_conv2d_s8_folded_ring",
        SOURCE,
        "nsk_conv2d",
        {**given, "ring": ring},
        scratch=scratch,
        inplace=((0, 0),),
        instructions=work + x.size,
    )
    return (plain, frugal)


def ring_rows(geometry: Mapping[str, Any]) -> int:
    """Input rows that have to be kept when y starts at x.

    Before a row of outputs is written, all rows that it overwrites are saved; a row is needed as
    long as a window sees it.
    """
    g = geometry
    i: Array = np.arange(g["out_h"])
    written = (i + 1) * g["out_w"] * g["out_c"]
    saved = np.minimum(-(-written // (g["in_w"] * g["in_c"])), g["in_h"])
    needed = np.maximum(i * g["stride_h"] - g["pad_top"], 0)
    return max(int((saved - needed).max()), 1)
