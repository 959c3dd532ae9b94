"""The reciprocal square root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.fixed_point import INT32_MAX, quantize_multiplier, requantize_away
from netsuke.ops.unary import STORED, Unary


def _inverse_root(value: int) -> tuple[int, int]:
    """(m, shift) with 1 / √value ≈ m · 2^(shift - 31), 1 <= value <= 255.

    Newton's iteration x ← (3x - v · x³) / 2 in fixed point with 28 fraction bits, five times from
    1, as LiteRT computes it, so that the table has its last bits too.
    """
    if value == 1:
        return INT32_MAX, 0
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    half = ((value << 2 * pairs) // 2 + 1) >> 1
    x = 1 << 28
    for _ in range(5):
        cube = min(_high(_high(x, x), x) << 6, INT32_MAX)
        x = (_high((1 << 28) + (1 << 27), x) - _high(half, cube)) << 3
    shift = 11 - pairs
    x = _high(x, 1518500250)  # sqrt(1/2)
    return (x, -shift) if shift >= 0 else (x << -shift, 0)


def _high(a: int, b: int) -> int:
    """floor((a · b + 2^30) / 2^31)."""
    return (a * b + (1 << 30)) >> 31


@dataclass(frozen=True, slots=True)
class Rsqrt(Unary):
    """y = 1 / √x."""

    def real(self, x: Array) -> Array:
        return 1.0 / np.sqrt(x.astype(np.float64))

    def table(self, source: Quant, target: Quant) -> Array:
        """In fixed point, as LiteRT does; numbers up to zero become the largest output."""
        root = np.sqrt(np.float32(source.scale[0])) * np.float32(target.scale[0])
        multiplier, shift = quantize_multiplier(float(np.float32(1) / root))
        outputs = np.full(256, 127, np.int64)
        for index, value in enumerate((STORED - source.zero_point[0]).tolist()):
            if value > 0:
                inverse, exponent = _inverse_root(value)
                wide = requantize_away(np.array(1), inverse, exponent + 20)
                outputs[index] = requantize_away(wide, multiplier, shift - 20)
                outputs[index] += target.zero_point[0]
        return np.clip(outputs, -128, 127).astype(np.int8)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.rsqrt(x)
