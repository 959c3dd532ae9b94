"""The integer arithmetic of recurrent gates; `runtime/nsk_gates.h` is the same in C.

Sums of gates have 12 fraction bits in int16 (reals from -8 to 8). The logistic function is a table
of 257 entries with 15 fraction bits, interpolated; tanh(x) = 2 · σ(2x) - 1 uses it too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Quant, Tensor
from netsuke.ops.fixed_point import INT32_MAX, quantize_multiplier, requantize

GATE_BITS = 12
LIMIT = 1 << 24
"""Either part of a gate's sum is held within this, so that their sum fits int32."""


def sigmoid_table() -> Array:
    """σ(-8 + i / 16) with 15 fraction bits, int16 ``(257,)``."""
    values = [1 / (1 + math.exp(8 - index / 16)) for index in range(257)]
    return np.array([round(value * 32768) for value in values], np.int16)


TABLE = sigmoid_table().astype(np.int64)


def saturate(x: Array) -> Array:
    """Into int16."""
    return np.clip(x, -32768, 32767)


def sigmoid_16(x: Array) -> Array:
    """σ with 15 fraction bits of int16 with 12."""
    index, rest = (x + 32768) >> 8, x & 255
    low = TABLE[index]
    return low + (((TABLE[index + 1] - low) * rest + 128) >> 8)


def tanh_16(x: Array) -> Array:
    """tanh with 15 fraction bits of integers with 12."""
    return 2 * sigmoid_16(saturate(2 * x)) - 32768


@dataclass(frozen=True, slots=True, eq=False)
class GateSums:
    """Integers that turn stored vectors into the sums of gates: one row a gate and unit.

    Attributes
    ----------
    weights
        int64 ``(rows, depth)``.
    bias
        int32, with the zero point of the vector folded in.
    multiplier, shift
        int32 and int8 factors to 12 fraction bits.
    """

    weights: Array
    bias: Array
    multiplier: Array
    shift: Array

    def of(self, stored: Array, rows: slice = slice(None)) -> Array:
        """The rows' sums with 12 fraction bits."""
        sums = self.weights[rows] @ stored.astype(np.int64) + self.bias[rows]
        scaled = requantize(sums, self.multiplier[rows], self.shift[rows])
        return np.clip(scaled, -LIMIT, LIMIT)

    def parameters(self, suffix: str) -> dict[str, int | float | Array]:
        """The fields of a kernel's parameters."""
        return {
            f"bias_{suffix}": self.bias.astype(np.int32),
            f"multiplier_{suffix}": self.multiplier,
            f"shift_{suffix}": self.shift,
        }


def gate_sums(weights: Tensor, source: Quant, bias: Tensor | None) -> GateSums:
    """Prepare the products of `weights` with vectors of the quantization `source`.

    Parameters
    ----------
    weights
        int8 constant ``(rows, depth)`` with zero points 0 and one scale, or one a row.
    bias
        float32 constant, or int32 with a quantization, or None for zeros.

    Raises
    ------
    QuantizationError
        When something is not so, or a sum could overflow int32.
    """
    quant, data = weights.quant, weights.data
    if data is None or quant is None or any(quant.zero_point):
        raise QuantizationError(weights.name, "must be a constant in int8 with zero points 0")
    rows = weights.shape[0]
    scales = source.scale[0] * np.broadcast_to(np.array(quant.scale, np.float64), (rows,))
    wide = data.astype(np.int64)
    integers = -source.zero_point[0] * wide.sum(axis=1)
    if bias is not None:
        real = _real_constant(bias)
        integers = integers + np.rint(np.clip(real / scales, -(2.0**40), 2.0**40)).astype(np.int64)
    reach = int((np.abs(wide).sum(axis=1) * 128 + np.abs(integers)).max(initial=0))
    if reach > INT32_MAX:
        raise QuantizationError(
            weights.name, f"a gate could reach a sum of {reach:,}, beyond int32 ({INT32_MAX:,})"
        )
    pairs = [quantize_multiplier(float(scale) * (1 << GATE_BITS)) for scale in scales]
    return GateSums(
        weights=wide,
        bias=integers,
        multiplier=np.array([m for m, _ in pairs], np.int32),
        shift=np.array([s for _, s in pairs], np.int8),
    )


def _real_constant(tensor: Tensor) -> Array:
    if tensor.data is None:
        raise QuantizationError(tensor.name, "must be a constant")
    return tensor.data if tensor.quant is None else tensor.quant.dequantize(tensor.data)


def initial_state(state: Tensor, array: Array, otherwise: Quant) -> tuple[Array, Quant]:
    """A first state in int8 and its quantization; real constants take `otherwise`."""
    if state.dtype == "float32" and state.data is not None:
        return otherwise.quantize(array), otherwise
    if state.quant is None or state.dtype != "int8":
        raise QuantizationError(state.name, "must be int8, as the other activations of its node")
    return array, state.quant


def step_factor(source: float, target: float) -> tuple[int, int]:
    """Fixed-point form of source / target."""
    return quantize_multiplier(source / target)


def rescale(x: Array, factor: tuple[int, int], zero: int = 0, bits: int = 8) -> Array:
    """clamp(round(factor · x) + zero) into so many bits."""
    limit = 1 << (bits - 1)
    return np.clip(requantize(x, *factor) + zero, -limit, limit - 1)
