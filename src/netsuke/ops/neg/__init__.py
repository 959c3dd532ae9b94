"""The negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.fixed_point import requantize_away
from netsuke.ops.unary import STORED, Unary, ratio_multiplier


@dataclass(frozen=True, slots=True)
class Neg(Unary):
    """y = -x."""

    def real(self, x: Array) -> Array:
        return -x

    def table(self, source: Quant, target: Quant) -> Array:
        """By a fixed-point factor. (LiteRT negates stored values and disregards zero points.)"""
        negative = source.zero_point[0] - STORED
        scaled = requantize_away(negative, *ratio_multiplier(source, target))
        return np.clip(scaled + target.zero_point[0], -128, 127).astype(np.int8)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return -x
