"""Fully connected layers of which most weights are 0: what their kernels are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsuke.ir import Kernel, Tensor
from netsuke.ops.conv2d.sparse import sparse_kernels as convolution_kernels
from netsuke.ops.dense.column import column_geometry
from netsuke.ops.requant import Requant
from netsuke.ops.sparse import dsp_lists, is_sparse, portable_lists

FOUR_ROWS = 4
"""From so many rows on the convolution's kernel is the better one: four pixels share a weight."""


def sparse_kernels(
    shape: Mapping[str, int],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels that skip zeros; () where there are few, or where lists take more bytes."""
    if "avr" in isa or not is_sparse(inputs[1]):
        return ()
    if shape["rows"] >= FOUR_ROWS:
        return convolution_kernels(column_geometry(shape), requant, inputs, outputs, isa)
    numbers = requant.parameters()
    kept = {name: numbers[name] for name in ("output_zero", "low", "high")}
    offsets, found = np.arange(shape["depth"]), []
    small = "thumb" in isa
    for variant, pack, costs in (
        ("dsp_sparse", dsp_lists, {8: (16.0, 19.0), 4: (34.0, 22.0)}),
        (
            "sparse",
            portable_lists,
            {8: (53.0, 75.0), 4: (106.0, 75.0)} if small else {8: (42.0, 38.0), 4: (84.0, 42.0)},
        ),
    ):
        if variant == "dsp_sparse" and "dsp" not in isa:
            continue
        for bits, (group, unit) in costs.items():
            lists = pack(inputs, requant, offsets, bits)
            if lists is None:
                continue
            clamped = kept["low"] > -128 or kept["high"] < 127
            each = unit + (11.0 if clamped and variant == "dsp_sparse" else 0.0)
            found.append(
                Kernel(
                    f"nsk_dense_s8_{variant}{bits}",
                    f"dense/dense_s8_{variant}.c",
                    "nsk_dense_packed",
                    {**shape, **kept},
                    constants={1: lists.words, 2: None},
                    instructions=shape["rows"]
                    * (group * lists.groups + each * shape["units"] + 45.0),
                )
            )
    return tuple(found)
