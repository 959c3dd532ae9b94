"""The logistic function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Sigmoid(Unary):
    """y = 1 / (1 + e^-x)."""

    def real(self, x: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-x.astype(np.float64)))

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.sigmoid(x)
