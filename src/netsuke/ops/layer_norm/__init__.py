"""Layer normalization (Ba et al. 2016, arXiv:1607.06450)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Array, Cost, Kernel, Link, Op, QuantRule, Tensor, TensorType
from netsuke.ops.broadcast import broadcast_shape, normal_axis
from netsuke.ops.links import broadcast_links
from netsuke.ops.unary import require_quants

LONGEST_ROW = 1 << 15


@dataclass(frozen=True, slots=True)
class LayerNorm(Op):
    """y = (x - mean) / √(variance + epsilon) · scale + offset, over the axes `axis` and behind.

    Inputs: x; scale and offset, constants of the shape of the normalized axes.

    In integers, for rows of n stored values with sum S and sum of squares Q, all of it exact::

        D = max(n · Q - S² + round(epsilon · n² / scale_x²), 1)
        t = the shift that brings D · 4^t into [2^60, 2^62)
        r = floor(2^61 / floor(√(D · 4^t)))           so that 2^t / √D ≈ r / 2^31
        z = floor((n · x - S) · r / 2^(45 - t))       the normalized value, times 2^16
        y = clamp(floor((z · gain + bias · 2^(8 + places)) / 2^(16 + places) + 1/2) + zero_y)

    with gain = round(scale / scale_y · 2^places) below 2^15, bias = round(offset / scale_y · 2^8).
    """

    axis: int = -1
    epsilon: float = 1e-5

    rule: ClassVar[QuantRule] = QuantRule(float_inputs=(1, 2))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x = inputs[0]
        inner = x.shape[normal_axis(x.name, self.axis, len(x.shape)) :]
        for tensor in inputs[1:]:
            if broadcast_shape(x.name, tensor.shape, inner) != inner:
                raise GraphError(
                    x.name,
                    f"layer_norm over {list(inner)} cannot use {tensor.name!r} "
                    f"of shape {list(tensor.shape)}",
                )
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, scale, offset = arrays
        axes = tuple(range(self.axis % x.ndim, x.ndim))
        wide = x.astype(np.float64)
        centred = wide - wide.mean(axis=axes, keepdims=True)
        variance = (centred * centred).mean(axis=axes, keepdims=True)
        y = centred / np.sqrt(variance + self.epsilon) * scale + offset
        return (y.astype(np.float32),)

    def _rows(self, inputs: Sequence[Tensor]) -> tuple[int, int, Array, Array]:
        """(rows, depth, scale, offset) with the constants as long as a row."""
        x = inputs[0]
        inner = x.shape[normal_axis(x.name, self.axis, len(x.shape)) :]
        arrays = []
        for tensor in inputs[1:]:
            if tensor.data is None:
                raise GraphError(x.name, f"layer_norm needs {tensor.name!r} as a constant")
            arrays.append(np.ascontiguousarray(np.broadcast_to(tensor.data, inner)).ravel())
        depth = math.prod(inner)
        return x.elements // max(depth, 1), depth, arrays[0], arrays[1]

    def _stored_parameters(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
    ) -> dict[str, int | float | Array]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        rows, depth, scale, offset = self._rows(inputs)
        if depth > LONGEST_ROW:
            raise QuantizationError(
                outputs[0].name, f"layer_norm over {depth:,} elements; int8 goes up to 2^15"
            )
        gain = scale.astype(np.float64) / target.scale[0]
        largest = float(np.abs(gain).max(initial=0))
        if largest >= 2.0**15:
            raise QuantizationError(
                outputs[0].name, f"a scale of {largest:g} output steps is beyond 2^15"
            )
        places = min(max(15 - math.frexp(largest)[1], 0), 30)
        floor = min(self.epsilon * depth * depth / source.scale[0] ** 2, 2.0**58)
        limit = 2.0 ** min(54 - places, 30)  # far beyond int8, and 2^62 after the shift
        bias = np.clip(np.rint(offset / target.scale[0] * 256.0), -limit, limit)
        return {
            "rows": rows,
            "depth": depth,
            "floor": int(floor + 0.5),
            "places": places,
            "zero": target.zero_point[0],
            "gain": np.clip(np.rint(gain * 2.0**places), -32767, 32767).astype(np.int16),
            "bias": bias.astype(np.int32),
        }

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        fields = self._stored_parameters(inputs, outputs)
        depth, places = int(fields["depth"]), int(fields["places"])
        x = arrays[0].astype(np.int64).reshape(-1, depth)
        y: Array = np.empty_like(x)
        for row, values in enumerate(x):
            total = int(values.sum())
            spread = max(depth * int((values**2).sum()) - total**2 + int(fields["floor"]), 1)
            shift = (62 - spread.bit_length()) // 2
            inverse = (1 << 61) // math.isqrt(spread << 2 * shift)
            y[row] = ((depth * values - total) * inverse) >> (45 - shift)
        y = y * fields["gain"] + (np.asarray(fields["bias"], np.int64) << (8 + places))
        y = ((y + (1 << (15 + places))) >> (16 + places)) + fields["zero"]
        return (np.clip(y, -128, 127).astype(np.int8).reshape(arrays[0].shape),)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=outputs[0].elements, elementary=5 * outputs[0].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        count = outputs[0].elements
        if inputs[0].dtype != "float32":
            return (
                Kernel(
                    "nsk_layer_norm_s8",
                    "layer_norm/layer_norm_s8.c",
                    "nsk_layer_norm",
                    self._stored_parameters(inputs, outputs),
                    constants={1: None, 2: None},
                    inplace=((0, 0),),
                    instructions=30.0 * count,
                ),
            )
        rows, depth, scale, offset = self._rows(inputs)
        return (
            Kernel(
                "nsk_layer_norm_f32",
                "layer_norm/layer_norm_f32.c",
                "nsk_layer_norm_real",
                {"rows": rows, "depth": depth, "epsilon": self.epsilon},
                constants={1: scale, 2: offset},
                inplace=((0, 0),),
                instructions=20.0 * count,
            ),
        )

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        rank = len(inputs[0].shape)
        links = broadcast_links(inputs, outputs[0])
        # With one axis the mean is over what is left; over several, positions would not be alike.
        first = self.axis % rank
        cut = {first} if first == rank - 1 else set()
        return tuple(link for link in links if link.second[2] < first or link.second[2] in cut)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, scale, offset = values
        rank = len(inputs[0].shape)
        inner = inputs[0].shape[normal_axis(inputs[0].name, self.axis, rank) :]
        y = torch.nn.functional.layer_norm(x, inner, None, None, self.epsilon)
        return (y * scale + offset,)
