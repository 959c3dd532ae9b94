"""The dense layer whose tables stay in the program memory of an AVR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsuke.ir import Kernel, Tensor
from netsuke.ops.requant import Requant, folded_bias


def avr_kernels(
    shape: Mapping[str, int], requant: Requant, inputs: Sequence[Tensor], isa: frozenset[str]
) -> tuple[Kernel, ...]:
    """The kernel, where every sum with a folded bias has 24 bits; else ()."""
    folded, weights = folded_bias(inputs, requant, 0), inputs[1].data
    if "avr" not in isa or folded is None or weights is None or max(shape.values()) > 65535:
        return ()
    sums = np.abs(folded.astype(np.int64)) + 128 * np.abs(weights.astype(np.int64)).sum(1)
    if sums.max(initial=0) >= 1 << 23:
        return ()
    given = requant.parameters()
    units = shape["rows"] * shape["units"]
    return (
        Kernel(
            "nsk_dense_s8_avr",
            "dense/dense_s8_avr.c",
            "nsk_dense_flash",
            {**shape, **{key: given[key] for key in given if key != "input_zero"}},
            constants={2: folded},
            instructions=8.0 * units * shape["depth"] + 250.0 * units,
            flash=True,
            cycles=14.0 * units * shape["depth"] + 400.0 * units,
        ),
    )
