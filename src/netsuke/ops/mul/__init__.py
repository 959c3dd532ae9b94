"""Multiplication."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.binary import Binary, Parameters
from netsuke.ops.fixed_point import quantize_multiplier, requantize_away


@dataclass(frozen=True, slots=True)
class Mul(Binary):
    """y = clamp(a · b), with NumPy's broadcasting."""

    low: float = -math.inf
    high: float = math.inf

    def real(self, a: Array, b: Array) -> Array:
        return a * b

    def _factor(self, quants: Sequence[Quant]) -> tuple[int, int]:
        """scale_a · scale_b / scale_y, in float32 as in LiteRT."""
        a, b, y = (np.float32(quant.scale[0]) for quant in quants)
        return quantize_multiplier(float(a * b / y))

    def stored(self, quants: Sequence[Quant], a: Array, b: Array) -> Array:
        product = (a - quants[0].zero_point[0]) * (b - quants[1].zero_point[0])
        return requantize_away(product, *self._factor(quants)) + quants[2].zero_point[0]

    def stored_parameters(self, quants: Sequence[Quant]) -> Parameters:
        multiplier, shift = self._factor(quants)
        zeros = {f"zero_{k}": q.zero_point[0] for k, q in zip("aby", quants, strict=True)}
        return {**zeros, "multiplier": multiplier, "shift": shift}

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return a * b
