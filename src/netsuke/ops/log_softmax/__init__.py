"""The logarithm of softmax along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Axes, Link, Op, Quant, QuantRule, Relayout, Tensor, TensorType
from netsuke.ops.broadcast import normal_axis
from netsuke.ops.links import other_axes_links
from netsuke.ops.relayout import permuted_axis


@dataclass(frozen=True, slots=True)
class LogSoftmax(Op):
    """y = x - ln Σ e^x, the sum along one axis of one sample."""

    axis: int = -1

    rule: ClassVar[QuantRule] = QuantRule(fixed={0: Quant((16 / 256,), (127,))})

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        normal_axis(x.name, self.axis, len(x.shape))
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x = arrays[0].astype(np.float64)
        x = x - x.max(axis=self.axis, keepdims=True)
        y = x - np.log(np.exp(x).sum(axis=self.axis, keepdims=True))
        return (y.astype(np.float32),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_axis(self, axes, self.axis)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return other_axes_links(inputs, outputs[0], self.axis)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axis = normal_axis(inputs[0].name, self.axis, len(inputs[0].shape))
        return (torch.log_softmax(values[0], axis - len(inputs[0].shape)),)
