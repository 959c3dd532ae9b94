"""Support vector machines and nearest neighbours of scikit-learn → graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Features
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.kernel_machine import KernelMachine
from netsuke.ops.nearest import Nearest

ENTRIES = 256
"""Of the kernel's table."""

LARGEST = 32767
FAR = 1 << 22
"""Steps from zero beyond which float32 tells no half steps."""
NEGLIGIBLE = 1e-4
"""The kernel is 0 from here on."""


def vector_machine_graph(estimator: Any, features: Features) -> Graph:
    """The graph of a fitted SVC with the kernel ``exp(-γ |x - v|²)``; it gives the class.

    Raises
    ------
    UsageError
        For other kernels, or with ``break_ties``.
    """
    if estimator.kernel != "rbf":
        raise UsageError(
            f"SVC(kernel={estimator.kernel!r}) cannot be compiled; take kernel='rbf', or LinearSVC"
        )
    if estimator.break_ties:
        raise UsageError("SVC(break_ties=True) cannot be compiled; fit it without")
    vectors = np.asarray(estimator.support_vectors_, np.float64)
    dtype, quant, step, stored = _distance_grid(features, vectors)
    gamma = float(estimator._gamma) * step * step
    table, shift = _falling_table(gamma, len(vectors[0]))
    dual = np.asarray(estimator.dual_coef_, np.float64).T
    bias = np.asarray(estimator.intercept_, np.float64)
    # k has 15 bits, the sum of products loses 15: a duel stays in the units of the weights.
    factor = LARGEST / max(float(np.abs(dual).max()), 1e-12)
    weights = np.rint(dual * factor).astype(np.int16)
    reach = np.abs(weights.astype(np.int64)).sum(0).max() + np.abs(bias).max() * factor
    if reach >= 1 << 31:
        raise UsageError(f"{len(vectors):,} support vectors add up beyond 32 bits; use fewer")
    builder = GraphBuilder(type(estimator).__name__)
    names = [
        builder.input("features", (features.count,), dtype, quant),
        builder.constant("vectors", stored),
        builder.constant("weights", weights),
        builder.constant("biases", np.rint(bias * factor).astype(np.int32)),
        builder.constant("counts", np.asarray(estimator.n_support_, np.int32)),
        builder.constant("kernel", table),
    ]
    return builder.build([builder.one(KernelMachine(shift), *names, name="class")])


def _falling_table(gamma: float, features: int) -> tuple[Array, int]:
    """``exp(-gamma r)`` in 15 bits at steps of 2^shift, with a step for the last entry's fall."""
    farthest = min(-np.log(NEGLIGIBLE) / gamma, features * 65025.0)
    shift = int(np.clip(np.ceil(np.log2(max(farthest / (ENTRIES - 2), 1.0))), 0, 15))
    entries = int(min(np.ceil(farthest / 2**shift) + 2, ENTRIES))
    table = np.rint(LARGEST * np.exp(-gamma * np.arange(entries) * 2.0**shift))
    table[-1] = 0
    return table.astype(np.int16), shift


def neighbours_graph(estimator: Any, features: Features) -> Graph:
    """The graph of a fitted KNeighborsClassifier or KNeighborsRegressor: all rows are compared.

    Raises
    ------
    UsageError
        For weights other than uniform, metrics other than Euclid's, or several outputs.
    """
    metric = estimator.effective_metric_
    if estimator.weights != "uniform" or metric != "euclidean":
        raise UsageError(
            f"neighbours with weights={estimator.weights!r} and the metric {metric!r} cannot be "
            "compiled; take weights='uniform' and Euclid's metric"
        )
    labels = np.asarray(estimator._y)
    if labels.ndim > 1 and labels.shape[1] > 1:
        raise UsageError("neighbours with several outputs cannot be compiled")
    rows = estimator._fit_X
    rows = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, np.float64)
    dtype, quant, _, stored = _distance_grid(features, rows)
    builder = GraphBuilder(type(estimator).__name__)
    x = builder.input("features", (features.count,), dtype, quant)
    v = builder.constant("vectors", stored)
    count = int(estimator.n_neighbors)
    if hasattr(estimator, "classes_"):
        values = builder.constant("classes", labels.ravel().astype(np.int16))
        return builder.build([builder.one(Nearest(count), x, v, values, name="class")])
    values_real = labels.ravel().astype(np.float64)
    middle = float(values_real.min() + values_real.max()) / 2
    scale = max(float(np.abs(values_real - middle).max()), 1e-12) / LARGEST
    values = builder.constant("values", np.rint((values_real - middle) / scale).astype(np.int16))
    result = Quant((scale / count,), (-round(middle * count / scale),), bits=32)
    return builder.build(
        [builder.one(Nearest(count, "sum"), x, v, values, name="scores", quant=result)]
    )


def _distance_grid(features: Features, seen: Array) -> tuple[str, Quant, float, Array]:
    """One step for all features, so that distances keep their meaning.

    Parameters
    ----------
    features
        What stands between the person's features and those that the estimator sees.
    seen
        Rows ``(n, features)`` of the estimator.

    Returns
    -------
    dtype, quant
        Of the person's features as the device stores them.
    step
        What one integer is worth for the estimator.
    stored
        The rows as the device stores them.
    """
    raw = (features.factor == 1).all() and (features.shift == 0).all()
    if raw and (seen == np.rint(seen)).all():
        for dtype, low, high in (("uint8", 0, 255), ("int8", -128, 127)):
            if low <= seen.min() and seen.max() <= high:
                scheme = "unsigned" if dtype == "uint8" else "affine"
                return dtype, Quant((1.0,), (0,), scheme=scheme), 1.0, seen.astype(dtype)
    # real = (stored - zero) step / factor + shift, with a zero for each feature's middle
    low, high = seen.min(0), seen.max(0)
    step = max(float((high - low).max()), 1e-9) / 254
    middle = np.rint((low + high) / 2 / step)
    scale = np.asarray(step / features.factor, np.float32).astype(np.float64)
    zero = -np.rint(features.shift / scale) - middle
    stored = np.clip(np.rint(seen / step) - middle, -128, 127).astype(np.int8)
    lost = (low == high) & (np.abs(zero) > FAR)  # always the same, and finer than float32 tells
    scale = np.where(lost, np.abs(zero) * scale * 4, scale)
    zero, stored[:, lost] = np.where(lost, 0, zero), 0
    quant = Quant(tuple(map(float, scale)), tuple(int(z) for z in zero), 0)
    return "int8", quant, step, stored
