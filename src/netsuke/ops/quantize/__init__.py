"""From real numbers to stored integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Link, Op, Tensor, TensorType
from netsuke.ops.links import broadcast_links


@dataclass(frozen=True, slots=True)
class Quantize(Op):
    """y = clamp(round(x / scale) + zero point), by the output's quantization.

    In real numbers, and so in `reference` and PyTorch, it changes nothing.
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
        quant = outputs[0].quant
        if quant is None or inputs[0].dtype != "float32":
            raise QuantizationError(
                outputs[0].name, "quantize needs a real input and a quantized output"
            )
        return (quant.quantize(np.nan_to_num(arrays[0], nan=0.0)),)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        return (values[0],)
