"""The Gaussian error linear unit (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.unary import Unary, real_table


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

    def table(self, source: Quant, target: Quant) -> Array:
        """The int8 meaning, in the steps and the precision of LiteRT's own table."""
        return real_table(self._in_float32, source, target)

    def _in_float32(self, x: Array) -> Array:
        half, one = np.float32(0.5), np.float32(1.0)
        if self.approximate:
            inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
            # The hyperbolic tangent is rounded once, whatever library computes it.
            return half * x * (one + np.tanh(inner.astype(np.float64)).astype(np.float32))
        arguments = (x * np.float32(-math.sqrt(0.5))).astype(np.float64)
        erfc = np.array([math.erfc(v) for v in arguments.ravel()]).astype(np.float32)
        return half * x * erfc.reshape(x.shape)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"approximate": int(self.approximate)}

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.gelu(x, approximate="tanh" if self.approximate else "none")
