"""Matrix products of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Array, Cost, Kernel, Link, Op, Quant, Tensor, TensorType
from netsuke.ops.broadcast import batched, broadcast_shape, walk
from netsuke.ops.fixed_point import INT32_MAX, quantize_multiplier, requantize_away
from netsuke.ops.unary import require_quants


@dataclass(frozen=True, slots=True)
class Matmul(Op):
    """y[..., i, j] = Σ a[..., i, k] · b[..., k, j]; the axes before the last two broadcast.

    In integers the sum is exact in int32, scaled by scale_a · scale_b / scale_y and rounded away
    from zero, as LiteRT does.
    """

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
            raise GraphError(
                a.name, f"matmul takes (..., m, k) and (..., k, n), not {a.shape} and {b.shape}"
            )
        if a.dtype != b.dtype:
            raise GraphError(
                a.name, f"matmul takes equal element types, not {a.dtype} and {b.dtype}"
            )
        if 0 in (*a.shape, *b.shape):
            raise GraphError(a.name, f"matmul of nothing: {list(a.shape)} and {list(b.shape)}")
        outer = broadcast_shape(a.name, a.shape[:-2], b.shape[:-2])
        return (TensorType((*outer, a.shape[-2], b.shape[-1]), a.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        a, b = arrays
        return (np.matmul(a, b),)

    def _factor(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
    ) -> tuple[list[Quant], tuple[int, int]]:
        """Quantizations of a, b and y, and the factor; raises when the sum could overflow."""
        quants = require_quants(outputs[0], *inputs, outputs[0])
        reach = inputs[0].shape[-1]
        for quant in quants[:2]:
            reach *= max(quant.zero_point[0] + 128, 127 - quant.zero_point[0])
        if reach > INT32_MAX:
            raise QuantizationError(
                outputs[0].name,
                f"a sum of {inputs[0].shape[-1]:,} products could reach {reach:,}, beyond int32",
            )
        a, b, y = (float(np.float32(quant.scale[0])) for quant in quants)
        return quants, quantize_multiplier(a * b / y)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        (a, b, y), factor = self._factor(inputs, outputs)
        # float64 holds every partial sum exactly and is far faster than int64.
        sums = np.matmul(
            arrays[0].astype(np.float64) - a.zero_point[0],
            arrays[1].astype(np.float64) - b.zero_point[0],
        )
        scaled = requantize_away(sums.astype(np.int64), *factor) + y.zero_point[0]
        return (np.clip(scaled, -128, 127).astype(np.int8),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (a, b), (y,) = inputs, outputs
        (rows, depth), columns = a.shape[-2:], b.shape[-1]
        extents, (step_a, step_b) = walk(y.shape[:-2], a.shape[:-2], b.shape[:-2])
        if len(extents) > 6:
            raise GraphError(y.name, f"matmul broadcasts over {len(extents)} axes, at most 6")
        parameters: dict[str, int | float | Array] = {
            "rows": rows,
            "depth": depth,
            "columns": columns,
            "outer": len(extents),
            "extent": np.array(extents, np.int32),
            "step_a": np.array(step_a, np.int32) * np.int32(rows * depth),
            "step_b": np.array(step_b, np.int32) * np.int32(depth * columns),
        }
        real = a.dtype == "float32"
        if not real:
            quants, (multiplier, shift) = self._factor(inputs, outputs)
            parameters |= {f"zero_{k}": q.zero_point[0] for k, q in zip("aby", quants, strict=True)}
            parameters |= {"multiplier": multiplier, "shift": shift}
        suffix = "f32" if real else "s8"
        return (
            Kernel(
                f"nsk_matmul_{suffix}",
                f"matmul/matmul_{suffix}.c",
                "nsk_matmul_real" if real else "nsk_matmul",
                parameters,
                instructions=8.0 * y.elements * depth + 20.0 * y.elements,
            ),
        )

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=outputs[0].elements * inputs[0].shape[-1])

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        a, b, y = (len(tensor.shape) for tensor in (*inputs, outputs[0]))
        return (
            Link(("in", 0, a - 2), ("out", 0, y - 2)),
            Link(("in", 1, b - 1), ("out", 0, y - 1)),
            Link(("in", 0, a - 1), ("in", 1, b - 2)),
        )

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        return (torch.matmul(*batched(inputs, values)),)
