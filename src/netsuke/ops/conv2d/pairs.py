"""Convolutions on 32-bit cores without SIMD: which geometries have the kernels, what they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.conv2d.dsp import is_flat
from netsuke.ops.pairs import pair_instructions, pair_words, suits
from netsuke.ops.requant import Requant

SOURCE = "conv2d/conv2d_s8_pairs.c"


def pair_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node; () where none is exact. They differ in scratch, as others' do."""
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if not suits(isa) or geometry["groups"] != 1 or any(quant.zero_point):
        return ()
    rows = weights.reshape(len(weights), -1)
    words = pair_words(requant, rows, bias)
    if words is None:
        return ()
    depth = -(-rows.shape[1] // 4) * 4
    flat = is_flat(geometry)
    parameters = {
        **{name: value for name, value in geometry.items() if name != "groups"},
        "input_zero": requant.input_zero,
        "depth": depth,
    }
    x, y = inputs[0], outputs[0]
    line = geometry["in_w"] * geometry["in_c"]
    rings = [0]
    if not flat and y.size <= x.size and _ring(geometry) * line < x.size:
        rings.append(_ring(geometry))
    return tuple(
        Kernel(
            "nsk_conv2d_s8_pairs_flat" if flat else "nsk_conv2d_s8_pairs",
            SOURCE,
            "nsk_conv2d_pairs",
            {**parameters, "ring": ring},
            constants={1: words, 2: None},
            scratch=8 * depth + -(-ring * line // 4) * 4,
            inplace=((0, 0),) if flat or ring else (),
            instructions=_instructions(parameters, words, flat, isa) + ring * line,
        )
        for ring in rings
    )


def _ring(geometry: Mapping[str, Any]) -> int:
    """Input rows that have to be kept when y starts at x: of those that a strip's outputs
    overwrite, the ones that a window of this strip or a later one sees."""
    g = geometry
    total = g["out_h"] * g["out_w"]
    starts: Array = np.arange(0, total, 4)
    written = np.minimum(starts + 4, total) * g["out_c"]
    saved = np.minimum(-(-written // (g["in_w"] * g["in_c"])), g["in_h"])
    needed = np.maximum(starts // g["out_w"] * g["stride_h"] - g["pad_top"], 0)
    return max(int((saved - needed).max()), 1)


def _instructions(p: Mapping[str, Any], words: Array, flat: bool, isa: frozenset[str]) -> float:
    """Executed instructions: the products, and the packing of windows."""
    taps = p["kernel_h"] * p["kernel_w"] * p["in_c"]
    packing = 13.5 * taps + (60 if flat else 150 + 150 * p["kernel_h"])
    strip = pair_instructions(words, p["depth"], isa) + packing + 40
    return float(-(-p["out_h"] * p["out_w"] // 4) * strip + 60)
