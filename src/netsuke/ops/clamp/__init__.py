"""The clamp: ReLU, ReLU6 and every other activation that only cuts off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Clamp(Unary):
    """y = min(max(x, low), high); a ReLU is ``Clamp(low=0)``."""

    low: float = -math.inf
    high: float = math.inf

    def real(self, x: Array) -> Array:
        return np.clip(x, self.low, self.high)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"low": self.low, "high": self.high}

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.clamp(x, self.low, self.high)
