"""Softmax along one axis."""

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
class Softmax(Op):
    """y = e^(beta · x) / Σ e^(beta · x), the sum along one axis.

    Attributes
    ----------
    axis
        Axis of one sample.
    beta
        Inverse temperature.
    """

    axis: int = -1
    beta: float = 1.0

    rule: ClassVar[QuantRule] = QuantRule(fixed={0: Quant((1 / 256,), (-128,))})

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        normal_axis(x.name, self.axis, len(x.shape))
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x = arrays[0].astype(np.float64)
        powers = np.exp(self.beta * (x - x.max(axis=self.axis, keepdims=True)))
        return ((powers / powers.sum(axis=self.axis, keepdims=True)).astype(np.float32),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_axis(self, axes, self.axis)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return other_axes_links(inputs, outputs[0], self.axis)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axis = normal_axis(inputs[0].name, self.axis, len(inputs[0].shape))
        return (torch.softmax(self.beta * values[0], axis - len(inputs[0].shape)),)
