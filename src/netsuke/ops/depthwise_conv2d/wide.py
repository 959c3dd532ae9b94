"""Depthwise convolutions on wide vectors: which geometries have the kernels, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.requant import Requant
from netsuke.ops.wide import AVX2, AVX512VNNI, NEON, Vectors, pack_taps, scale_table, scales_of

BAND = 24 << 10
"""Bytes of padded rows that stay in the first cache."""


def wide_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on cores with wide vectors, the fastest first; () where none is exact."""
    if geometry["in_c"] != geometry["out_c"]:
        return ()
    found = (
        _kernel(geometry, requant, inputs, vectors)
        for vectors in (AVX512VNNI, AVX2, NEON)
        if vectors.needs <= isa
    )
    return tuple(kernel for kernel in found if kernel is not None)


def _kernel(
    g: Mapping[str, Any], requant: Requant, inputs: Sequence[Tensor], vectors: Vectors
) -> Kernel | None:
    weights, bias = inputs[1].data, inputs[2].data
    assert weights is not None and bias is not None
    taps = weights.reshape(-1, g["out_c"])
    scaled = scales_of(requant, np.ascontiguousarray(taps.T), bias, inputs, vectors)
    if scaled is None:
        return None
    joined = _joined(g, vectors)
    kept, values = np.tile(scaled[0].T, joined), np.tile(scaled[1], joined)
    missing = -len(kept) % vectors.taps
    rows = (g["kernel_h"] - 1) * g["dilation_h"] + 1
    line = _line(g)
    band = _band(g, rows, line, vectors)
    # The last block of channels is read whole.
    held = ((band - 1) * g["stride_h"] + rows) * line + vectors.channels
    parameters = {
        "in_h": g["in_h"],
        "bytes": g["in_w"] * g["in_c"],
        "out_h": g["out_h"],
        "pixels": g["out_w"] // joined,
        "channels": g["in_c"] * joined,
        "step": g["stride_w"] * g["in_c"] * joined,
        "stride_h": g["stride_h"],
        "pad_top": g["pad_top"],
        "before": g["pad_left"] * g["in_c"],
        "input_zero": requant.input_zero,
        "output_zero": requant.output_zero,
        "low": requant.low,
        "high": requant.high,
        "reach": rows,
        "band": band,
        "line": line,
        "groups": (len(kept) + missing) // vectors.taps,
        "offsets": np.pad(_offsets(g, line), (0, missing)),
        "scales": scale_table(
            values, requant.output_zero, vectors, vectors.channels // vectors.lanes
        ),
    }
    return Kernel(
        f"nsk_depthwise_conv2d_s8_{vectors.name}",
        f"depthwise_conv2d/depthwise_conv2d_s8_{vectors.name}.c",
        "nsk_depthwise_conv2d_wide",
        parameters,
        constants={1: pack_taps(np.pad(kept, ((0, missing), (0, 0))), vectors), 2: None},
        scratch=-(-held * vectors.cell // 4) * 4,
        instructions=_instructions(parameters, vectors),
    )


def _joined(g: Mapping[str, Any], vectors: Vectors) -> int:
    """Neighbouring pixels that are treated as one, so that its channels fill a block."""
    joined, rest = divmod(vectors.channels, g["in_c"])
    whole = not rest and joined > 1 and g["stride_w"] == 1 and g["out_w"] % joined == 0
    return joined if whole else 1


def _line(g: Mapping[str, Any]) -> int:
    columns = (g["out_w"] - 1) * g["stride_w"] + (g["kernel_w"] - 1) * g["dilation_w"] + 1
    return int(max(columns, g["pad_left"]) * g["in_c"])


def _band(g: Mapping[str, Any], rows: int, line: int, vectors: Vectors) -> int:
    """Output rows whose input rows fit into `BAND`, evenly spread; at least 1."""
    fits = (BAND // (line * vectors.cell) - rows) // g["stride_h"] + 1
    parts = -(-g["out_h"] // min(max(fits, 1), g["out_h"]))
    return int(-(-g["out_h"] // parts))


def _offsets(g: Mapping[str, Any], line: int) -> Array:
    """Cells from a window's first to each tap's."""
    down = np.arange(g["kernel_h"]) * g["dilation_h"] * line
    right = np.arange(g["kernel_w"]) * g["dilation_w"] * g["in_c"]
    return (down[:, None] + right).astype(np.int32).ravel()


def _instructions(p: Mapping[str, Any], vectors: Vectors) -> float:
    """A vector of sums: a load, a shuffle and a product a group; then scaling, and copying."""
    blocks = -(-p["channels"] // vectors.channels) * vectors.channels / vectors.lanes
    sums = p["out_h"] * p["pixels"] * blocks
    return sums * (4.0 * p["groups"] + 20.0) + p["in_h"] * p["bytes"] / vectors.lanes + 300.0
