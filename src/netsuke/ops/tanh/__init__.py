"""The hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Quant, QuantRule
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Tanh(Unary):
    """y = tanh x."""

    rule: ClassVar[QuantRule] = QuantRule(fixed={0: Quant((1 / 128,), (0,))})

    def real(self, x: Array) -> Array:
        return np.tanh(x.astype(np.float64))

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.tanh(x)
