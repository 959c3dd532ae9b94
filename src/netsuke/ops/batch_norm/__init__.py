"""Batch normalization with fixed statistics, over the last axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Array, Axes, Kernel, Link, Op, QuantRule, Range, Relayout, Tensor, TensorType
from netsuke.ir.layout import Shape
from netsuke.ops.fixed_point import clamp_bounds
from netsuke.ops.links import broadcast_links, same_positions
from netsuke.ops.lowering import clamped
from netsuke.ops.ranges import corner_ranges
from netsuke.ops.relayout import (
    last_axis_stays,
    reordered_elementwise,
    reshaped_elementwise,
    same_axes,
)
from netsuke.ops.unary import require_quants


def _constants(inputs: Sequence[Tensor]) -> list[Array]:
    """Scale, offset, mean and variance; raises when one is not a constant."""
    arrays = []
    for tensor in inputs[1:]:
        if tensor.data is None:
            raise GraphError(inputs[0].name, f"batch_norm needs {tensor.name!r} as a constant")
        arrays.append(tensor.data)
    return arrays


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """y = clamp((x - mean) / √(variance + epsilon) · scale + offset).

    Inputs: x ``(..., c)``; scale, offset, mean, variance ``(c,)``.

    In integers each channel has a factor below 2^15, an addend below 2^29 and a right shift,
    chosen from the real constants, which stay as they are::

        y = clamp(floor(((x - zero_x) · factor + addend + 2^(places - 1)) / 2^places) + zero_y)

    Attributes
    ----------
    low, high
        Fused clamp (a ReLU is ``low=0``).
    """

    epsilon: float = 1e-5
    low: float = -math.inf
    high: float = math.inf

    rule: ClassVar[QuantRule] = QuantRule(float_inputs=(1, 2, 3, 4))
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

    def _stored_parameters(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
    ) -> dict[str, int | float | Array]:
        """Factors, addends and shifts of the channels; see the class for the arithmetic."""
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        factor, addend = self.affine(*_constants(inputs))
        factor = factor * source.scale[0] / target.scale[0]
        addend = np.clip(addend / target.scale[0], -(2.0**28), 2.0**28)
        if np.abs(factor).max(initial=0) >= 2.0**15:
            raise QuantizationError(
                outputs[0].name,
                f"a channel is multiplied by {np.abs(factor).max():g} steps a step, beyond 2^15",
            )
        places = np.minimum(15 - np.frexp(factor)[1], 29 - np.frexp(addend)[1])
        places = np.clip(places, 0, 22)
        lower, upper = clamp_bounds(self.low, self.high, target)
        return {
            "zero_x": source.zero_point[0],
            "zero_y": target.zero_point[0],
            "factor": np.rint(np.ldexp(factor, places)).astype(np.int32),
            "addend": np.rint(np.ldexp(addend, places)).astype(np.int32),
            "places": places.astype(np.int8),
            "low": lower,
            "high": upper,
        }

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        fields = self._stored_parameters(inputs, outputs)
        places = np.asarray(fields["places"], np.int64)
        y = (arrays[0].astype(np.int64) - fields["zero_x"]) * fields["factor"] + fields["addend"]
        y = ((y + ((1 << places) >> 1)) >> places) + fields["zero_y"]
        return (np.clip(y, fields["low"], fields["high"]).astype(np.int8),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        real = inputs[0].dtype == "float32"
        channels = inputs[0].shape[-1]
        parameters: dict[str, int | float | Array] = {
            "rows": inputs[0].elements // max(channels, 1),
            "channels": channels,
        }
        if real:
            factor, addend = self.affine(*_constants(inputs))
            parameters |= {"factor": factor.astype(np.float32), "low": self.low, "high": self.high}
            parameters |= {"addend": addend.astype(np.float32)}
        else:
            parameters |= self._stored_parameters(inputs, outputs)
        suffix = "f32" if real else "s8"
        return (
            Kernel(
                f"nsk_batch_norm_{suffix}",
                f"batch_norm/batch_norm_{suffix}.c",
                "nsk_batch_norm_real" if real else "nsk_batch_norm",
                parameters,
                constants=dict.fromkeys(range(1, 5)),
                inplace=((0, 0),),
                instructions=14.0 * inputs[0].elements,
            ),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        if not last_axis_stays(axes):
            return None
        return replace(same_axes(self, axes), inputs=(axes, None, None, None, None))

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        return reordered_elementwise(self, inputs, order)

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        if tuple(shapes[0][-1:]) != inputs[0].shape[-1:]:
            return None
        return reshaped_elementwise(self, inputs, shapes)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        last = len(inputs[0].shape) - 1
        constants = [("in", number, 0) for number in range(1, 5)]
        links = same_positions(("out", 0, last), *constants)
        return (*links, *broadcast_links(inputs[:1], outputs[0]))

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        return corner_ranges(self, inputs, outputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, scale, offset, mean, variance = values
        y = (x - mean) * (scale * torch.rsqrt(variance + self.epsilon)) + offset
        return (clamped(torch, y, self.low, self.high),)

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
        y = clamped(torch, y.movedim(1, -1), self.low, self.high)
        return (y,), (mean.detach(), variance)
