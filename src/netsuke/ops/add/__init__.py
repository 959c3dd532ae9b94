"""Addition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from netsuke.ir import Array
from netsuke.ops.binary import Additive


@dataclass(frozen=True, slots=True)
class Add(Additive):
    """y = clamp(a + b), with NumPy's broadcasting."""

    low: float = -math.inf
    high: float = math.inf

    sign: ClassVar[int] = 1

    def real(self, a: Array, b: Array) -> Array:
        return a + b

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return a + b
