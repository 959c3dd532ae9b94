"""The absolute value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.fixed_point import requantize_away
from netsuke.ops.unary import STORED, Unary, ratio_multiplier


@dataclass(frozen=True, slots=True)
class Abs(Unary):
    """y = |x|."""

    def real(self, x: Array) -> Array:
        return np.abs(x)

    def table(self, source: Quant, target: Quant) -> Array:
        """By a fixed-point factor, as LiteRT does."""
        size = np.abs(STORED - source.zero_point[0])
        scaled = requantize_away(size, *ratio_multiplier(source, target)) + target.zero_point[0]
        return np.clip(scaled, -128, 127).astype(np.int8)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.abs(x)
