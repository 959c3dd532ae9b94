"""scikit-learn's linear models → a graph of one `LinearModel` node."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Features, fold
from netsuke.estimators.convert.rounding import calmed, joint_factor, rounded
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.linear_model import LinearModel

FARTHEST = 1 << 30
"""Zero points lie within."""


def linear_graph(estimator: Any, features: Features) -> Graph:
    """The graph of a fitted linear classifier or regressor.

    Classifiers give the position of the class in ``classes_``, regressors their prediction.
    """
    weights = np.atleast_2d(np.asarray(estimator.coef_, np.float64))
    bias = np.broadcast_to(np.asarray(estimator.intercept_, np.float64), weights.shape[:1])
    if weights.ndim != 2 or weights.shape[1] != features.count:
        raise UsageError(f"coef_ is {list(weights.shape)} for {features.count} features")
    classes = len(getattr(estimator, "classes_", ()))
    if classes and len(weights) != (1 if classes == 2 else classes):
        raise UsageError(
            f"{type(estimator).__name__} decides between {classes} classes by "
            f"{len(weights)} scores, which is no linear model that can be compiled"
        )
    if hasattr(estimator, "classes_") and np.asarray(estimator.classes_).ndim != 1:
        raise UsageError("only one label a row can be compiled")
    mode = "class" if hasattr(estimator, "classes_") else "scores"
    builder = GraphBuilder(type(estimator).__name__)
    grid = features.grid()
    x = builder.input("features", (features.count,), grid.dtype, grid.quant)
    rows = None if features.samples is None else grid.stored(features.samples).astype(np.float64)
    folded = fold(weights, bias, features, grid)
    if rows is not None and features.samples is not None:
        scores = features.seen(features.samples) @ weights.T + bias
        folded = calmed(*folded, grid.dtype, rows, scores)
    return builder.build((add_linear(builder, x, *folded, mode, rows),))


def add_linear(
    builder: GraphBuilder, x: str, weights: Array, bias: Array, mode: str, rows: Array | None
) -> str:
    """Append the node of ``weights @ stored + bias`` and return its output's name.

    `rows` are stored integers ``(m, features)`` on which rounding is judged.
    """
    zero = 0
    if mode == "scores" and len(weights) == 1:  # what all rows have in common is a zero point
        middle = 0.0 if rows is None else float((weights @ rows.mean(0))[0])
        common, bias = float(bias[0]) + middle, np.array([-middle])
        factor = joint_factor(weights, bias, builder.tensors[x].dtype, rows)
        factor = min(factor, FARTHEST / max(abs(common), 1e-30))
        zero = -round(common * factor)
    else:
        factor = joint_factor(weights, bias, builder.tensors[x].dtype, rows)
    stored = rounded(weights, factor)
    start = np.rint(bias * factor)
    if rows is not None:  # what rounding adds on the mean is known
        start = np.rint(bias * factor + (weights * factor - stored) @ rows.mean(0))
    w, b = builder.constant("weights", stored), builder.constant("bias", start.astype(np.int32))
    if mode == "class":
        return builder.one(LinearModel("class"), x, w, b, name="class")
    return builder.one(
        LinearModel("scores"),
        *(x, w, b),
        name="scores",
        quant=Quant((1.0 / factor,), (zero,), bits=32),
    )
