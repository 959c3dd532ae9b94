"""The piecewise linear sigmoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class HardSigmoid(Unary):
    """y = clamp(alpha · x + beta, 0, 1)."""

    alpha: float = 1 / 6
    beta: float = 0.5

    def real(self, x: Array) -> Array:
        return np.clip(np.float32(self.alpha) * x + np.float32(self.beta), 0, 1)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"alpha": self.alpha, "beta": self.beta}

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.clamp(self.alpha * x + self.beta, 0.0, 1.0)
