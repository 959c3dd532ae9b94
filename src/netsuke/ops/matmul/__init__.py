"""Matrix products of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Link, Op, Tensor, TensorType
from netsuke.ops.broadcast import batched, broadcast_shape


@dataclass(frozen=True, slots=True)
class Matmul(Op):
    """y[..., i, j] = Σ a[..., i, k] · b[..., k, j]; the axes before the last two broadcast."""

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
            raise GraphError(
                a.name, f"matmul takes (..., m, k) and (..., k, n), not {a.shape} and {b.shape}"
            )
        if a.dtype != b.dtype:
            raise GraphError(
                a.name, f"matmul takes equal element types, not {a.dtype} and {b.dtype}"
            )
        outer = broadcast_shape(a.name, a.shape[:-2], b.shape[:-2])
        return (TensorType((*outer, a.shape[-2], b.shape[-1]), a.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        a, b = arrays
        return (np.matmul(a, b),)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=outputs[0].elements * inputs[0].shape[-1])

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        a, b, y = (len(tensor.shape) for tensor in (*inputs, outputs[0]))
        return (
            Link(("in", 0, a - 2), ("out", 0, y - 2)),
            Link(("in", 1, b - 1), ("out", 0, y - 1)),
            Link(("in", 0, a - 1), ("in", 1, b - 2)),
        )

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        return (torch.matmul(*batched(inputs, values)),)
