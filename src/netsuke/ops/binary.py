"""Functions of two operands that broadcast against each other."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Op, Relayout, Tensor, TensorType
from netsuke.ir.layout import Shape
from netsuke.ops.broadcast import batched, broadcast_shape
from netsuke.ops.relayout import (
    permuted_elementwise,
    reordered_elementwise,
    reshaped_elementwise,
)


class Binary(Op):
    """y = clamp(f(a, b)) with NumPy's broadcasting; either side may be a constant."""

    low: float = -math.inf
    high: float = math.inf

    @abstractmethod
    def real(self, a: Array, b: Array) -> Array:
        """f of arrays that broadcast."""

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        if a.dtype != b.dtype:
            raise GraphError(
                a.name, f"{self.kind} takes equal element types, not {a.dtype} and {b.dtype}"
            )
        return (TensorType(broadcast_shape(a.name, a.shape, b.shape), a.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            y = self.real(*arrays)
        if self.low > -math.inf or self.high < math.inf:
            y = np.clip(y, self.low, self.high)
        return (y.astype(arrays[0].dtype),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_elementwise(self, inputs, axes)

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        return reordered_elementwise(self, inputs, order)

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        return reshaped_elementwise(self, inputs, shapes)

    @abstractmethod
    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        """f in PyTorch."""

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        y = self.torch_function(torch, *batched(inputs, values))
        if self.low > -math.inf or self.high < math.inf:
            y = torch.clamp(y, self.low, self.high)
        return (y,)
