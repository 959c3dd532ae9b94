"""What a converter knows about the features that a model reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.errors import DataError, UsageError
from netsuke.ir import Array, Quant

REACH = 4.0
"""Standard deviations on both sides of the mean that features are taken to stay within."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The features of one row, and what stands between them and the estimator.

    The estimator sees ``(x - shift) * factor``; scalers in front of it are folded away so that the
    device reads the person's own units.

    Attributes
    ----------
    shift, factor
        ``(n,)`` float64.
    low, high
        ``(n,)`` between which values each feature is expected, as scalers know it, or None.
    samples
        Rows ``(m, n)`` in the person's units, or None.
    names
        Of the columns, if the estimator was fitted with names.
    """

    shift: Array
    factor: Array
    low: Array | None = None
    high: Array | None = None
    samples: Array | None = None
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.shift)

    def seen(self, rows: Array) -> Array:
        """What the estimator sees of rows in the person's units."""
        return (np.asarray(rows, np.float64) - self.shift) * self.factor

    def bounds(self) -> tuple[Array, Array]:
        """The smallest and largest expected value of each feature.

        Raises
        ------
        UsageError
            When neither samples nor a scaler tell.
        """
        if self.samples is not None:
            return self.samples.min(0), self.samples.max(0)
        if self.low is None or self.high is None:
            raise UsageError(
                "between which values the features lie is not known: give training samples "
                "(samples=X, or --data FILE), or put a StandardScaler or MinMaxScaler in front"
            )
        return self.low, self.high

    def grid(self, dtype: str | None = None) -> Grid:
        """Integers for the features; raw ones where all samples are small integers.

        Parameters
        ----------
        dtype
            ``int8`` or ``int16`` to force one; by default int8, or what raw integers need.
        """
        low, high = self.bounds()
        if self.samples is not None and (self.samples == np.rint(self.samples)).all():
            for name in (dtype,) if dtype else ("int8", "uint8", "int16"):
                limits = np.iinfo(name)
                if limits.min <= low.min() and high.max() <= limits.max:
                    return Grid(name, np.ones(self.count), np.zeros(self.count, np.int64))
        limits = np.iinfo(dtype or "int8")
        span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
        scale = np.asarray(span / (limits.max - limits.min), np.float32).astype(np.float64)
        zero = limits.min - np.rint(low / scale)
        if np.abs(zero).max(initial=0) > 1 << 22:
            worst = int(np.abs(zero).argmax())
            raise DataError(
                f"feature {worst}",
                f"lies between {low[worst]:g} and {high[worst]:g}, too far from zero for its "
                "range; subtract a constant first",
            )
        return Grid(dtype or "int8", scale, zero.astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Integers of features: ``x = scale * (stored - zero)``.

    Attributes
    ----------
    dtype
        ``int8``, ``uint8`` or ``int16``.
    scale, zero
        ``(n,)`` float64 and int64.
    """

    dtype: str
    scale: Array
    zero: Array

    @property
    def quant(self) -> Quant:
        scheme = "unsigned" if self.dtype == "uint8" else "affine"
        bits = 16 if self.dtype == "int16" else 8
        if (self.scale == self.scale[0]).all() and (self.zero == self.zero[0]).all():
            return Quant((float(self.scale[0]),), (int(self.zero[0]),), None, bits, scheme)
        zeros = tuple(int(zero) for zero in self.zero)
        return Quant(tuple(map(float, self.scale)), zeros, 0, bits, scheme)

    def stored(self, rows: Array) -> Array:
        """Rows ``(m, n)`` in the person's units as the device takes them."""
        return np.stack([self.quant.quantize(row) for row in np.asarray(rows, np.float32)])


def fold(weights: Array, bias: Array, features: Features, grid: Grid) -> tuple[Array, Array]:
    """Weights and bias on stored integers of a layer ``weights @ seen + bias`` (all float64).

    What a feature adds that was never seen to change goes into the bias: its integers are too
    coarse for a scaler that subtracts nearly all of it.
    """
    low, high = features.bounds()
    fixed = low == high
    bias = bias + np.where(fixed, weights, 0.0) @ features.seen(low[None])[0]
    scaled = np.where(fixed, 0.0, weights * features.factor)
    shifted = bias - scaled @ features.shift
    folded = scaled * grid.scale
    return folded, shifted - folded @ grid.zero
