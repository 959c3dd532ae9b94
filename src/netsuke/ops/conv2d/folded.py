"""Convolutions in portable C whose bias holds the input zero point's share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.requant import Requant, folded_bias

ROWS = 16
"""Most rows of a kernel; ``NSK_CONV2D_ROWS`` in C."""

WINDOW = 160
"""Largest window (bytes) of which two may lie on the stack; ``NSK_CONV2D_WINDOW`` in C."""


def folded_kernels(
    parameters: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
) -> tuple[Kernel, ...]:
    """Kernels for weights with zero point 0; () where they are not exact.

    They differ in scratch. One needs none. Windows that are more than a pixel, or reach into the
    padding, are faster by way of a strip, which may lie on the stack when it is small. Kernels that
    may overwrite their input keep, in a ring, the input rows that they still need; a pointwise one
    whose output is larger keeps one row and walks backward.
    """
    (x, weights, _), (y,) = inputs, outputs
    bias = folded_bias(inputs, requant, 0)
    if bias is None or parameters["kernel_h"] > ROWS:
        return ()
    depth = math.prod(weights.shape[1:])
    pointwise = _is_pointwise(parameters)
    flat = pointwise and parameters["stride_h"] == parameters["stride_w"] == 1
    if flat:
        parameters = {**parameters, **_lines(parameters["in_h"] * parameters["in_w"])}
    rings = [0]
    ring = ring_rows(parameters)
    if y.size <= x.size and ring * parameters["in_w"] * parameters["in_c"] < x.size:
        rings.append(ring)
    if pointwise:
        work = y.elements * (2.5 * depth + 50.0)
        kernels = [_direct(parameters, bias, kept, work) for kept in rings]
        if flat and y.size > x.size:
            back = _direct(parameters, bias, 1, work)
            kernels.append(replace(back, function="nsk_conv2d_s8_folded_back"))
        return tuple(kernels)
    each = 2.5 * depth + 21.0 * (parameters["kernel_h"] + 1)
    kernels = [_direct(parameters, bias, 0, y.elements * each)]
    work = y.elements * (2.5 * depth + 50.0) + 60.0 * depth
    window = parameters["kernel_h"] * parameters["kernel_w"] * parameters["in_c"]
    if window <= WINDOW:
        kernels.append(_strip(parameters, bias, 0, None, work))
    kernels += [_strip(parameters, bias, kept, 2 * window, work) for kept in rings]
    return tuple(kernels)


def _is_pointwise(geometry: Mapping[str, Any]) -> bool:
    """Whether every window is one pixel of the image."""
    g = geometry
    return all(
        g[f"kernel_{axis}"] == 1
        and g[f"pad_{before}"] == 0
        and (g[f"out_{axis}"] - 1) * g[f"stride_{axis}"] < g[f"in_{axis}"]
        for axis, before in (("h", "top"), ("w", "left"))
    )


def _lines(pixels: int) -> dict[str, int]:
    """Another shape for an image whose pixels are independent: lines of an even number of pixels,
    for two are computed at a time, and short, for a line is kept when y overwrites x."""
    widths = [width for width in range(1, pixels + 1) if pixels % width == 0]
    width = min(widths, key=lambda width: (width < min(8, pixels), width % 2, width))
    height = pixels // width
    return {"in_h": height, "in_w": width, "out_h": height, "out_w": width}


def _direct(parameters: Mapping[str, Any], bias: Array, ring: int, work: float) -> Kernel:
    """Inner products with the image itself; with the zero point subtracted at the border."""
    row = parameters["in_w"] * parameters["in_c"]
    return Kernel(
        "nsk_conv2d_s8_folded_ring" if ring else "nsk_conv2d_s8_folded",
        "conv2d/conv2d_s8_folded.c",
        "nsk_conv2d",
        {**parameters, "folded": bias, "ring": ring},
        scratch=ring * row if ring else None,
        inplace=((0, 0),) if ring else (),
        instructions=work + ring,
    )


def _strip(
    parameters: Mapping[str, Any], bias: Array, ring: int, strip: int | None, work: float
) -> Kernel:
    """Inner products with a copy of the window, on the stack when `strip` is None."""
    row = parameters["in_w"] * parameters["in_c"]
    return Kernel(
        "nsk_conv2d_s8_strip_small" if strip is None else "nsk_conv2d_s8_strip",
        "conv2d/conv2d_s8_strip.c",
        "nsk_conv2d",
        {**parameters, "ring": ring},
        constants={2: bias},
        scratch=None if strip is None else ring * row + strip,
        inplace=((0, 0),) if ring else (),
        instructions=work + ring,
    )


def ring_rows(geometry: Mapping[str, Any]) -> int:
    """Input rows that have to be kept when y starts at x.

    Before a row of outputs is written, all rows that it overwrites are saved; a row is needed as
    long as a window sees it.
    """
    g = geometry
    i: Array = np.arange(g["out_h"])
    written = (i + 1) * g["out_w"] * g["out_c"]
    saved = np.minimum(-(-written // (g["in_w"] * g["in_c"])), g["in_h"])
    needed = np.maximum(i * g["stride_h"] - g["pad_top"], 0)
    return max(int((saved - needed).max()), 1)
