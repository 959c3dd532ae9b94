"""Depthwise convolutions of up to 3 x 3 taps on MVE: where the kernel serves, what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.couples import Channels
from netsuke.ops.quads import quad_channels
from netsuke.ops.requant import Requant

LANES = 8
"""Channels whose words lie in scratch."""

FURTHEST = 65535
"""Bytes of y that the outputs of a block may be apart."""


def mve_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on a core with MVE; () where none is exact.

    The rows of the words are the image's rows or its columns: one of them takes fewer
    instructions, and perhaps the other one less scratch.
    """
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    many = max(weights.shape[:2]) > 3 or geometry["in_c"] != geometry["out_c"]
    if "mve" not in isa or many or any(quant.zero_point):
        return ()
    channels = quad_channels(requant, weights.reshape(-1, weights.shape[2]).T, bias)
    if channels is None:
        return ()
    numbers = requant.parameters()
    kept = ("input_zero", "output_zero", "low", "high")
    kernels = []
    for axis in (0, 1):
        shape = _shape(geometry, axis)
        reach = 3 * shape["out_column"] + shape["out_row"]
        if reach > FURTHEST:
            continue
        kernels.append(
            Kernel(
                "nsk_depthwise_conv2d_s8_mve",
                "depthwise_conv2d/depthwise_conv2d_s8_mve.c",
                "nsk_depthwise_conv2d_words",
                {**shape, **{name: numbers[name] for name in kept}},
                constants={1: _bytes(channels, weights.shape[:2], axis), 2: None},
                scratch=4 * LANES * shape["width"],
                inplace=((0, 0),) if _saves_input(shape, geometry, axis) else (),
                instructions=_instructions(shape),
            )
        )
    kernels.sort(key=lambda kernel: kernel.instructions)
    useful = [
        kernel
        for index, kernel in enumerate(kernels)
        if index == 0
        or (kernel.scratch or 0) < (kernels[0].scratch or 0)
        or len(kernel.inplace) > len(kernels[0].inplace)
    ]
    return tuple(useful)


def _shape(geometry: Mapping[str, Any], axis: int) -> dict[str, int]:
    """Parameters when the rows of the words are the image's rows (0) or its columns (1)."""
    g = geometry
    names = (("h", "top"), ("w", "left"))
    (row, row_pad), (column, column_pad) = names if axis == 0 else names[::-1]
    steps = {"h": g["in_w"] * g["in_c"], "w": g["in_c"]}
    out_steps = {"h": g["out_w"] * g["out_c"], "w": g["out_c"]}
    span = (max(g[f"out_{column}"], 4) - 1) * g[f"stride_{column}"]
    return {
        "channels": g["in_c"],
        "rows": g[f"in_{row}"],
        "columns": g[f"in_{column}"],
        "in_row": steps[row],
        "in_column": steps[column],
        "out_rows": g[f"out_{row}"],
        "out_columns": g[f"out_{column}"],
        "out_row": out_steps[row],
        "out_column": out_steps[column],
        "stride_row": g[f"stride_{row}"],
        "stride_column": g[f"stride_{column}"],
        "dilation_row": g[f"dilation_{row}"],
        "dilation_column": g[f"dilation_{column}"],
        "pad_row": g[f"pad_{row_pad}"],
        "pad_column": g[f"pad_{column_pad}"],
        "width": span + 2 * g[f"dilation_{column}"] + 1,
    }


def _bytes(channels: Channels, kernel: tuple[int, ...], axis: int) -> Array:
    """24 bytes a channel, as `depthwise_conv2d_s8_mve.c` describes them."""
    taps = channels.rows.reshape(-1, *kernel)
    taps = taps.transpose(0, 2, 1) if axis == 0 else taps  # channel, column, row of the words
    count, columns, rows = taps.shape
    words = np.pad(taps, ((0, 0), (0, 3 - columns), (0, 4 - rows)))
    tail = np.stack([channels.bias, channels.multiplier, -channels.right], axis=1)
    tail32 = (tail & 0xFFFFFFFF).astype("<u4")
    return np.concatenate(
        [np.ascontiguousarray(words, np.int8).reshape(count, 12), tail32.view(np.int8)], axis=1
    )


def _saves_input(shape: Mapping[str, int], geometry: Mapping[str, Any], axis: int) -> bool:
    """Whether every pixel is in the words before an output is written over it."""
    p, g = shape, geometry
    if g["out_h"] * g["out_w"] > g["in_h"] * g["in_w"]:
        return False
    if p["dilation_row"] > 1 or p["stride_row"] > 2:
        return False
    several = 2 if p["stride_row"] == 1 else 1  # output rows that words serve
    pixel: Array = np.arange(g["out_h"] * g["out_w"])  # that output number n overwrites is n
    row = pixel // g["in_w"] if axis == 0 else pixel % g["in_w"]
    output = pixel // g["out_w"] if axis == 0 else pixel % g["out_w"]
    last = (p["out_rows"] - 1) // several
    read = np.clip((row + p["pad_row"] - 2) // 2, 0, None)  # step at which a row is inserted
    return bool(((read <= output // several) | (read > last)).all())


def _instructions(shape: Mapping[str, int]) -> float:
    """Executed instructions: blocks of four columns, channels, and columns of words."""
    p = shape
    both = p["stride_row"] == 1 and p["dilation_row"] == 1
    steps = -(-p["out_rows"] // (2 if both else 1))
    blocks = -(-p["out_columns"] // 4)
    moves = p["dilation_row"] == 1 and p["stride_row"] <= 2
    middle = min(p["columns"], p["width"])
    fresh, next_one = 15 * middle + 90, (11 if moves else 15) * middle + 60
    groups = -(-p["channels"] // LANES)
    words = groups * (fresh + (steps - 1) * next_one)
    channels = steps * (blocks * (32 if both else 22) + 28)
    channels -= 10 * blocks * (p["out_rows"] % 2) if both else 0
    return float(p["channels"] * channels + words + groups * steps * 50 + 100)
