"""Depthwise convolutions with any window on Armv7E-M DSP: what their kernel is given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel
from netsuke.ops.couples import Channels
from netsuke.ops.requant import Requant

STEPS = 8
"""Most words of a row of taps."""

BANDS = 4
"""Parts in which a plane is made where scratch is dear."""


def window_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    channels: Channels,
    shape: tuple[int, ...],
) -> tuple[Kernel, ...]:
    """Kernels for a window of any size; () where a row of taps is too long.

    The plane's rows are the image's rows or its columns, whichever takes fewer instructions.

    Parameters
    ----------
    geometry
        Of the convolution.
    requant, channels
        Its integers, for which the DSP requantization is exact.
    shape
        Of the weights, ``(kernel_h, kernel_w, k)``.
    """
    upright = _plane(geometry, "h", "w")
    choices = [(upright, False), (_plane(geometry, "w", "h"), True)]
    choices = [choice for choice in choices if choice[0]["steps"] <= STEPS]
    if not choices:
        return ()
    plane, turned = min(choices, key=lambda choice: _instructions(choice[0]))
    names = ("input_zero", "output_zero", "low", "high")
    numbers = requant.parameters()
    words = _words(channels, shape, turned)
    same = geometry["in_c"] == geometry["out_c"]
    fits = geometry["out_h"] * geometry["out_w"] <= geometry["in_h"] * geometry["in_w"]

    def kernel(plane: dict[str, int], inplace: bool) -> Kernel:
        pairs = plane["taps_row"] * plane["steps"] * (1 + (plane["apart"] == 1))
        scratch = 4 * pairs + 2 * plane["plane_h"] * plane["plane_w"]
        return Kernel(
            "nsk_depthwise_conv2d_s8_dsp_any",
            "depthwise_conv2d/depthwise_conv2d_s8_dsp_any.c",
            "nsk_depthwise_conv2d_phases",
            {**plane, **{name: numbers[name] for name in names}},
            constants={1: words, 2: None},
            scratch=-(-scratch // 4) * 4,
            inplace=((0, 0),) if inplace else (),
            instructions=_instructions(plane),
        )

    kernels = [kernel(plane, same and fits)]
    band = -(-plane["out_rows"] // BANDS)
    height = _height(plane, band)
    if 2 * height <= plane["plane_h"]:  # rows that several bands see are copied for each
        kernels.append(kernel({**plane, "band": band, "plane_h": height}, False))
    return tuple(kernels)


def _height(plane: Mapping[str, int], outputs: int) -> int:
    """Rows of the plane that so many rows of outputs see."""
    reach = (plane["taps_row"] - 1) * plane["dilation_row"] + 1
    return (outputs - 1) * plane["stride_row"] + reach


def _plane(geometry: Mapping[str, Any], row: str, column: str) -> dict[str, int]:
    """The plane whose rows lie along an axis of the image (``w``: the image's rows)."""
    g = geometry
    pads = {"h": g["pad_top"], "w": g["pad_left"]}
    in_steps = {"h": g["in_w"] * g["in_c"], "w": g["in_c"]}
    out_steps = {"h": g["out_w"] * g["out_c"], "w": g["out_c"]}
    stride, dilation, taps = (g[f"{name}_{column}"] for name in ("stride", "dilation", "kernel"))
    common = math.gcd(stride, dilation)
    classes, apart = dilation // common, stride // common
    steps = taps // 2 + 1 if apart == 1 else -(-taps // 2)
    # Outputs are made four at a time: the last ones may see what no output needs.
    outputs = -(-g[f"out_{column}"] // classes)
    fours = -(-outputs // 4) * 4
    seen = (classes - 1) * stride // dilation + (fours - 1) * apart + 2 * steps
    phase = seen + seen % 2
    plane = {
        "in_c": g["in_c"],
        "multiplier": g["out_c"] // g["in_c"],
        "in_row": in_steps[row],
        "in_column": in_steps[column],
        "out_rows": g[f"out_{row}"],
        "out_columns": g[f"out_{column}"],
        "out_row": out_steps[row],
        "out_column": out_steps[column],
        "plane_w": phase * dilation,
        "band": g[f"out_{row}"],
        "stride_row": g[f"stride_{row}"],
        "stride_column": stride,
        "dilation_row": g[f"dilation_{row}"],
        "dilation_column": dilation,
        "taps_row": g[f"kernel_{row}"],
        "taps_column": taps,
        "steps": steps,
        "classes": classes,
        "apart": apart,
        "phase_w": phase,
    }
    height = _height(plane, plane["out_rows"])
    pad_row, pad_column = min(pads[row], height), min(pads[column], plane["plane_w"])
    return plane | {
        "plane_h": height,
        "pad_row": pad_row,
        "pad_column": pad_column,
        "rows": min(g[f"in_{row}"], height - pad_row),
        "columns": min(g[f"in_{column}"], plane["plane_w"] - pad_column),
    }


def _words(channels: Channels, shape: tuple[int, ...], turned: bool) -> Array:
    """Rows of words, one a channel, as `depthwise_conv2d_s8_dsp_any.c` describes them (int32)."""
    count = len(channels.rows)
    taps = channels.rows.reshape(count, *shape[:2])
    taps = (taps.transpose(0, 2, 1) if turned else taps).reshape(count, -1)
    taps = np.pad(taps, ((0, 0), (0, -taps.shape[1] % 4)))
    packed = np.ascontiguousarray(taps, np.int8).view("<i4").reshape(count, -1)
    head = np.stack([2 * channels.bias, channels.multiplier, channels.right], axis=1)
    table = np.concatenate([head, packed.astype(np.int64)], axis=1)
    return (table & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _instructions(plane: Mapping[str, int]) -> float:
    """Executed instructions: 6 or 9 a step of four outputs, 6 a row of taps, 32 a four, ..."""
    p = plane
    shared = p["apart"] == 1
    four = p["taps_row"] * (p["steps"] * (6 if shared else 9) + 6) + 32.0
    fours, rest = divmod(-(-p["out_columns"] // p["classes"]), 4)
    row = p["classes"] * (fours * four + (fours > 0) * 42.0 + (rest > 0) * (four + 95.0))
    bands = -(-p["out_rows"] // p["band"])
    rows = min(
        p["rows"] + (bands - 1) * (p["plane_h"] - p["band"] * p["stride_row"]), 4 * p["rows"]
    )
    copy = rows * (2.7 * p["columns"] + 24.0 * p["dilation_column"])
    fill = 3.0 * p["plane_h"] * p["plane_w"]
    pairs = p["taps_row"] * (p["steps"] * (27 if shared else 18) + 8) + 140.0
    channel = 150.0 + copy + p["multiplier"] * (p["out_rows"] * row + bands * pairs)
    channel += 2 * fill if bands > 1 else 0.0
    return float(p["in_c"] * channel + fill)
