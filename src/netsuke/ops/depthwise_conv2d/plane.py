"""Depthwise convolutions in portable C, one channel's plane at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.requant import Requant, folded_bias


def plane_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """The kernel for weights with zero point 0; () where it is not exact.

    It may overwrite its input: a channel's plane is complete in scratch before its first output.
    """
    (x, weights, _), (y,) = inputs, outputs
    assert weights.data is not None
    bias = folded_bias(inputs, requant, 2, 128)
    if bias is None:
        return ()
    upright = directions(geometry)
    shape = min((upright, turned(upright)), key=_instructions)
    order = (2, 0, 1) if shape is upright else (2, 1, 0)
    extents = [
        (shape[f"out_{axis}"] - 1) * shape[f"stride_{axis}"]
        + (shape[f"kernel_{axis}"] - 1) * shape[f"dilation_{axis}"]
        + 1
        for axis in "hw"
    ]
    in_place = x.shape[2] == y.shape[2] and y.size <= x.size
    return (
        Kernel(
            "nsk_depthwise_conv2d_s8_plane",
            "depthwise_conv2d/depthwise_conv2d_s8_plane.c",
            "nsk_depthwise_conv2d_bytes",
            {**shape, **requant.parameters()},
            constants={1: _dense(weights.data.transpose(order)), 2: bias},
            scratch=extents[0] * extents[1],
            inplace=((0, 0),) if in_place else (),
            instructions=_instructions(shape) * (1.3 if "thumb2" in isa else 1.0),
        ),
    )


def _dense(array: Array) -> Array:
    return np.ascontiguousarray(array)


def directions(geometry: Mapping[str, Any]) -> dict[str, int]:
    """The geometry with the bytes from one row and column to the next."""
    g = geometry
    return {
        **g,
        "in_down": g["in_w"] * g["in_c"],
        "in_right": g["in_c"],
        "out_down": g["out_w"] * g["out_c"],
        "out_right": g["out_c"],
    }


def turned(shape: Mapping[str, int]) -> dict[str, int]:
    """The same convolution with rows and columns exchanged."""
    names = ("in", "out", "kernel", "stride", "dilation")
    swap = {f"{name}_h": f"{name}_w" for name in names}
    swap |= {"pad_top": "pad_left", "in_down": "in_right", "out_down": "out_right"}
    swap |= {right: left for left, right in swap.items()}
    return {name: shape[swap.get(name, name)] for name in shape}


def _instructions(shape: Mapping[str, int]) -> float:
    """Executed instructions: outputs come four a time along a row, the rest one by one."""
    taps = shape["kernel_h"] * shape["kernel_w"]
    three = shape["kernel_w"] == 3 and shape["stride_w"] == shape["dilation_w"] == 1
    four = (7.0 if three else 11.0) * taps + 130.0
    one = 7.0 * taps + 60.0
    quads, rest = divmod(shape["out_w"], 4)
    copied = 5.0 * shape["in_h"] * shape["in_w"] * shape["in_c"]
    return shape["out_c"] * shape["out_h"] * (quads * four + rest * one + 15.0) + copied
