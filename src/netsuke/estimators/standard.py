"""Stored integers as numbers around zero for training, and trained matrices back as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.estimators.grid import FeatureGrid
from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ir import Array, GraphBuilder, Quant
from netsuke.ops import Projection

INT32 = (1 << 31) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """x = (stored - mean) / 2^exponent.

    One power of two for all features: so a weight times 2^e of x is the same integer as one of
    the stored features, and the device never standardizes.
    """

    mean: Array
    exponent: int

    def apply(self, stored: Array) -> Array:
        """float32 ``(n, features)`` of int8."""
        return np.ldexp(stored - self.mean, -self.exponent).astype(np.float32)


def fit_standard(stored: Array, weights: Array) -> Standard:
    """Means of the features; the power of two next to their common standard deviation."""
    mean = np.average(stored.astype(np.float64), axis=0, weights=weights)
    variance = np.average(np.square(stored - mean).mean(axis=1), weights=weights)
    return Standard(mean, max(0, round(float(np.log2(max(variance, 1.0)) / 2))))


def add_input(builder: GraphBuilder, grid: FeatureGrid) -> str:
    """Declare the features as the graph's input."""
    name = builder.input("features", (len(grid.scale),), "int8", grid.quant)
    if grid.port is not None:
        builder.ports[name] = grid.port
    return name


def add_projection(
    builder: GraphBuilder,
    x: str,
    standard: Standard,
    form: PowerOfTwo,
    params: Params,
    fraction: int,
    low: int = -128,
) -> str:
    """Append z = Z x + b in integers with `fraction` bits behind the point; return its name.

    With Z = A · 2^-e, A integers, and x as in `Standard`::

        z · 2^f = (Σ A · stored + b') >> s,   s = e + exponent - f
        b' = offset · 2^(e + exponent) - Σ A · mean + 2^(s - 1)
    """
    exponent = form.exponent(params["projection"])
    integers = form.integers(params["projection"].astype(np.float64), exponent)
    total = exponent + standard.exponent
    shift = total - fraction
    bias = np.ldexp(params["offset"].astype(np.float64), total) - integers @ standard.mean
    bias = np.rint(bias) + ((1 << shift) >> 1)
    return builder.one(
        Projection(shift, low),
        x,
        builder.constant("projection", integers.astype(np.int8)),
        builder.constant("offset", np.clip(bias, -INT32 // 2, INT32 // 2).astype(np.int32)),
        name="projected",
        quant=Quant((2.0**-fraction,)),
    )
