"""Convolutions on Armv7E-M DSP: which geometries have the kernel, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.couples import couple_words, dsp_channels, pair_order
from netsuke.ops.requant import Requant

SOURCE = "conv2d/conv2d_s8_dsp.c"
SMALL = 16
"""Pairs up to which the strip may lie on the stack."""


def dsp_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on a core with DSP instructions; () where none is exact.

    Several differ in scratch: a kernel that may overwrite its input keeps the input rows that it
    still needs in a ring; a strip of a small window may lie on the stack.
    """
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "dsp" not in isa or geometry["groups"] != 1 or any(quant.zero_point):
        return ()
    channels = dsp_channels(requant, weights.reshape(len(weights), -1), bias)
    if channels is None:
        return ()
    taps = geometry["kernel_w"] if geometry["dilation_w"] == 1 else 1
    run = taps * geometry["in_c"]
    order = _order(channels.rows.shape[1], run)
    words = couple_words(channels, order)
    kept = ("groups", "input_zero", "output_zero", "low", "high")
    parameters = {
        **{name: value for name, value in geometry.items() if name != kept[0]},
        **{name: value for name, value in requant.parameters().items() if name in kept},
        "run": run,
        "pairs": len(order),
    }
    work = _instructions(geometry, len(order))
    kernels = []
    strip = 16 * len(order)
    ring = ring_rows(geometry) if outputs[0].size <= inputs[0].size else None

    def kernel(function: str, rows_kept: int, scratch: int | None, inplace: bool) -> Kernel:
        return Kernel(
            function,
            SOURCE,
            "nsk_conv2d_packed",
            {**parameters, "ring": rows_kept},
            constants={1: words, 2: None},
            scratch=scratch,
            inplace=((0, 0),) if inplace else (),
            instructions=work,
        )

    if ring is not None:
        row = geometry["in_w"] * geometry["in_c"]
        kernels.append(kernel("nsk_conv2d_s8_dsp", ring, strip + ring * row, True))
    if len(order) <= SMALL:
        kernels.append(kernel("nsk_conv2d_s8_dsp_small", 0, None, ring == 0))
    if ring != 0:
        kernels.append(kernel("nsk_conv2d_s8_dsp", 0, strip, False))
    return tuple(kernels)


def _order(depth: int, run: int) -> list[tuple[int, int]]:
    """Pairs of a whole window: those of each run, one run after the other."""
    pairs = pair_order(run)
    return [
        (first + start, second + start if second >= 0 else -1)
        for start in range(0, depth, run)
        for first, second in pairs
    ]


def ring_rows(geometry: Mapping[str, Any]) -> int:
    """Input rows that have to be saved from being overwritten when y starts at x.

    Outputs are written four pixels at a time, after their windows were read. A row is saved when
    its first byte is about to be overwritten, and needed until the last window that sees it.
    """
    g = geometry
    row_bytes, total = g["in_w"] * g["in_c"], g["out_h"] * g["out_w"]
    strips = range(0, total - total % 4, 4), range(total - total % 4, total)
    starts: Array = np.array([*strips[0], *strips[1]], np.int64)
    ends = np.append(starts[1:], total)
    saved = np.minimum(-(-ends * g["out_c"] // row_bytes), g["in_h"])
    after = np.minimum(ends, total - 1) // g["out_w"]  # output row of the next window
    needed = np.maximum(after * g["stride_h"] - g["pad_top"], 0)
    kept: int = int((saved - needed)[:-1].max(initial=0))
    one_row = g["kernel_h"] == g["kernel_w"] == g["stride_h"] == g["stride_w"] == 1
    if one_row and not g["pad_top"] and not g["pad_left"] and g["out_w"] == g["in_w"]:
        return 0  # every pixel is read before it, or a later one, is overwritten
    return max(kept, 1)


def _instructions(geometry: Mapping[str, Any], pairs: int) -> float:
    """Executed instructions: 13 a pair and couple and strip, 60 a couple, and the widening."""
    pixels, channels = geometry["out_h"] * geometry["out_w"], geometry["out_c"]
    strips, rest = divmod(pixels, 4)
    couple = 13 * pairs + 60 + 3 * -(-pairs // 16)
    widening = 8 * pairs + 25 * geometry["kernel_h"] + 60
    return strips * (couple * ((channels + 1) // 2) + widening) + rest * 4.0 * pairs * channels
