"""Division."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Quant
from netsuke.ops.binary import Binary, Parameters
from netsuke.ops.fixed_point import INT32_MAX, high, quantize_multiplier, requantize_away


def reciprocals() -> Array:
    """int32 ``(256,)``: r[d] ≈ 2^31 · 2^(bits of d - 1) / d, in [2^30, 2^31), for d = 1 .. 255.

    Newton's iteration x ← x + x · (1 - d · x) from 48/17 - 32/17 · d in fixed point, three times,
    as LiteRT computes it, so that a division has its last bits too.
    """
    divisors = np.arange(1, 256)
    bits = np.array([int(d).bit_length() for d in divisors])
    half = (divisors << (31 - bits)) + 0  # the divisor as a fraction in [1/2, 1)
    x = 1515870810 + high(half, -1010580540)
    for _ in range(3):
        x = x + (high(x, (1 << 29) - high(half, x)) << 2)
    return np.concatenate([[0], np.minimum(x << 1, INT32_MAX)]).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Div(Binary):
    """y = clamp(a / b), with NumPy's broadcasting.

    In integers, as LiteRT where that is defined: a, shifted as far left as it goes, times a
    reciprocal of b, times the scales' ratio. A division by zero gives the bound that the sign of
    a points at, zero by zero the zero point.
    """

    low: float = -math.inf
    high: float = math.inf

    instructions: ClassVar[tuple[float, float]] = (50.0, 25.0)
    monotone: ClassVar[bool] = False

    def real(self, a: Array, b: Array) -> Array:
        return a / b

    def _factor(self, quants: Sequence[Quant]) -> tuple[int, int]:
        """scale_a / (scale_b · scale_y), in float32 as in LiteRT."""
        a, b, y = (np.float32(quant.scale[0]) for quant in quants)
        return quantize_multiplier(float(a / (b * y)))

    def stored(self, quants: Sequence[Quant], a: Array, b: Array) -> Array:
        numerator, divisor = np.broadcast_arrays(
            a - quants[0].zero_point[0], b - quants[1].zero_point[0]
        )
        numerator = numerator * np.where(divisor < 0, -1, 1)
        divisor = np.abs(divisor)
        multiplier, shift = self._factor(quants)
        lengths = np.array([value.bit_length() for value in range(256)])
        room = 31 - lengths[np.where(numerator < 0, ~numerator, numerator)]
        quotient = high(numerator << room, reciprocals()[divisor])
        # Beyond 31 places nothing is left of any quotient.
        exponent = shift - (lengths[divisor] - 1) - room
        y = requantize_away(quotient, multiplier, np.maximum(exponent, -31))
        y = np.where(exponent < -31, 0, y)
        y = np.where(divisor == 0, np.sign(numerator) * 256, y)
        return y + quants[2].zero_point[0]

    def stored_parameters(self, quants: Sequence[Quant]) -> Parameters:
        multiplier, shift = self._factor(quants)
        zeros = {f"zero_{k}": q.zero_point[0] for k, q in zip("aby", quants, strict=True)}
        table = {"reciprocals": reciprocals()}
        return {**zeros, "multiplier": multiplier, "shift": shift, **table}

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return a / b
