"""The exponential function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Exp(Unary):
    """y = e^x."""

    def real(self, x: Array) -> Array:
        return np.exp(x.astype(np.float64))

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.exp(x)
