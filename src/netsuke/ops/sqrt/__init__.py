"""The square root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Sqrt(Unary):
    """y = √x."""

    def real(self, x: Array) -> Array:
        return np.sqrt(x)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.sqrt(x)
