"""The larger of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array
from netsuke.ops.binary import Extremum


@dataclass(frozen=True, slots=True)
class Maximum(Extremum):
    """y = max(a, b), with NumPy's broadcasting."""

    def real(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return torch.maximum(a, b)
