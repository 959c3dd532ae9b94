"""Fastfood approximates the Gaussian kernel, in scikit-learn and on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.kernel_approximation import RBFSampler
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from netsuke.errors import UsageError
from netsuke.estimators.convert import to_graph
from netsuke.estimators.fastfood import FastfoodFeatures
from netsuke.estimators.rows import run_rows
from netsuke.ir import Array, Graph


@parametrize_with_checks([FastfoodFeatures()])
def test_it_is_a_transformer_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def stored(graph: Graph, rows: Array) -> Array:
    x = graph.tensors[graph.inputs[0]]
    assert x.quant is not None
    return np.stack([x.quant.quantize(row) for row in np.asarray(rows, np.float32)]).astype(x.dtype)


@pytest.mark.parametrize("features", [3, 16, 50])
def test_the_error_of_the_kernel_falls_as_with_independent_draws(features: int) -> None:
    X = np.random.default_rng(1).normal(size=(30, features))
    exact = rbf_kernel(X, gamma=0.5 / features)
    errors = {}
    for kind in (FastfoodFeatures, RBFSampler):
        drawn = [
            kind(gamma=0.5 / features, n_components=1024, random_state=seed).fit_transform(X)
            for seed in range(4)
        ]
        errors[kind] = np.mean([np.abs(Z @ Z.T - exact).mean() for Z in drawn])
    assert errors[FastfoodFeatures] < 1.3 * errors[RBFSampler] < 0.05


def test_the_graph_gives_the_features_in_int8() -> None:
    X, _ = load_digits(return_X_y=True)
    model = FastfoodFeatures(gamma=0.0005, n_components=100, random_state=0).fit(X)
    graph = model.to_graph()
    quant = graph.tensors[graph.outputs[0]].quant
    assert quant is not None and graph.tensors["features"].dtype == "uint8"
    made = quant.dequantize(run_rows(graph, stored(graph, X[:100])))
    difference = np.abs(made - model.transform(X[:100])) / np.sqrt(2 / 100)
    assert difference.max() < 0.1 and difference.mean() < 0.02


@pytest.mark.parametrize("scaled", [False, True])
def test_a_linear_model_behind_it_keeps_its_predictions(scaled: bool) -> None:
    X, y = load_breast_cancer(return_X_y=True) if scaled else load_digits(return_X_y=True)
    gamma = 0.01 if scaled else 0.0005
    steps = [FastfoodFeatures(gamma, 64, random_state=0), LinearSVC(C=10, dual=False)]
    model = make_pipeline(*([StandardScaler()] if scaled else []), *steps).fit(X, y)
    graph = to_graph(model, X)
    assert [node.op.kind for node in graph.nodes] == ["fastfood", "linear_model"]
    same = run_rows(graph, stored(graph, X)).ravel() == model.predict(X)
    assert same.mean() > 0.99


def test_many_features_get_fewer_bits_so_that_sums_stay_in_16_bits() -> None:
    X = np.random.default_rng(0).normal(size=(20, 1000))
    model = FastfoodFeatures(gamma=0.001, n_components=8, random_state=0).fit(X)
    graph = model.to_graph()
    quant = graph.tensors["features"].quant
    assert quant is not None and quant.range == (-16, 15)


def test_a_gamma_that_turns_a_step_too_far_is_refused() -> None:
    X = np.random.default_rng(0).integers(0, 200, (20, 8)).astype(float)
    with pytest.raises(UsageError, match="smaller gamma"):
        FastfoodFeatures(gamma=1000.0).fit(X).to_graph()


def test_a_grid_search_finds_the_gamma_that_classifies() -> None:
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X, y, random_state=0)
    pipeline = make_pipeline(FastfoodFeatures(n_components=64, random_state=0), LinearSVC())
    grid = {"fastfoodfeatures__gamma": [1e-6, 5e-4]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(a, c)
    assert search.best_params_["fastfoodfeatures__gamma"] == 5e-4
    assert search.score(b, d) > 0.9
