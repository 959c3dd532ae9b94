"""From real numbers to stored integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Kernel, Link, Op, Quant, Range, Tensor, TensorType
from netsuke.ops.links import broadcast_links
from netsuke.ops.ranges import corner_ranges
from netsuke.ops.unary import require_quants


@dataclass(frozen=True, slots=True)
class Quantize(Op):
    """y = clamp(round(x / scale) + zero point), by the output's quantization.

    In real numbers, and so in `reference` and PyTorch, it changes nothing. In integers it is
    `Quant.quantize`: divide in float32, round half away from zero; not-a-number becomes zero.
    """

    dtype: str = "int8"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, self.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (arrays[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        quant = self._quant(inputs, outputs)
        with np.errstate(over="ignore"):
            return (quant.quantize(np.nan_to_num(arrays[0], nan=0.0)),)

    def _quant(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Quant:
        if inputs[0].dtype != "float32":
            raise QuantizationError(outputs[0].name, "quantize needs a float32 input")
        return require_quants(outputs[0], outputs[0])[0]

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        quant, count = self._quant(inputs, outputs), outputs[0].elements
        return (
            Kernel(
                "nsk_quantize_s8",
                "quantize/quantize_s8.c",
                "nsk_quantize",
                {"count": count, "scale": quant.scale[0], "zero": quant.zero_point[0]},
                inplace=((0, 0),),
                instructions=30.0 * count,
            ),
        )

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        return corner_ranges(self, inputs, outputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        return (values[0],)
