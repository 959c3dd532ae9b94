"""Softmax along one axis."""

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
from netsuke.ops.softmax.product import product_tables
from netsuke.ops.unary import require_quants


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """y = e^(beta · x) / Σ e^(beta · x), the sum along one axis.

    In integers, as LiteRT: powers come from a table of 256 float32, are added up in order,
    and y = trunc(power · (1 / (sum · scale)) + 1/2) + zero point, all in float32.

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

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        check_output_scale(outputs[0], target)
        x = np.moveaxis(arrays[0].astype(np.int64), self.axis, -1)
        powers = power_table(source, self.beta)[x.max(axis=-1, keepdims=True) - x]
        factor = np.float32(1) / (row_sums(powers) * np.float32(target.scale[0]))
        y = (powers * factor + np.float32(0.5)).astype(np.int64) + target.zero_point[0]
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
                    "nsk_softmax_f32",
                    "softmax/softmax_f32.c",
                    "nsk_softmax_real",
                    {**rows, "beta": self.beta},
                    inplace=((0, 0),),
                    instructions=70.0 * count,
                ),
            )
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        check_output_scale(outputs[0], target)
        powers = power_table(source, self.beta)
        numbers = {**rows, "scale": target.scale[0], "zero": target.zero_point[0]}
        table = Kernel(
            "nsk_softmax_s8",
            "softmax/softmax_s8.c",
            "nsk_softmax",
            {**numbers, "powers": powers},
            inplace=((0, 0),),
            instructions=30.0 * count,
        )
        factors = product_tables(powers)
        if factors is None:
            return (table,)
        product = Kernel(
            "nsk_softmax_s8_product",
            "softmax/softmax_s8_product.c",
            "nsk_softmax_product",
            {**numbers, **factors},
            inplace=((0, 0),),
            instructions=54.0 * count,
        )
        return (table, product)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_axis(self, axes, self.axis)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return other_axes_links(inputs, outputs[0], self.axis)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axis = normal_axis(inputs[0].name, self.axis, len(inputs[0].shape))
        return (torch.softmax(self.beta * values[0], axis - len(inputs[0].shape)),)
