"""Convolutions on wide vectors: which geometries have the kernels, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Kernel, Tensor
from netsuke.ops.requant import Requant
from netsuke.ops.wide import AMX, NEON, Vectors, families, pack_weights, scale_table, scales_of

BAND = 24 << 10
"""Bytes of padded rows that stay in the first cache beside the weights."""


def wide_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on cores with wide vectors, the fastest first; () where none is exact."""
    found = (_kernel(geometry, requant, inputs, vectors) for vectors in families(isa))
    return tuple(kernel for kernel in found if kernel is not None)


def _kernel(
    geometry: Mapping[str, Any], requant: Requant, inputs: Sequence[Tensor], vectors: Vectors
) -> Kernel | None:
    weights, bias = inputs[1].data, inputs[2].data
    assert weights is not None and bias is not None
    if geometry["groups"] != 1 or weights.size == 0:
        return None
    scaled = scales_of(requant, weights.reshape(len(weights), -1), bias, inputs, vectors)
    if scaled is None:
        return None
    flat = _is_flat(geometry)
    g = _as_rows(geometry, vectors) if flat else dict(geometry)
    taps = g["kernel_w"] if g["dilation_w"] == 1 else 1
    run = taps * g["in_c"]
    groups = -(-run // vectors.group)
    rows = scaled[0].reshape(len(weights), -1, run)
    rows = np.pad(rows, ((0, 0), (0, 0), (0, groups * vectors.group - run)))
    packed = pack_weights(rows.reshape(len(weights), -1), vectors, vectors is NEON)
    line = _line(g)
    direct = vectors is AMX and flat and g["in_c"] % 4 == 0
    band = 0 if direct else _band(g, line, vectors)
    held = 0 if direct else ((band - 1) * g["stride_h"] + _reach(g)) * line + vectors.group
    parameters = {
        **{name: g[name] for name in _KEPT},
        "wide": g["kernel_w"] // taps,
        "input_zero": requant.input_zero,
        "output_zero": requant.output_zero,
        "low": requant.low,
        "high": requant.high,
        "groups": groups,
        "band": band,
        "line": line,
        "scales": scale_table(scaled[1], requant.output_zero, vectors),
    }
    return Kernel(
        f"nsk_conv2d_s8_{vectors.name}",
        f"conv2d/conv2d_s8_{vectors.name}.c",
        "nsk_conv2d_wide",
        parameters,
        constants={1: packed, 2: None},
        scratch=-(-held * vectors.cell // 4) * 4,
        instructions=_instructions(g, len(weights), rows[0].size, held, vectors),
    )


_KEPT = (
    *("in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h"),
    *("stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left"),
)


def _is_flat(geometry: Mapping[str, Any]) -> bool:
    """Whether output pixel n needs input pixel n and no other."""
    g = geometry
    one = all(g[name] == 1 for name in ("kernel_h", "kernel_w", "stride_h", "stride_w"))
    unpadded = not g["pad_top"] and not g["pad_left"]
    return one and unpadded and (g["out_h"], g["out_w"]) == (g["in_h"], g["in_w"])


def _as_rows(geometry: Mapping[str, Any], vectors: Vectors) -> dict[str, Any]:
    """The same pixels in other rows: one row, or the longest that a band holds."""
    pixels = geometry["in_h"] * geometry["in_w"]
    most = max(1, BAND // (geometry["in_c"] * vectors.cell))
    if vectors is AMX and geometry["in_c"] % 4 == 0:
        most = pixels
    width = next(width for width in range(min(pixels, most), 0, -1) if pixels % width == 0)
    if width < min(8, pixels):
        width = geometry["in_w"]
    height = pixels // width
    return {**geometry, "in_h": height, "in_w": width, "out_h": height, "out_w": width}


def _reach(g: Mapping[str, Any]) -> int:
    return int((g["kernel_h"] - 1) * g["dilation_h"] + 1)


def _line(g: Mapping[str, Any]) -> int:
    """Cells of a padded row: what the windows see, no less than the padding."""
    columns = (g["out_w"] - 1) * g["stride_w"] + (g["kernel_w"] - 1) * g["dilation_w"] + 1
    return int(max(columns, g["pad_left"]) * g["in_c"])


def _band(g: Mapping[str, Any], line: int, vectors: Vectors) -> int:
    """Output rows whose input rows fit into `BAND`, evenly spread; at least 1."""
    fits = (BAND // (line * vectors.cell) - _reach(g)) // g["stride_h"] + 1
    parts = -(-g["out_h"] // min(max(fits, 1), g["out_h"]))
    return -(-g["out_h"] // parts)


def _instructions(
    g: Mapping[str, Any], channels: int, depth: int, held: int, vectors: Vectors
) -> float:
    """Multiply-accumulates of whole vectors, scaling, and copying into bands."""
    pixels = g["out_h"] * g["out_w"]
    full = -(-channels // vectors.lanes) * vectors.lanes
    scaling = 20.0 * pixels * full / vectors.lanes
    copying = g["in_h"] * g["in_w"] * g["in_c"] / vectors.lanes if held else 0.0
    return pixels * full * depth / vectors.macs + scaling + copying + 300.0
