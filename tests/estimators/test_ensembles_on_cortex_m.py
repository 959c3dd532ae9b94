"""Classical models on an emulated Cortex-M0+ give the same bits as Python."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.estimators import FastfoodFeatures, SoftDecisionTreeClassifier
from netsuke.estimators.convert import to_graph
from netsuke.estimators.rows import run_rows
from netsuke.verify.unicorn import UnicornModel


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(6, max_depth=6, random_state=0),
        GradientBoostingClassifier(n_estimators=2, random_state=0),
        SoftDecisionTreeClassifier(3, n_init=1, max_iter=20, random_state=0),
        make_pipeline(FastfoodFeatures(5e-4, 64, random_state=0), RidgeClassifier()),
        SVC(C=5.0),
        KNeighborsClassifier(3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_every_row_is_equal(model: object) -> None:
    X, y = load_digits(return_X_y=True)
    graph = to_graph(model.fit(X[:200], y[:200]), X[:200])  # type: ignore[attr-defined]
    x = graph.tensors["features"]
    assert x.quant is not None
    rows = np.stack([x.quant.quantize(row) for row in X[200:212].astype(np.float32)])
    device = UnicornModel(compile_graph(graph, nk.device("rpi-pico")))
    (got,) = device.run(rows.astype(x.dtype))
    np.testing.assert_array_equal(got, run_rows(graph, rows.astype(x.dtype)))
