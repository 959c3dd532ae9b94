"""The logistic function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Quant, QuantRule
from netsuke.ops.unary import Unary, real_table


@dataclass(frozen=True, slots=True)
class Sigmoid(Unary):
    """y = 1 / (1 + e^-x)."""

    rule: ClassVar[QuantRule] = QuantRule(fixed={0: Quant((1 / 256,), (-128,))})

    def real(self, x: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-x.astype(np.float64)))

    def table(self, source: Quant, target: Quant) -> Array:
        """As any real function, but each step rounded to float32, as LiteRT does."""
        one = np.float32(1)

        def stepwise(x: Array) -> Array:
            return one / (one + np.exp(-x.astype(np.float64)).astype(np.float32))

        return real_table(stepwise, source, target)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.sigmoid(x)
