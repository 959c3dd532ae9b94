"""The rectifier with a slope below zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.fixed_point import requantize_away
from netsuke.ops.unary import STORED, Unary, ratio_multiplier


@dataclass(frozen=True, slots=True)
class LeakyRelu(Unary):
    """y = x for x >= 0, alpha · x below."""

    alpha: float = 0.01

    def real(self, x: Array) -> Array:
        return np.where(x >= 0, x, np.float32(self.alpha) * x)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"alpha": self.alpha}

    def table(self, source: Quant, target: Quant) -> Array:
        """By fixed-point factors for either side, as LiteRT does."""
        centred = STORED - source.zero_point[0]
        sign = -1 if self.alpha < 0 else 1
        right = requantize_away(centred, *ratio_multiplier(source, target))
        left = sign * requantize_away(centred, *ratio_multiplier(source, target, abs(self.alpha)))
        values = np.where(centred >= 0, right, left) + target.zero_point[0]
        return np.clip(values, -128, 127).astype(np.int8)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.leaky_relu(x, self.alpha)
