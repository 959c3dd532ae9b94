"""The one integer arithmetic of netsuke: how an accumulator becomes an int8.

For a real factor f = m · 2^(shift - 31) with 2^30 <= m < 2^31::

    high(x, m)      = floor((x · m + 2^30) / 2^31)
    requantize(x)   = floor((high(x · 2^left, m) + 2^(right - 1)) / 2^right)

with left = max(shift, 0) and right = max(-shift, 0) (no rounding term when right = 0). Both
roundings go to nearest, ties upward. This is what LiteRT's optimized kernels compute (the
product by a rounding doubling high multiply, the shift by adding half and shifting), found by
comparing 13 million outputs; it is also what a Cortex-M computes fastest (SMMULR, ADD, ASR).
`netsuke/runtime/nsk_fixed.h` is the same arithmetic in C.

One exception, kept only to stay bit for bit with the files' origin: LiteRT's elementwise kernels
(add, sub, mul, mean, leaky relu, prelu, the last elements of a requantization ...) round the
second step to nearest with ties away from zero::

    requantize_away(x) = sign(h) · floor((|h| + 2^(right - 1)) / 2^right),  h = high(x · 2^left, m)

Found with scales that are powers of two, where ties are frequent: over all shapes and broadcasts
of add, sub and mul the first rule misses about 1 output in 20 and this one none.
"""

from __future__ import annotations

import math

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Quant

INT32_MAX = (1 << 31) - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Return (m, shift) with real = m · 2^(shift - 31), 2^30 <= m < 2^31; (0, 0) for tiny reals.

    Examples
    --------
    >>> quantize_multiplier(0.5)
    (1073741824, 0)
    >>> quantize_multiplier(3.0)
    (1610612736, 2)
    """
    if real < 0 or not math.isfinite(real):
        raise QuantizationError("multiplier", f"{real} is not a finite factor >= 0")
    mantissa, exponent = math.frexp(real)
    multiplier = math.floor(mantissa * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, exponent = multiplier // 2, exponent + 1
    if exponent < -31 or multiplier == 0:
        return 0, 0
    if exponent > 30:
        raise QuantizationError("multiplier", f"{real:g} is beyond 2^30; the scales do not match")
    return multiplier, exponent


def high(x: Array, multiplier: Array | int) -> Array:
    """floor((x · multiplier + 2^30) / 2^31) for int32 values held in int64."""
    return (x.astype(np.int64) * np.asarray(multiplier, np.int64) + (1 << 30)) >> 31


def requantize(x: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """Scale int32 accumulators by m · 2^(shift - 31); see the module's formula.

    Values beyond int32 after the left shift saturate, as the C does.

    Parameters
    ----------
    x
        Accumulators (any integer type, values within int32).
    multiplier, shift
        From `quantize_multiplier`; scalars or arrays that broadcast against `x`.

    Returns
    -------
    ndarray of int64
        Values before the zero point is added and the clamp applied.
    """
    scaled, right = _scale(x, multiplier, shift)
    return (scaled + ((np.int64(1) << right) >> 1)) >> right


def requantize_away(x: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """`requantize` with the ties of its last step away from zero; see the module's exception."""
    scaled, right = _scale(x, multiplier, shift)
    half = (np.int64(1) << right) >> 1
    return (scaled + half - ((scaled < 0) & (right > 0))) >> right


def _scale(x: Array, multiplier: Array | int, shift: Array | int) -> tuple[Array, Array]:
    """high(x · 2^left, multiplier), and the right shift that remains."""
    shift = np.asarray(shift, np.int64)
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    shifted = np.clip(x.astype(np.int64) << left, -INT32_MAX - 1, INT32_MAX)
    return high(shifted, multiplier), right


def clamp_bounds(low: float, high: float, quant: Quant) -> tuple[int, int]:
    """Stored bounds of a real clamp [low, high]: round(bound / scale) + zero point, in range.

    The division is in float32 and rounds half away from zero, as TensorFlow Lite does.
    """
    smallest, largest = quant.range
    scale, zero = np.float32(quant.scale[0]), quant.zero_point[0]

    def stored(bound: float) -> int:
        with np.errstate(over="ignore"):  # a tiny scale: any bound is beyond the range
            ratio = float(np.clip(np.float32(bound) / scale, -INT32_MAX, INT32_MAX))
        return int(math.copysign(math.floor(abs(ratio) + 0.5), ratio)) + zero

    lower = smallest if low == -math.inf else min(max(smallest, stored(low)), largest)
    upper = largest if high == math.inf else max(min(largest, stored(high)), smallest)
    return lower, upper
