"""A fully connected layer of several rows is a pointwise convolution of an image of one column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netsuke.ir import Kernel, Tensor
from netsuke.ops.conv2d.folded import folded_kernels
from netsuke.ops.requant import Requant


def column_geometry(shape: Mapping[str, int]) -> dict[str, Any]:
    """The convolution's geometry for `rows` rows of `depth` elements and so many `units`."""
    return {
        "in_h": shape["rows"],
        "in_w": 1,
        "in_c": shape["depth"],
        "out_h": shape["rows"],
        "out_w": 1,
        "out_c": shape["units"],
        "kernel_h": 1,
        "kernel_w": 1,
        "stride_h": 1,
        "stride_w": 1,
        "dilation_h": 1,
        "dilation_w": 1,
        "pad_top": 0,
        "pad_left": 0,
        "groups": 1,
    }


def row_kernels(
    shape: Mapping[str, int],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
) -> tuple[Kernel, ...]:
    """The convolution's portable kernels that may overwrite their input; () where none is exact."""
    if shape["rows"] < 2:
        return ()
    zero = {"weight_zero": shape["weight_zero"]}
    parameters = {**column_geometry(shape), **requant.parameters(), **zero}
    kernels = folded_kernels(parameters, requant, inputs, outputs)
    return tuple(kernel for kernel in kernels if kernel.inplace)
