"""The natural logarithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Log(Unary):
    """y = ln x."""

    def real(self, x: Array) -> Array:
        return np.log(x.astype(np.float64))

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.log(x)
