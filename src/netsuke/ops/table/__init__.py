"""Any function of one int8, written out; its kernel is the one of every int8 function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Quant, Tensor, TensorType
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Table(Unary):
    """y = values[x + 128], of stored int8.

    Several functions of one element after another become one table.

    Attributes
    ----------
    values
        What stored -128 .. 127 become: 256 numbers from -128 to 127.
    """

    values: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if x.dtype != "int8":
            raise GraphError(x.name, f"a table is looked up by int8, not by {x.dtype}")
        if len(self.values) != 256 or not all(-128 <= value <= 127 for value in self.values):
            raise GraphError(x.name, "a table has 256 values from -128 to 127")
        return (x.type,)

    def real(self, x: Array) -> Array:
        raise GraphError(self.kind, "has no meaning in real numbers: its values are stored int8")

    def table(self, source: Quant, target: Quant) -> Array:
        return np.array(self.values, np.int8)
