"""The Gaussian error linear unit (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Gelu(Unary):
    """y = x · (1 + erf(x / √2)) / 2, or its approximation by tanh.

    Attributes
    ----------
    approximate
        Compute x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2 instead.
    """

    approximate: bool = False

    def real(self, x: Array) -> Array:
        wide = x.astype(np.float64)
        if self.approximate:
            inner = math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)
            return 0.5 * wide * (1.0 + np.tanh(inner))
        erf = np.array([math.erf(v) for v in (wide / math.sqrt(2)).ravel()]).reshape(wide.shape)
        return 0.5 * wide * (1.0 + erf)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"approximate": int(self.approximate)}

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.gelu(x, approximate="tanh" if self.approximate else "none")
