"""Exact integer Winograd convolutions on Armv7E-M DSP: where they serve, and what they are given.

A tile of m x m outputs takes (m + 2)² products a channel instead of 9 m²: 2.25 times fewer for
F(2 x 2, 3 x 3), 4 times fewer for F(4 x 4, 3 x 3), for weights of int16 that are 3.6 or 8 times as
large as the int8 ones (Lavin & Gray 2016, arXiv:1509.09308). All arithmetic is in integers modulo
2^32, and equal to the direct convolution bit for bit; see `conv2d_winograd.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel
from netsuke.ops.couples import Channels, pair_order
from netsuke.ops.requant import Requant

FILTERS = {
    2: np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int64),
    4: np.array([[3, 0, 0], [-1, -1, -1], [-1, 1, -1], [1, 2, 4], [1, -2, 4], [0, 0, 3]], np.int64),
}
"""Tile -> the integer matrix G of the filter's transform U = G g Gᵀ; |U| <= 49 · 128 in int16."""

FACTOR = {2: 4, 4: 64}
"""Tile -> how many times larger than a sum of products the numbers are that must fit in int32."""


def winograd_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    channels: Channels,
    shape: tuple[int, ...],
) -> tuple[Kernel, ...]:
    """Kernels for a 3 x 3 convolution of stride 1; () where none is exact.

    Parameters
    ----------
    geometry
        Of the convolution.
    requant, channels
        Its integers, for which the DSP requantization is exact.
    shape
        Of the weights, ``(k, 3, 3, c)``.
    """
    g = geometry
    ones = ("stride_h", "stride_w", "dilation_h", "dilation_w", "groups")
    if shape[1:3] != (3, 3) or any(g[name] != 1 for name in ones):
        return ()
    weights = channels.rows.reshape(shape).astype(np.int64)
    largest = int(np.abs(weights).sum(axis=(1, 2, 3)).max(initial=0)) * 128
    return tuple(
        kernel
        for tile in (4, 2)
        if largest * FACTOR[tile] < 1 << 31
        for kernel in _kernels(g, requant, channels, weights, tile)
    )


def _kernels(
    geometry: Mapping[str, Any], requant: Requant, channels: Channels, weights: Array, tile: int
) -> tuple[Kernel, ...]:
    g = geometry
    pairs = pair_order(g["in_c"])
    points = (tile + 2) ** 2
    rows, columns = -(-g["out_h"] // tile), -(-g["out_w"] // tile)
    band = min(rows, -(-4 // columns))
    line = (columns * tile + 2) * g["in_c"]
    numbers = requant.parameters()
    names = ("in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "pad_top", "pad_left")
    parameters = {
        **{name: g[name] for name in names},
        **{name: numbers[name] for name in ("input_zero", "output_zero", "low", "high")},
        "pairs": len(pairs),
        "columns": columns,
        "band": band,
        "line": line,
    }
    scratch = 16 * points * len(pairs) + 32 * points + (band * tile + 2) * line

    def kernel(inplace: bool) -> Kernel:
        return Kernel(
            f"nsk_conv2d_s8_dsp_winograd{tile}",
            f"conv2d/conv2d_s8_dsp_winograd{tile}.c",
            "nsk_conv2d_winograd",
            parameters,
            constants={1: _words(channels, weights, tile, pairs), 2: None},
            scratch=-(-scratch // 4) * 4,
            inplace=((0, 0),) if inplace else (),
            instructions=_instructions(parameters, tile),
        )

    return (kernel(_saves_input(parameters, tile)),)


def _words(channels: Channels, weights: Array, tile: int, pairs: list[tuple[int, int]]) -> Array:
    """Rows of words, one a couple of channels, as `conv2d_winograd.h` describes them (int32)."""
    odd = len(weights) % 2
    # Exact in float32, and fast: no number exceeds 49 · 128.
    g, padded = (
        array.astype(np.float32)
        for array in (FILTERS[tile], np.pad(weights, ((0, odd), (0, 0), (0, 0), (0, 1))))
    )
    spread = np.tensordot(g, np.tensordot(g, padded, (1, 1)), (1, 2))  # j, i, k, c
    spread = spread.transpose(2, 1, 0, 3).reshape(len(padded), len(g) ** 2, -1)
    order = [channel for pair in pairs for channel in pair]
    lanes = np.ascontiguousarray(spread[..., order], "<i2").view("<i4")
    couples = np.stack([lanes[0::2], lanes[1::2]], axis=-1).reshape(len(padded) // 2, -1)
    bias, multiplier, right = (
        np.pad(field, (0, odd)) for field in (channels.bias, channels.multiplier, channels.right)
    )
    head = [
        2 * bias.reshape(-1, 2),
        (right[0::2] | right[1::2] << 8)[:, None],
        multiplier.reshape(-1, 2),
    ]
    packed = np.concatenate([*head, couples.astype(np.int64)], axis=1)
    return (packed & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _saves_input(p: Mapping[str, int], tile: int) -> bool:
    """Whether every input row is copied before an output is written over it."""
    height = p["band"] * tile
    done = np.minimum(np.arange(height, p["out_h"] + height, height), p["out_h"])
    loaded = np.clip(-(-done // height) * height + 2 - p["pad_top"], 0, p["in_h"])
    last = min(p["in_h"], max(0, int(loaded[-1])))
    free = loaded * p["in_w"] * p["in_c"] >= done * p["out_w"] * p["out_c"]
    return bool((free | (loaded >= last)).all())


_COSTS = {2: (16, 130.0, 103.0), 4: (36, 515.0, 372.0)}
"""Tile -> points, instructions of the transforms of a pair and of an output channel of a tile."""


def _instructions(p: Mapping[str, int], tile: int) -> float:
    """Executed instructions: 11 a pair, couple, point and four tiles, and the transforms."""
    points, forward, inverse = _COSTS[tile]
    rows = -(-p["out_h"] // tile)
    tiles, groups, left = rows * p["columns"], 0, rows
    while left > 0:
        groups += -(-min(left, p["band"]) * p["columns"] // 4)
        left -= p["band"]
    couples = -(-p["out_c"] // 2)
    point = 11 * p["pairs"] + 14 + 3 * -(-p["pairs"] // 16)
    loads = 0.8 * p["line"] * rows * tile
    forward = p["pairs"] * forward + (15.0 * points if p["in_c"] % 4 else 0.0)
    return (
        groups * couples * (points * point + 60.0)
        + tiles * (forward + p["out_c"] * inverse)
        + loads
    )
