"""The rectifier with a slope below zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class LeakyRelu(Unary):
    """y = x for x >= 0, alpha · x below."""

    alpha: float = 0.01

    def real(self, x: Array) -> Array:
        return np.where(x >= 0, x, np.float32(self.alpha) * x)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"alpha": self.alpha}

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.leaky_relu(x, self.alpha)
