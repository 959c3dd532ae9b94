"""Random features with a linear model behind them → one graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Features
from netsuke.estimators.convert.linear import add_linear
from netsuke.estimators.rows import run_rows
from netsuke.ir import Graph, GraphBuilder, Quant


def expanded_graph(expansion: Any, estimator: Any, features: Features) -> Graph:
    """The graph of a fitted linear model on the features that `expansion` makes.

    Parameters
    ----------
    expansion
        A fitted transformer with `grid` and `add_features` (`FastfoodFeatures`).
    estimator
        A fitted linear classifier or regressor with ``coef_`` and ``intercept_``.
    features
        What stands between the person's features and the expansion's, and training rows.

    Raises
    ------
    UsageError
        When the estimator is not linear, or the features are scaled one by one.
    """
    if not hasattr(estimator, "coef_"):
        raise UsageError(f"{type(estimator).__name__} behind random features cannot be compiled")
    builder = GraphBuilder(type(estimator).__name__)
    quant, step, dtype = _quant(expansion, features)
    x = builder.input("features", (features.count,), dtype, quant)
    made = expansion.add_features(builder, x, step)
    weights = np.atleast_2d(np.asarray(estimator.coef_, np.float64))
    bias = np.broadcast_to(np.asarray(estimator.intercept_, np.float64), weights.shape[:1])
    unit = builder.tensors[made].quant
    assert unit is not None
    rows = None
    if features.samples is not None:
        stored = np.stack([quant.quantize(row) for row in features.samples.astype(np.float32)])
        rows = run_rows(builder.build([made]), stored.astype(dtype)).astype(np.float64)
    mode = "class" if hasattr(estimator, "classes_") else "scores"
    return builder.build([add_linear(builder, made, weights * unit.scale[0], bias, mode, rows)])


def _quant(expansion: Any, features: Features) -> tuple[Quant, float, str]:
    """Quantization of the person's features, the step of the expansion's, the stored type."""
    grid = expansion.grid()
    inner = expansion.stored_quant()
    step = float(grid.scale[0])
    if (features.shift == 0).all() and (features.factor == 1).all():
        return inner, step, grid.dtype
    if grid.dtype == "uint8":  # a scaled feature has a sign of its own
        raise UsageError("features behind a scaler are no small integers; fit on reals")
    scale = step / features.factor
    zero = -np.rint(features.shift / scale).astype(np.int64)
    scales, zeros = tuple(map(float, scale)), tuple(map(int, zero))
    return Quant(scales, zeros, 0, inner.bits), step, grid.dtype
