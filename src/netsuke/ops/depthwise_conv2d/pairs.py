"""Depthwise convolutions on 32-bit cores without SIMD: where the kernel serves, what it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.depthwise_conv2d.plane import directions, turned
from netsuke.ops.pairs import GROUP, pack_pairs, suits
from netsuke.ops.requant import Requant

ROWS = 5
"""Most rows of a window."""

TAPS = 25
"""Most taps, which are kept on the stack."""


def pair_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node; () where none is exact. The rows of the lines are the image's rows or its
    columns, whichever takes fewer instructions."""
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if not suits(isa) or max(weights.shape[:2]) > ROWS or any(quant.zero_point):
        return ()
    upright = directions(geometry)
    shapes = [(upright, False), (turned(upright), True)]
    shapes.sort(key=lambda choice: _instructions(choice[0], 0.5, isa))
    shape, sideways = shapes[0]
    taps = weights.transpose(2, 1, 0) if sideways else weights.transpose(2, 0, 1)
    words = _words(requant, taps, bias, _in_threes(shape))
    if words is None:
        return ()
    lines = (shape["kernel_h"] - 1) * shape["dilation_h"] + 1
    width = (max(-(-shape["out_w"] // 4), 1) * 4 - 1) * shape["stride_w"]
    width += (shape["kernel_w"] - 1) * shape["dilation_w"] + 1
    kernel = Kernel(
        "nsk_depthwise_conv2d_s8_pairs",
        "depthwise_conv2d/depthwise_conv2d_s8_pairs.c",
        "nsk_depthwise_conv2d_pairs",
        {**shape, "input_zero": requant.input_zero, "lines": lines, "width": width},
        constants={1: words, 2: None},
        scratch=4 * lines * width,
        inplace=((0, 0),) if _saves_input(shape, geometry, sideways, lines) else (),
        instructions=_instructions(shape, float((words[:, 1] & 1).mean()), isa),
    )
    return (kernel,)


def _in_threes(shape: Mapping[str, Any]) -> bool:
    """Whether rows of three taps are added up by the function for them."""
    return bool(shape["kernel_w"] == 3 and shape["dilation_w"] == 1 and shape["stride_w"] <= 2)


def _words(requant: Requant, taps: Array, bias: Array, threes: bool) -> Array | None:
    """A row of words a channel; taps is (k, rows, columns) of the lines."""
    magnitude = np.abs(taps.astype(np.int64))
    columns = taps.shape[2]
    couples = np.pad(magnitude, ((0, 0), (0, 0), (0, columns % 2)))
    couples = couples.reshape(*taps.shape[:2], -1, 2).sum(axis=3)
    if couples.max(initial=0) > GROUP:
        return None
    three = magnitude.sum(axis=2).max(axis=1, initial=0) <= GROUP
    three &= threes
    groups = taps.shape[1] * np.where(three, 1, -(-columns // 2))
    return pack_pairs(requant, taps.reshape(len(taps), -1), bias, three, groups)


def _saves_input(
    shape: Mapping[str, Any], geometry: Mapping[str, Any], sideways: bool, lines: int
) -> bool:
    """Whether every pixel of a channel is in the lines before an output is written over it."""
    p, g = shape, geometry
    if g["in_c"] != g["out_c"] or g["out_h"] * g["out_w"] > g["in_h"] * g["in_w"]:
        return False
    pixel: Array = np.arange(g["out_h"] * g["out_w"])  # that output number n overwrites is n
    row = pixel % g["in_w"] if sideways else pixel // g["in_w"]
    output = pixel % g["out_w"] if sideways else pixel // g["out_w"]
    read = np.maximum(-(-(row + p["pad_top"] - lines + 1) // p["stride_h"]), 0)
    return bool(((read <= output) | (read >= p["out_h"])).all())


def _instructions(shape: Mapping[str, Any], three: float, isa: frozenset[str]) -> float:
    """Executed instructions: four outputs at a time, and the words of every row."""
    p = shape
    if _in_threes(p):
        four = p["kernel_h"] * (46.0 - 10.0 * three) + 100
    else:
        four = p["kernel_h"] * (p["kernel_w"] * 18.0 + 20) + 200
    if "thumb" not in isa:
        four *= 0.85
    rows = p["out_h"] * min(p["stride_h"], p["kernel_h"]) + p["kernel_h"] - p["stride_h"]
    line = 9.5 * p["in_w"] + 25 * (p["pad_left"] + p["stride_w"]) + 75
    row = 75 + (60 if p["out_w"] % 4 else 0) + 14 * p["kernel_h"]
    channel = p["out_h"] * (-(-p["out_w"] // 4) * four + row) + rows * line + 220
    return float(p["out_c"] * channel)
