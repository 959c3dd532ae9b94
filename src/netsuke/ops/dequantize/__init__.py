"""From stored integers to real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Link, Op, Tensor, TensorType
from netsuke.ops.links import broadcast_links


@dataclass(frozen=True, slots=True)
class Dequantize(Op):
    """y = scale · (x - zero point), by the input's quantization.

    In real numbers, and so in `reference` and PyTorch, it changes nothing.
    """

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, "float32"),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (arrays[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        quant = inputs[0].quant
        if quant is None:
            raise QuantizationError(outputs[0].name, "dequantize needs a quantized input")
        return (quant.dequantize(arrays[0]),)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        return (values[0],)
