"""Convolutions on Armv7E-M DSP: which geometries have the kernel, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.conv2d.winograd import winograd_kernels
from netsuke.ops.couples import Channels, couple_words, dsp_channels, pair_order, part_of
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

    They differ in scratch: the fastest keeps a ring of padded rows, which also lets it overwrite
    its input; a strip of a small window may lie on the stack. A pointwise convolution may overwrite
    its input although its output is larger, for it then begins with the last pixel.
    """
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "dsp" not in isa or any(quant.zero_point):
        return ()
    channels = dsp_channels(requant, weights.reshape(len(weights), -1), bias)
    if channels is None:
        return ()
    if geometry["groups"] != 1:
        return (_grouped(geometry, requant, channels),)
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
    strip = 16 * len(order)
    flat = is_flat(geometry)
    fits = outputs[0].size <= inputs[0].size

    def kernel(ring: _Ring | None, inplace: bool, small: bool = False) -> Kernel:
        rows = {"ring": ring.rows, "line": ring.line} if ring else {"ring": 0, "line": 0}
        scratch = strip + (ring.rows * ring.line if ring else 0)
        return Kernel(
            "nsk_conv2d_s8_dsp_small" if small else "nsk_conv2d_s8_dsp",
            SOURCE,
            "nsk_conv2d_packed",
            {**parameters, "flat": int(flat), **rows},
            constants={1: words, 2: None},
            scratch=None if small else -(-scratch // 4) * 4,
            inplace=((0, 0),) if inplace else (),
            instructions=_instructions(geometry, len(order), flat, ring),
        )

    whole = run == geometry["kernel_w"] * geometry["in_c"]
    ring = _ring(geometry) if whole and not flat else None
    inplace = flat or (fits and ring is not None and ring.saves_input)
    kernels = [kernel(ring, True)] if inplace else []
    kernels.append(kernel(ring, False))
    if ring:
        kernels.append(kernel(None, False))
    if len(order) <= SMALL:
        kernels.append(kernel(None, flat, small=True))
    if not whole:
        kernels.insert(0, _grouped(geometry, requant, channels, fits))
    return (*kernels, *winograd_kernels(geometry, requant, channels, weights.shape))


def _grouped(
    geometry: Mapping[str, Any], requant: Requant, channels: Channels, inplace: bool = False
) -> Kernel:
    """The kernel that takes one group after the other, and taps that lie apart along a row."""
    groups = geometry["groups"]
    one = {
        **{name: value for name, value in geometry.items() if name != "groups"},
        "in_c": geometry["in_c"] // groups,
        "out_c": geometry["out_c"] // groups,
    }
    apart = one["dilation_w"] != 1 and one["kernel_w"] != 1
    run = one["in_c"] * (1 if apart else one["kernel_w"])
    order = _order(channels.rows.shape[1], run)
    ring = _ring(one)
    parts = [
        couple_words(part_of(channels, group * one["out_c"], one["out_c"]), order)
        for group in range(groups)
    ]
    numbers = requant.parameters()
    kept = ("input_zero", "output_zero", "low", "high")
    work = _instructions(one, len(order), False, ring)
    work += one["in_h"] * one["in_w"] * (7.0 + one["in_c"])  # pixels are copied one by one
    if apart:
        work += one["out_h"] * one["out_w"] * one["kernel_h"] * (12.0 * one["kernel_w"] + 40) / 4
    return Kernel(
        "nsk_conv2d_s8_dsp_any",
        "conv2d/conv2d_s8_dsp_any.c",
        "nsk_conv2d_packed",
        {
            **one,
            **{name: numbers[name] for name in kept},
            **{"run": run, "pairs": len(order), "flat": 0},
            **{"ring": ring.rows, "line": ring.line, "groups": groups},
        },
        constants={1: np.concatenate(parts), 2: None},
        scratch=-(-(16 * len(order) + ring.rows * ring.line) // 4) * 4,
        inplace=((0, 0),) if inplace and ring.saves_input else (),
        instructions=groups * work,
    )


def _order(depth: int, run: int) -> list[tuple[int, int]]:
    """Pairs of a whole window: those of each run, one run after the other."""
    pairs = pair_order(run)
    return [
        (first + start, second + start if second >= 0 else -1)
        for start in range(0, depth, run)
        for first, second in pairs
    ]


def is_flat(geometry: Mapping[str, Any]) -> bool:
    """Whether output pixel n needs input pixel n and no other."""
    g = geometry
    one = all(g[name] == 1 for name in ("kernel_h", "kernel_w", "stride_h", "stride_w"))
    unpadded = not g["pad_top"] and not g["pad_left"] and g["out_h"] <= g["in_h"]
    return one and unpadded and g["out_w"] == g["in_w"]


@dataclass(frozen=True, slots=True)
class _Ring:
    """Padded input rows that a strip of four outputs sees.

    `saves_input` says that every row is copied before an output is written over it.
    """

    rows: int
    line: int  # bytes
    saves_input: bool


def _ring(geometry: Mapping[str, Any]) -> _Ring:
    g = geometry
    total = g["out_h"] * g["out_w"]
    whole = total - total % 4
    starts: Array = np.array([*range(0, whole, 4), *range(whole, total)], np.int64)
    ends = np.append(starts[1:], total)
    first, last = starts // g["out_w"], (ends - 1) // g["out_w"]
    reach = (g["kernel_h"] - 1) * g["dilation_h"] + 1
    width = (g["out_w"] - 1) * g["stride_w"] + (g["kernel_w"] - 1) * g["dilation_w"] + 1
    line = max(width, g["pad_left"] + g["in_w"]) * g["in_c"]
    copied = np.clip(last * g["stride_h"] + reach - g["pad_top"], 0, g["in_h"])
    free = copied * g["in_w"] * g["in_c"] >= ends * g["out_c"]
    done = copied >= np.minimum(g["in_h"], copied[-1])
    rows = int((last - first).max()) * g["stride_h"] + reach
    return _Ring(max(rows, g["stride_h"]), line, bool((free | done).all()))


def _instructions(geometry: Mapping[str, Any], pairs: int, flat: bool, ring: _Ring | None) -> float:
    """Executed instructions: 13 a pair and couple and strip, 60 a couple, and the widening."""
    g = geometry
    pixels, channels = g["out_h"] * g["out_w"], g["out_c"]
    strips, rest = divmod(pixels, 4)
    couple = 13 * pairs + 60 + 3 * -(-pairs // 16)
    if flat:
        widening = 8 * pairs + 110
    elif ring:
        widening = 8 * pairs + 30 * g["kernel_h"] + 160
    else:
        taps = g["kernel_w"] if g["dilation_w"] == 1 else 1
        words, bytes_behind = divmod(taps * g["in_c"], 4)
        runs = g["kernel_h"] * g["kernel_w"] // taps
        widening = 4 * runs * (142 + 21.5 * words + 36 * (bytes_behind > 0))
    copies = (ring.line + 80) * g["in_h"] if ring else 0
    whole = strips * (couple * ((channels + 1) // 2) + widening)
    return whole + copies + rest * (channels * (5.4 * pairs + 20) + widening / 4)
