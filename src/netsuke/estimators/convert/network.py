"""scikit-learn's multi-layer perceptrons → `Projection` layers and a `LinearModel`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Features, fold
from netsuke.estimators.convert.linear import add_linear
from netsuke.estimators.convert.rounding import rounded, unit_factors
from netsuke.ir import Array, Graph, GraphBuilder
from netsuke.ops.projection import Projection

HIDDEN = {"relu": 0, "identity": -128}
"""Activation -> the smallest stored value of a unit."""

DRAWN = 2000
"""Rows that are drawn from what scalers know when there are no samples."""


def network_graph(estimator: Any, features: Features) -> Graph:
    """The graph of a fitted MLPClassifier or MLPRegressor; hidden units are int8.

    Every hidden unit has a scale of its own: it is positive, so it passes through a ReLU and is
    divided out of the next layer's weights.
    """
    if estimator.activation not in HIDDEN:
        raise UsageError(
            f"hidden units with {estimator.activation!r} cannot be compiled; fit the network with "
            f"activation={' or '.join(map(repr, HIDDEN))}"
        )
    builder = GraphBuilder(type(estimator).__name__)
    grid = features.grid("int8")
    x = builder.input("features", (features.count,), grid.dtype, grid.quant)
    stored = grid.stored(_rows(features)).astype(np.float64)
    layers = [
        (np.asarray(w, np.float64).T, np.asarray(b, np.float64))
        for w, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ]
    layers[0] = fold(*layers[0], features, grid)
    for number, (weights, bias) in enumerate(layers[:-1]):
        x, stored, scale = _hidden(builder, x, weights, bias, stored, estimator.activation)
        following, start = layers[number + 1]
        layers[number + 1] = following * scale, start
    mode = "class" if hasattr(estimator, "classes_") else "scores"
    return builder.build((add_linear(builder, x, *layers[-1], mode, stored),))


def _hidden(
    builder: GraphBuilder, x: str, weights: Array, bias: Array, stored: Array, activation: str
) -> tuple[str, Array, Array]:
    """Append a hidden layer; return its output, its values for the rows, its units' scales."""
    real = stored @ weights.T + bias
    largest = np.maximum(np.abs(real).max(0), 1e-9)
    # unit = (w + bias) >> shift, with 127 for the largest weight and for the largest unit
    factor = unit_factors(weights, stored)
    shift = max(0, math.ceil(math.log2(float(np.median(largest * factor)) / 127.0)))
    factor = np.minimum(factor, 127.0 * 2.0**shift / largest)
    integers = rounded(weights, factor[:, None])
    lost = (weights * factor[:, None] - integers) @ stored.mean(0)
    half = (1 << shift) >> 1
    start = np.clip(np.rint(bias * factor + lost), -(1 << 30), 1 << 30).astype(np.int32) + half
    low = HIDDEN[activation]
    y = builder.one(
        Projection(shift, low, 127),
        x,
        builder.constant("weights", integers),
        builder.constant("bias", start),
        name="hidden",
    )
    values = (stored @ integers.T.astype(np.float64) + start) // 2.0**shift
    return y, np.clip(values, low, 127), 2.0**shift / factor


def _rows(features: Features) -> Array:
    """The samples, or rows drawn between the bounds that scalers know."""
    if features.samples is not None:
        return features.samples
    low, high = features.bounds()
    drawn = np.random.default_rng(0).normal(0.5, 0.125, (DRAWN, features.count))
    return low + np.clip(drawn, 0.0, 1.0) * (high - low)
