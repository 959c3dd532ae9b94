"""Tensors as rows along one axis: how softmax and its kin see them, in Python and in C."""

from __future__ import annotations

import math

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Quant, Tensor
from netsuke.ops.broadcast import normal_axis

SMALLEST_SCALE = 2.0**-20


def row_parameters(x: Tensor, axis: int) -> dict[str, int | float | Array]:
    """The fields `outer`, `depth` and `inner`: element j of row (o, i) is at
    (o · depth + j) · inner + i."""
    axis = normal_axis(x.name, axis, len(x.shape))
    return {
        "outer": math.prod(x.shape[:axis]),
        "depth": x.shape[axis],
        "inner": math.prod(x.shape[axis + 1 :]),
    }


def power_table(source: Quant, beta: float) -> Array:
    """e^(-beta · scale · d) for the distances d = 0 .. 255 of stored values, as LiteRT's table.

    The exponent is rounded to float32, then the power is.
    """
    scale = np.float32(source.scale[0]) * np.float32(beta)
    exponents = -scale * np.arange(256, dtype=np.float32)
    with np.errstate(under="ignore"):
        return np.exp(exponents.astype(np.float64)).astype(np.float32)


def row_sums(powers: Array) -> Array:
    """Sums along the last axis, added up in float32 from the first element to the last."""
    return np.add.accumulate(powers, axis=-1, dtype=np.float32)[..., -1:]


def check_output_scale(output: Tensor, quant: Quant) -> None:
    """Refuse scales for which a kernel's float result could exceed int32.

    Raises
    ------
    QuantizationError
        When the scale is below 2^-20.
    """
    if quant.scale[0] < SMALLEST_SCALE:
        raise QuantizationError(
            output.name, f"scale {quant.scale[0]:g} is below 2^-20; probabilities need 1/256"
        )
