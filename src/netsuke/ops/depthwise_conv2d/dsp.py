"""Depthwise convolutions on Armv7E-M DSP: where the 3 x 3 kernel serves, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.couples import Channels, dsp_channels
from netsuke.ops.depthwise_conv2d.windows import window_kernels
from netsuke.ops.requant import Requant

BANDS = 4
"""Parts in which a plane is made where scratch is dear."""


def dsp_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on a core with DSP instructions; () where none is exact.

    A plane's rows are the image's rows or its columns, whichever takes fewer instructions. Where
    there are many, a plane made in bands takes less scratch.
    """
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "dsp" not in isa or any(quant.zero_point):
        return ()
    channels = dsp_channels(requant, weights.reshape(-1, weights.shape[2]).T, bias)
    if channels is None:
        return ()
    planes = [choice for axis in (1, 0) if (choice := _plane(geometry, axis))]
    if weights.shape[:2] != (3, 3) or not planes:
        return window_kernels(geometry, requant, channels, weights.shape)
    columns_first, plane = min(planes, key=lambda choice: _instructions(choice[1]))
    kept = ("input_zero", "output_zero", "low", "high")
    numbers = requant.parameters()
    words = _words(channels, columns_first)

    def kernel(plane: dict[str, int], inplace: bool) -> Kernel:
        banded = plane["band"] < plane["out_rows"]
        return Kernel(
            "nsk_depthwise_conv2d_s8_dsp" + ("_bands" if banded else ""),
            "depthwise_conv2d/depthwise_conv2d_s8_dsp.c",
            "nsk_depthwise_conv2d_plane",
            {**plane, **{name: numbers[name] for name in kept}},
            constants={1: words, 2: None},
            scratch=-(-2 * plane["plane_h"] * plane["plane_w"] // 4) * 4,
            inplace=((0, 0),) if inplace else (),
            instructions=_instructions(plane),
        )

    kernels = []
    for shape in (plane, *_banded(plane)):
        if _saves_input(shape, geometry, columns_first):
            kernels.append(kernel(shape, True))
        kernels.append(kernel(shape, False))
    return tuple(kernels)


def _banded(plane: dict[str, int]) -> tuple[dict[str, int], ...]:
    """The same plane made in bands, if it is worth while; the rows that one band keeps of another
    must not reach into those that it keeps them from."""
    reach, stride = 2 * plane["dilation_row"] + 1, plane["stride_row"]
    band = max(-(-plane["out_rows"] // BANDS), -(-reach // stride) - 1)
    if 2 * band > plane["out_rows"]:
        return ()
    return ({**plane, "band": band, "plane_h": (band - 1) * stride + reach},)


def _saves_input(
    plane: Mapping[str, int], geometry: Mapping[str, Any], columns_first: bool
) -> bool:
    """Whether every pixel of a channel is in the plane before an output is written over it."""
    p, g = plane, geometry
    if p["multiplier"] > 1 or g["out_h"] * g["out_w"] > g["in_h"] * g["in_w"]:
        return False
    pixel: Array = np.arange(g["out_h"] * g["out_w"])  # that output number n overwrites is n
    row = pixel % g["in_w"] if columns_first else pixel // g["in_w"]
    output = pixel % g["out_w"] if columns_first else pixel // g["out_w"]
    done = np.minimum((output // p["band"] + 1) * p["band"], p["out_rows"])  # outputs of its band
    copied = (done - 1) * p["stride_row"] + 2 * p["dilation_row"] + 1 - p["pad_row"]
    return bool(((row < copied) | (row >= p["rows"])).all())


def _words(channels: Channels, columns_first: bool) -> Array:
    """Five words a channel, in the order that `depthwise_conv2d_s8_dsp.c` describes."""
    rows = channels.rows.reshape(-1, 3, 3)
    if columns_first:
        rows = rows.transpose(0, 2, 1)
    count = len(rows)
    quads = np.zeros((count, 3, 4), np.int8)
    quads[:, 0] = rows[:, [0, 1, 0, 1], [0, 0, 1, 1]]
    quads[:, 1, 0], quads[:, 1, 1] = rows[:, 2, 0], channels.right
    quads[:, 1, 2], quads[:, 1, 3] = rows[:, 0, 2], rows[:, 1, 2]
    quads[:, 2, 0], quads[:, 2, 2] = rows[:, 2, 1], rows[:, 2, 2]
    words = np.empty((count, 5), np.int64)
    words[:, 0], words[:, 4] = 2 * channels.bias, channels.multiplier
    words[:, 1:4] = quads.view("<i4").reshape(count, 3)
    return (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _plane(geometry: Mapping[str, Any], axis: int) -> tuple[bool, dict[str, int]] | None:
    """The plane whose rows run along an axis of the image (1: image rows), if it serves."""
    g = geometry
    names = (("h", "top"), ("w", "left"))
    (outer, outer_pad), (inner, inner_pad) = names if axis == 1 else names[::-1]
    stride, outputs = g[f"stride_{inner}"], g[f"out_{inner}"]
    if stride > 2 or outputs < 2 or g[f"dilation_{inner}"] != 1:
        return None
    width = outputs + outputs % 2 + 2 if stride == 1 else 2 * outputs + 2
    height = (g[f"out_{outer}"] - 1) * g[f"stride_{outer}"] + 2 * g[f"dilation_{outer}"] + 1
    steps = {"h": g["in_w"] * g["in_c"], "w": g["in_c"]}
    out_steps = {"h": g["out_w"] * g["out_c"], "w": g["out_c"]}
    pads = min(g[f"pad_{outer_pad}"], height), min(g[f"pad_{inner_pad}"], width)
    return axis == 0, {
        "in_c": g["in_c"],
        "multiplier": g["out_c"] // g["in_c"],
        "rows": min(g[f"in_{outer}"], height - pads[0]),
        "columns": min(g[f"in_{inner}"], width - pads[1]),
        "in_row": steps[outer],
        "in_column": steps[inner],
        "out_rows": g[f"out_{outer}"],
        "out_columns": outputs,
        "out_row": out_steps[outer],
        "out_column": out_steps[inner],
        "plane_h": height,
        "plane_w": width,
        "band": g[f"out_{outer}"],
        "pad_row": pads[0],
        "pad_column": pads[1],
        "stride_row": g[f"stride_{outer}"],
        "stride_column": stride,
        "dilation_row": g[f"dilation_{outer}"],
    }


def _instructions(plane: Mapping[str, int]) -> float:
    """Executed instructions: 30 a couple of outputs, 14 a row, 11 four copied pixels, ..."""
    p = plane
    couples, odd = divmod(p["out_columns"], 2)
    row = couples * (30 if p["stride_column"] == 1 else 33) + odd * 17 + 15
    quads, rest = divmod(p["columns"], 4)
    copy = p["rows"] * (quads * 11 + rest // 2 * 5 + rest % 2 * 3 + 10)
    bands = -(-p["out_rows"] // p["band"])
    channel = copy + p["multiplier"] * (p["out_rows"] * row + 60 * bands) + 20
    channel += 0 if bands == 1 else bands * (100 + 3 * p["plane_w"])
    return float(p["in_c"] * channel + 3 * p["plane_h"] * p["plane_w"])
