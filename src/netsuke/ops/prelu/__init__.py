"""The rectifier with a learned slope below zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Link, Op, Relayout, Tensor, TensorType
from netsuke.ir.layout import Shape
from netsuke.ops.broadcast import batched, broadcast_shape
from netsuke.ops.links import broadcast_links
from netsuke.ops.relayout import (
    permuted_elementwise,
    reordered_elementwise,
    reshaped_elementwise,
)


@dataclass(frozen=True, slots=True)
class Prelu(Op):
    """y = x for x >= 0, slope · x below.

    Inputs: x of any shape, slope (a constant that broadcasts to x).
    """

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, slope = inputs
        if broadcast_shape(x.name, x.shape, slope.shape) != x.shape:
            raise GraphError(
                x.name, f"the slope {list(slope.shape)} does not broadcast to {list(x.shape)}"
            )
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, slope = arrays
        return (np.where(x >= 0, x, slope * x),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_elementwise(self, inputs, axes)

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        return reordered_elementwise(self, inputs, order)

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        return reshaped_elementwise(self, inputs, shapes)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, slope = batched(inputs, values)
        return (torch.where(x >= 0, x, slope * x),)
