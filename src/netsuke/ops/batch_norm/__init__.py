"""Batch normalization with fixed statistics, over the last axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Link, Op, Relayout, Tensor, TensorType
from netsuke.ir.layout import Shape
from netsuke.ops.links import broadcast_links, same_positions
from netsuke.ops.relayout import (
    last_axis_stays,
    reordered_elementwise,
    reshaped_elementwise,
    same_axes,
)


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """y = clamp((x - mean) / √(variance + epsilon) · scale + offset).

    Inputs: x ``(..., c)``; scale, offset, mean, variance ``(c,)``.

    Attributes
    ----------
    low, high
        Fused clamp (a ReLU is ``low=0``).
    """

    epsilon: float = 1e-5
    low: float = -math.inf
    high: float = math.inf

    measured: ClassVar[tuple[int, ...]] = (3, 4)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x = inputs[0]
        for tensor in inputs[1:]:
            if not x.shape or tensor.shape != x.shape[-1:]:
                raise GraphError(
                    x.name,
                    f"batch_norm takes one {tensor.name!r} a channel of {list(x.shape)}, "
                    f"not {list(tensor.shape)}",
                )
        return (x.type,)

    def affine(
        self, scale: Array, offset: Array, mean: Array, variance: Array
    ) -> tuple[Array, Array]:
        """(factor, addend) in float64 with y = factor · x + addend."""
        factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + self.epsilon)
        return factor, offset - mean * factor

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        factor, addend = self.affine(*arrays[1:])
        y = arrays[0] * factor + addend
        return (np.clip(y, self.low, self.high).astype(np.float32),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        if not last_axis_stays(axes):
            return None
        return replace(same_axes(self, axes), inputs=(axes, None, None, None, None))

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        return reordered_elementwise(self, inputs, order)

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        return reshaped_elementwise(self, inputs, shapes)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        last = len(inputs[0].shape) - 1
        constants = [("in", number, 0) for number in range(1, 5)]
        links = same_positions(("out", 0, last), *constants)
        return (*links, *broadcast_links(inputs[:1], outputs[0]))

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, scale, offset, mean, variance = values
        y = (x - mean) * (scale * torch.rsqrt(variance + self.epsilon)) + offset
        return (torch.clamp(y, self.low, self.high),)

    def lower_training(
        self, torch: Any, inputs: Sequence[Tensor], *values: Any
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Normalize by the mean and (biased) variance of the batch; see Ioffe & Szegedy 2015."""
        x, scale, offset, _, _ = values
        channels_first = x.movedim(-1, 1)
        y, mean, deviation = torch.native_batch_norm(
            channels_first, scale, offset, None, None, True, 0.0, self.epsilon
        )
        variance = deviation.detach().pow(-2) - self.epsilon
        y = torch.clamp(y.movedim(1, -1), self.low, self.high)
        return (y,), (mean.detach(), variance)
