"""The square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netsuke.ir import Array
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Square(Unary):
    """y = x²."""

    def real(self, x: Array) -> Array:
        return x * x

    def torch_function(self, torch: Any, x: Any) -> Any:
        return x * x
