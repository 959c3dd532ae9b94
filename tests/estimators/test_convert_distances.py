"""Support vector machines and neighbours as graphs predict what scikit-learn predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from netsuke.errors import UsageError
from netsuke.estimators.convert import to_graph
from netsuke.estimators.rows import run_rows
from netsuke.ir import Array, Graph


def outputs(graph: Graph, rows: Array) -> Array:
    x = graph.tensors[graph.inputs[0]]
    assert x.quant is not None
    stored = np.stack([x.quant.quantize(row) for row in np.asarray(rows, np.float32)])
    return run_rows(graph, stored.astype(x.dtype)).ravel()


@pytest.mark.parametrize(
    "model", [SVC(C=5), KNeighborsClassifier(3)], ids=lambda m: type(m).__name__
)
def test_digits_are_told_apart_as_in_reals(model: Any) -> None:
    X, y = load_digits(return_X_y=True)
    model.fit(X[:400], y[:400])
    graph = to_graph(model, X[:400])
    assert graph.tensors["features"].dtype == "uint8"
    assert (outputs(graph, X[400:900]) == model.predict(X[400:900])).mean() >= 0.996


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
@pytest.mark.parametrize("model", [SVC(), KNeighborsClassifier(5)], ids=lambda m: type(m).__name__)
def test_a_scaler_in_front_is_folded_away(model: Any, load: Any) -> None:
    X, y = load(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    assert (outputs(to_graph(pipeline, X), X) == pipeline.predict(X)).mean() > 0.985


def test_a_regression_by_neighbours_keeps_its_values() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = KNeighborsRegressor(4).fit(X, y)
    graph = to_graph(model, X)
    quant = graph.tensors[graph.outputs[0]].quant
    assert quant is not None
    error = np.abs(quant.dequantize(outputs(graph, X)) - model.predict(X))
    assert np.median(error) < 0.1, "rows with the same neighbours"
    assert (error < 0.1).mean() > 0.85, "int8 features swap few neighbours"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (SVC(kernel="poly"), "take kernel='rbf'"),
        (SVC(break_ties=True, decision_function_shape="ovr"), "break_ties"),
        (KNeighborsClassifier(weights="distance"), "uniform"),
        (KNeighborsClassifier(p=1), "Euclid"),
    ],
)
def test_what_is_not_served_is_refused(model: Any, said: str) -> None:
    X, y = load_wine(return_X_y=True)
    with pytest.raises(UsageError, match=said):
        to_graph(model.fit(X, y), X)
