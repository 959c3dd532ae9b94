"""The piecewise quadratic swish of MobileNetV3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class HardSwish(Unary):
    """y = x · clamp(x + 3, 0, 6) / 6."""

    def real(self, x: Array) -> Array:
        return x * np.clip(x + 3, 0, 6) / 6

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.hardswish(x)
