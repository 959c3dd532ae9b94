"""Convolutions of which most weights are 0: which geometries have kernels, and what they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Kernel, Tensor
from netsuke.ops.requant import Requant
from netsuke.ops.sparse import dsp_lists, is_sparse, portable_lists


def sparse_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels that skip zeros; () where there are few, or where lists take more bytes."""
    g = geometry
    if "avr" in isa or g["groups"] != 1 or not is_sparse(inputs[1]):
        return ()
    reach_h = (g["kernel_h"] - 1) * g["dilation_h"] + 1
    reach_w = (g["kernel_w"] - 1) * g["dilation_w"] + 1
    rows = (g["out_h"] - 1) * g["stride_h"] + reach_h
    columns = (g["out_w"] - 1) * g["stride_w"] + reach_w
    padded = g["pad_top"] or g["pad_left"] or rows > g["in_h"] or columns > g["in_w"]
    pitch = (columns if padded else g["in_w"]) * g["in_c"]
    u, v, c = (np.arange(g[name]) for name in ("kernel_h", "kernel_w", "in_c"))
    offsets = (
        (u * g["dilation_h"] * pitch)[:, None, None]
        + (v * g["dilation_w"] * g["in_c"])[:, None]
        + c
    ).ravel()
    numbers = requant.parameters()
    kept = ("input_zero", "output_zero", "low", "high")
    apart = ("groups", "kernel_h", "kernel_w", "dilation_h", "dilation_w")
    parameters = {
        **{name: value for name, value in g.items() if name not in apart},
        **{name: numbers[name] for name in kept},
        "rows": rows if padded else 0,
        "columns": columns if padded else 0,
    }
    copying = (0.8 * rows * pitch + 60.0 * rows) if padded else 0.0
    pixels, channels, found = g["out_h"] * g["out_w"], g["out_c"], []
    for variant, pack in (("dsp_sparse", dsp_lists), ("sparse", portable_lists)):
        lists = None
        if variant == "sparse" or "dsp" in isa:
            lists = pack(inputs, requant, offsets, 8)
        if lists is None:
            continue
        clamped = numbers["low"] > -128 or numbers["high"] < 127
        if variant == "sparse":
            group, channel = (53.0, 65.0) if "thumb" in isa else (42.0, 33.0)
            work = pixels * (group * lists.groups + channel * channels + 50.0)
        elif pixels < 4:
            work = pixels * (16.0 * lists.groups + 19.0 * channels + 60.0)
        else:
            work = -(-pixels // 4) * (42.0 * lists.groups + 41.0 * channels + 79.0)
        if variant == "dsp_sparse" and clamped:
            work += 11.0 * pixels * channels
        found.append(
            Kernel(
                f"nsk_conv2d_s8_{variant}",
                f"conv2d/conv2d_s8_{variant}.c",
                "nsk_conv2d_sparse",
                parameters,
                constants={1: lists.words, 2: None},
                scratch=rows * pitch if padded else 0,
                instructions=work + copying,
            )
        )
    return tuple(found)
