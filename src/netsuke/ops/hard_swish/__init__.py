"""The piecewise quadratic swish of MobileNetV3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.fixed_point import quantize_multiplier
from netsuke.ops.unary import STORED, Unary


def _saturate(x: Array) -> Array:
    """Into int16."""
    return np.clip(x, -32768, 32767)


def _high_16(x: Array, multiplier: int) -> Array:
    """x · m / 2^15 rounded to nearest, with the upper 16 bits m of a 32-bit multiplier."""
    narrow = min((multiplier + (1 << 15)) >> 16, 32767)
    return _saturate((x * narrow + (1 << 14)) >> 15)


def _divide_away(x: Array, exponent: int) -> Array:
    """x / 2^exponent rounded to nearest, ties away from zero."""
    half = (1 << exponent) >> 1
    return np.sign(x) * ((np.abs(x) + half) >> exponent)


@dataclass(frozen=True, slots=True)
class HardSwish(Unary):
    """y = x · clamp(x + 3, 0, 6) / 6."""

    def real(self, x: Array) -> Array:
        return x * np.clip(x + 3, 0, 6) / 6

    def table(self, source: Quant, target: Quant) -> Array:
        """In 16 bits, as LiteRT does: x / 128 steps finer, times (clamp(x, -3, 3) + 3) / 6.

        A factor of 128 or more between the scales, which LiteRT refuses, is tabulated in reals.
        """
        fine = np.float32(source.scale[0]) * np.float32(1 / 128)
        multiplier, exponent = quantize_multiplier(float(fine / np.float32(target.scale[0])))
        if exponent > 0:
            return Unary.table(self, source, target)
        x = (STORED - source.zero_point[0]) * 128
        scaled = _high_16(x, multiplier)
        multiplier, left = quantize_multiplier(float(fine / (np.float32(3) / np.float32(32768))))
        gate = _saturate(x << max(left - 1, 0))
        gate = _high_16(gate, multiplier)
        gate = _saturate(gate << 1) if left > 0 else _divide_away(gate, -left)
        gate = (gate + (1 << 15)) >> 1
        product = gate * scaled
        product = np.sign(product) * (np.abs(product) >> 15)
        values = _divide_away(product, -exponent) + target.zero_point[0]
        return np.clip(values, -128, 127).astype(np.int8)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.hardswish(x)
