"""From stored integers to real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Link, Op, Range, Tensor, TensorType
from netsuke.ops.links import broadcast_links
from netsuke.ops.ranges import corner_ranges
from netsuke.ops.unary import require_quants


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
        (quant,) = require_quants(outputs[0], inputs[0])
        centred = (arrays[0].astype(np.int32) - quant.zero_point[0]).astype(np.float32)
        return (centred * np.float32(quant.scale[0]),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (quant,), count = require_quants(outputs[0], inputs[0]), outputs[0].elements
        return (
            Kernel(
                "nsk_dequantize_s8",
                "dequantize/dequantize_s8.c",
                "nsk_dequantize",
                {"count": count, "scale": quant.scale[0], "zero": quant.zero_point[0]},
                instructions=9.0 * count,
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
