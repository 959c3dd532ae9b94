"""The position of the maximum along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Axes, Op, Relayout, Tensor, TensorType
from netsuke.ops.broadcast import normal_axis
from netsuke.ops.relayout import permuted_axis


@dataclass(frozen=True, slots=True)
class ArgMax(Op):
    """y = the first position of the maximum along one axis of one sample, as int32."""

    axis: int = -1
    keepdims: bool = False

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axis = normal_axis(x.name, self.axis, len(x.shape))
        kept = (1,) if self.keepdims else ()
        return (TensorType((*x.shape[:axis], *kept, *x.shape[axis + 1 :]), "int32"),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        y = np.argmax(arrays[0], axis=self.axis, keepdims=self.keepdims)
        return (np.asarray(y, np.int32),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_axis(self, axes, self.axis, removed=not self.keepdims)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axis = normal_axis(inputs[0].name, self.axis, len(inputs[0].shape))
        return (torch.argmax(values[0], axis + 1, keepdim=self.keepdims).to(torch.int32),)
