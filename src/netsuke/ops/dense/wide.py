"""Fully connected layers on wide vectors: which have the kernels, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.requant import Requant
from netsuke.ops.wide import (
    AVX2,
    AVX512VNNI,
    DOTPROD,
    NEON,
    Vectors,
    pack_weights,
    scale_table,
    scales_of,
)

BAND = 24 << 10
"""Bytes of rows that stay in the first cache beside the weights."""


def wide_kernels(
    shape: Mapping[str, int], requant: Requant, inputs: Sequence[Tensor], isa: frozenset[str]
) -> tuple[Kernel, ...]:
    """Kernels for a node on cores with wide vectors, the fastest first; () where none is exact."""
    found = (
        _kernel(shape, requant, inputs, vectors)
        for vectors in (AVX512VNNI, AVX2, DOTPROD, NEON)
        if vectors.needs <= isa
    )
    return tuple(kernel for kernel in found if kernel is not None)


def _kernel(
    shape: Mapping[str, int], requant: Requant, inputs: Sequence[Tensor], vectors: Vectors
) -> Kernel | None:
    weights, bias = inputs[1].data, inputs[2].data
    assert weights is not None and bias is not None
    if weights.size == 0:
        return None
    scaled = scales_of(requant, weights, bias, inputs, vectors)
    if scaled is None:
        return None
    depth, rows = shape["depth"], shape["rows"]
    groups = -(-depth // vectors.group)
    padded = np.pad(scaled[0], ((0, 0), (0, groups * vectors.group - depth)))
    band = min(rows, max(1, BAND // (depth * vectors.cell)))
    parameters: dict[str, int | float | Array] = {
        "rows": rows,
        "units": shape["units"],
        "depth": depth,
        "output_zero": requant.output_zero,
        "low": requant.low,
        "high": requant.high,
        "groups": groups,
        "band": band,
        "scales": scale_table(scaled[1], requant.output_zero, vectors),
    }
    whole = -(-shape["units"] // vectors.lanes) * vectors.lanes
    products = rows * whole * padded.shape[1] / vectors.macs
    return Kernel(
        f"nsk_dense_s8_{vectors.name}",
        f"dense/dense_s8_{vectors.name}.c",
        "nsk_dense_wide",
        parameters,
        constants={1: pack_weights(padded, vectors, vectors is NEON), 2: None},
        scratch=-(-(band * depth + vectors.group) * vectors.cell // 4) * 4,
        instructions=1.5 * products + 20.0 * rows * whole / vectors.lanes + 100.0,
    )
