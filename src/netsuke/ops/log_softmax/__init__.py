"""The logarithm of softmax along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import (
    Array,
    Axes,
    Cost,
    Kernel,
    Link,
    Op,
    Quant,
    QuantRule,
    Relayout,
    Tensor,
    TensorType,
)
from netsuke.ops.broadcast import normal_axis
from netsuke.ops.links import other_axes_links
from netsuke.ops.relayout import permuted_axis
from netsuke.ops.rows import check_output_scale, power_table, row_parameters, row_sums
from netsuke.ops.unary import require_quants


def _log(x: Array) -> Array:
    """ln x for finite float32 x >= 1: `nsk_log` of nsk_math.h, step by step, so to the bit."""
    real = np.float32
    mantissa, exponent = np.frexp(x)
    below = mantissa < real(0.70710677)
    mantissa = np.where(below, mantissa * real(2), mantissa)
    n = (exponent - below).astype(real)
    f = mantissa - real(1)
    s = f / (real(2) + f)
    z = s * s
    q = real(0.285497367) + z * real(0.233579412)
    q = real(0.666666687) + z * (real(0.400001317) + z * q)
    low = s * (z * q - f) + n * real(-2.12194440e-4)
    return n * real(0.693359375) + (f + low)


@dataclass(frozen=True, slots=True)
class LogSoftmax(Op):
    """y = x - ln Σ e^x, the sum along one axis of one sample.

    In integers, as LiteRT: the powers come from a table of 256 float32 and are added up in order,
    and y = round((scale_x / scale_y) · x - (scale_x · max + ln sum) / scale_y) + zero point.
    """

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

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        check_output_scale(outputs[0], target)
        scale_x, scale_y = np.float32(source.scale[0]), np.float32(target.scale[0])
        x = np.moveaxis(arrays[0].astype(np.int64), self.axis, -1)
        top = x.max(axis=-1, keepdims=True)
        sums = row_sums(power_table(source, 1.0)[top - x])
        offset = (scale_x * top.astype(np.float32) + _log(sums)) / scale_y
        exact = ((scale_x / scale_y) * x.astype(np.float32) - offset).astype(np.float64)
        y = np.trunc(exact + np.copysign(0.5, exact)) + target.zero_point[0]
        return (np.moveaxis(np.clip(y, -128, 127).astype(np.int8), -1, self.axis),)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(elementary=4 * outputs[0].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        rows = row_parameters(inputs[0], self.axis)
        count = outputs[0].elements
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_log_softmax_f32",
                    "log_softmax/log_softmax_f32.c",
                    "nsk_log_softmax_real",
                    rows,
                    inplace=((0, 0),),
                    instructions=60.0 * count,
                ),
            )
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        check_output_scale(outputs[0], target)
        return (
            Kernel(
                "nsk_log_softmax_s8",
                "log_softmax/log_softmax_s8.c",
                "nsk_log_softmax",
                {
                    **rows,
                    "scale_x": source.scale[0],
                    "scale_y": target.scale[0],
                    "zero": target.zero_point[0],
                    "powers": power_table(source, 1.0),
                },
                inplace=((0, 0),),
                instructions=35.0 * count,
            ),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_axis(self, axes, self.axis)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return other_axes_links(inputs, outputs[0], self.axis)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axis = normal_axis(inputs[0].name, self.axis, len(inputs[0].shape))
        return (torch.log_softmax(values[0], axis - len(inputs[0].shape)),)
