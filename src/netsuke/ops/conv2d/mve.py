"""Convolutions on MVE: which geometries have the kernels, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.conv2d.dsp import is_flat
from netsuke.ops.couples import Channels
from netsuke.ops.quads import quad_blocks, quad_channels, quad_instructions, quad_words
from netsuke.ops.requant import Requant

SOURCE = "conv2d/conv2d_s8_mve.c"
BEHIND = 15
"""Bytes of scratch that are read behind a vector, and multiplied by zeros."""


def mve_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """The kernel for a node on a core with MVE; () where it is not exact."""
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "mve" not in isa or geometry["dilation_w"] != 1 or any(quant.zero_point):
        return ()
    count, width = len(weights), geometry["in_c"] // geometry["groups"]
    taps = weights.reshape(count, geometry["kernel_h"], geometry["kernel_w"], width)
    rows = taps.transpose(0, 2, 1, 3).reshape(count, -1)  # a column of taps after the other
    channels = quad_channels(requant, rows, bias)
    if channels is None:
        return ()
    depth = rows.shape[1]
    flat = is_flat(geometry) and geometry["groups"] == 1
    columns = (geometry["out_w"] - 1) * geometry["stride_w"] + geometry["kernel_w"]
    kept = ("input_zero", "output_zero", "low", "high")
    numbers = requant.parameters()
    parameters = {
        **{name: value for name, value in geometry.items() if name != "dilation_w"},
        **{name: numbers[name] for name in kept},
        "blocks": quad_blocks(depth),
        "columns": columns,
    }
    lines = columns * geometry["kernel_h"] * width
    scratch = (2 * depth if flat else lines) + BEHIND
    return (
        Kernel(
            "nsk_conv2d_s8_mve_flat" if flat else "nsk_conv2d_s8_mve",
            SOURCE,
            "nsk_conv2d_quads",
            parameters,
            constants={1: _words(channels, geometry["groups"]), 2: None},
            scratch=-(-scratch // 4) * 4,
            inplace=((0, 0),) if flat or _saves_input(geometry) else (),
            instructions=_instructions(parameters, depth, flat),
        ),
    )


def _words(channels: Channels, groups: int) -> Array:
    """Quads of each group of channels."""
    fields = (channels.rows, channels.bias, channels.multiplier, channels.right)
    parts = zip(*(np.split(field, groups) for field in fields), strict=True)
    return np.concatenate([quad_words(Channels(*part)) for part in parts])


def _saves_input(geometry: Mapping[str, Any]) -> bool:
    """Whether every row is in the lines before an output is written over it."""
    g = geometry
    if g["groups"] != 1 or (g["dilation_h"] > 1 and g["kernel_h"] > 1):
        return False
    i: Array = np.arange(g["out_h"])
    seen = i * g["stride_h"] - g["pad_top"] + g["kernel_h"]
    loaded = np.clip(seen, 0, g["in_h"])
    free = loaded * g["in_w"] * g["in_c"] >= (i + 1) * g["out_w"] * g["out_c"]
    return bool((free | (loaded == loaded[-1])).all())


def _instructions(p: Mapping[str, Any], depth: int, flat: bool) -> float:
    """Executed instructions: the products, and what it takes to lay out the windows."""
    per_group = p["out_c"] // p["groups"]
    two, one = (quad_instructions(per_group, depth, vectors) + 25 for vectors in (2, 1))
    if flat:
        pairs, odd = divmod(p["out_h"] * p["out_w"], 2)
        return float(pairs * two + odd * one + (pairs + odd) * (3 * -(-2 * depth // 16) + 15) + 60)
    width = p["in_c"] // p["groups"]
    pairs, odd = divmod(p["out_w"], 2)
    kept = max(p["kernel_h"] - p["stride_h"], 0) if p["dilation_h"] == 1 else 0
    pixel = 6.0 if width <= 16 else 3.0 * -(-width // 16) + 10
    row = pixel * p["columns"] + 80
    moved = 3.0 * p["columns"] * p["kernel_h"] * width / 16 if kept else 0.0
    lines = (p["out_h"] * (p["kernel_h"] - kept) + kept) * row + p["out_h"] * (moved + 40)
    return float(p["groups"] * (p["out_h"] * (pairs * two + odd * one) + lines) + 60)
