"""The rectifier with a learned slope below zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Quant, Tensor, TensorType
from netsuke.ops.binary import Binary, Parameters
from netsuke.ops.broadcast import broadcast_shape
from netsuke.ops.fixed_point import requantize_away
from netsuke.ops.unary import ratio_multiplier


@dataclass(frozen=True, slots=True)
class Prelu(Binary):
    """y = x for x >= 0, slope · x below.

    Inputs: x of any shape, slope (a constant that broadcasts to x).
    """

    clamps: ClassVar[bool] = False
    monotone: ClassVar[bool] = False

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, slope = inputs
        if broadcast_shape(x.name, x.shape, slope.shape) != x.shape:
            raise GraphError(
                x.name, f"the slope {list(slope.shape)} does not broadcast to {list(x.shape)}"
            )
        return Binary.infer(self, inputs)

    def real(self, a: Array, b: Array) -> Array:
        return np.where(a >= 0, a, b * a)

    def stored(self, quants: Sequence[Quant], a: Array, b: Array) -> Array:
        x, slope, y = quants
        centred = a - x.zero_point[0]
        above = requantize_away(centred, *ratio_multiplier(x, y))
        below = requantize_away(
            centred * (b - slope.zero_point[0]), *ratio_multiplier(x, y, slope.scale[0])
        )
        return np.where(centred >= 0, above, below) + y.zero_point[0]

    def stored_parameters(self, quants: Sequence[Quant]) -> Parameters:
        x, slope, y = quants
        multiplier_above, shift_above = ratio_multiplier(x, y)
        multiplier_below, shift_below = ratio_multiplier(x, y, slope.scale[0])
        return {
            "zero_x": x.zero_point[0],
            "zero_slope": slope.zero_point[0],
            "zero_y": y.zero_point[0],
            "multiplier_above": multiplier_above,
            "shift_above": shift_above,
            "multiplier_below": multiplier_below,
            "shift_below": shift_below,
        }

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return torch.where(a >= 0, a, b * a)
