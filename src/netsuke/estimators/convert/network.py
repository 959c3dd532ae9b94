"""scikit-learn's multi-layer perceptrons → `Projection` layers and a `LinearModel`."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
    for number in range(len(layers) - 1):
        weights, bias = layers[number]
        following, start = layers[number + 1]
        low = HIDDEN[estimator.activation]
        layer = _hidden(weights, bias, stored, low, following)
        x = builder.one(
            Projection(layer.shift, low, 127),
            x,
            builder.constant("weights", layer.weights),
            builder.constant("bias", layer.bias),
            name="hidden",
        )
        stored, layers[number + 1] = layer.values, (following * layer.scale, start)
    mode = "class" if hasattr(estimator, "classes_") else "scores"
    return builder.build((add_linear(builder, x, *layers[-1], mode, stored),))


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """Integers of a hidden layer, its values for the rows, and what one of each unit is worth."""

    weights: Array
    bias: Array
    shift: int
    values: Array
    scale: Array


def _hidden(weights: Array, bias: Array, stored: Array, low: int, following: Array) -> _Layer:
    """The shift with which least is lost of what the next layer makes of the units."""
    real = np.maximum(stored @ weights.T + bias, -math.inf if low < 0 else 0.0)
    finest = unit_factors(weights, stored)
    largest = np.maximum(np.abs(real).max(0), 1e-9)
    worth = np.square(following).sum(0)
    most = max(0, math.ceil(math.log2(max(float((largest * finest).max()) / 127.0, 1.0))))
    best, least = None, math.inf
    for shift in range(most + 1):
        layer = _rounded(weights, bias, stored, low, shift, finest, largest)
        lost = float((np.square(layer.values * layer.scale - real).mean(0) * worth).sum())
        if lost < least:
            best, least = layer, lost
    assert best is not None  # nothing lost is finite
    return best


def _rounded(
    weights: Array,
    bias: Array,
    stored: Array,
    low: int,
    shift: int,
    finest: Array,
    largest: Array,
) -> _Layer:
    """unit = (w + bias) >> shift, with at most 127 for the largest weight and the largest unit."""
    factor = np.minimum(finest, 127.0 * 2.0**shift / largest)
    integers = rounded(weights, factor[:, None])
    lost = (weights * factor[:, None] - integers) @ stored.mean(0)
    half = (1 << shift) >> 1
    start = np.clip(np.rint(bias * factor + lost), -(1 << 30), 1 << 30).astype(np.int32) + half
    values = (stored @ integers.T.astype(np.float64) + start) // 2.0**shift
    return _Layer(integers, start, shift, np.clip(values, low, 127), 2.0**shift / factor)


def _rows(features: Features) -> Array:
    """The samples, or rows drawn between the bounds that scalers know."""
    if features.samples is not None:
        return features.samples
    low, high = features.bounds()
    drawn = np.random.default_rng(0).normal(0.5, 0.125, (DRAWN, features.count))
    return low + np.clip(drawn, 0.0, 1.0) * (high - low)
