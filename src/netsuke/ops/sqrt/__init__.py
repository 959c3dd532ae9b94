"""The square root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.unary import STORED, Unary


@dataclass(frozen=True, slots=True)
class Sqrt(Unary):
    """y = √x."""

    def real(self, x: Array) -> Array:
        return np.sqrt(x)

    def table(self, source: Quant, target: Quant) -> Array:
        """Rounded down, as LiteRT does; negative numbers become the zero point."""
        x = np.maximum(STORED - source.zero_point[0], 0) * source.scale[0]
        values = np.floor(np.sqrt(x) / target.scale[0]) + target.zero_point[0]
        return np.clip(values, -128, 127).astype(np.int8)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.sqrt(x)
