"""Tree ensembles of scikit-learn as graphs predict what scikit-learn predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import netsuke as nk
from netsuke.errors import UsageError
from netsuke.estimators.convert import Features, to_graph
from netsuke.estimators.convert.trees import tree_graph, trees_of_forest
from netsuke.estimators.forest_graph import forest_graph
from netsuke.estimators.threshold_grid import threshold_grid
from netsuke.ir import Array, Graph, interpret_batch
from netsuke.ops.forest import Trees, leaves_reached


def outputs(graph: Graph, rows: Array) -> Array:
    x = graph.tensors[graph.inputs[0]]
    assert x.quant is not None
    stored = np.stack([x.quant.quantize(row) for row in np.asarray(rows, np.float32)])
    (y,) = interpret_batch(graph, stored.astype(x.dtype))
    quant = graph.tensors[graph.outputs[0]].quant
    return y if quant is None else quant.dequantize(y)


CLASSIFIERS = [
    DecisionTreeClassifier(max_depth=6, random_state=0),
    RandomForestClassifier(8, max_depth=6, random_state=0),
    ExtraTreesClassifier(8, max_depth=6, random_state=0),
    GradientBoostingClassifier(n_estimators=5, max_depth=3, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=8, random_state=0),
]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("load", [load_breast_cancer, load_wine, load_digits])
def test_a_classifier_keeps_its_predictions(model: Any, load: Any) -> None:
    X, y = load(return_X_y=True)
    X, y = X[:300], y[:300]
    model.fit(X, y)
    graph = to_graph(model, X)
    same = model.classes_[outputs(graph, X).ravel()] == model.predict(X)
    assert same.mean() >= 0.99


REGRESSORS = [
    DecisionTreeRegressor(max_depth=5, random_state=0),
    RandomForestRegressor(8, max_depth=5, random_state=0),
    ExtraTreesRegressor(8, max_depth=5, random_state=0),
    GradientBoostingRegressor(n_estimators=10, random_state=0),
    HistGradientBoostingRegressor(max_iter=10, max_leaf_nodes=8, random_state=0),
]


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda m: type(m).__name__)
def test_a_regressor_keeps_its_values(model: Any) -> None:
    X, y = load_diabetes(return_X_y=True)
    model.fit(X, y)
    values = outputs(to_graph(model, X), X).ravel()
    assert np.abs(values - model.predict(X)).max() < 0.01 * np.ptp(y)


def test_integer_features_stay_as_they_are_and_no_row_changes_its_path() -> None:
    X, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(5, max_depth=8, random_state=0).fit(X, y)
    graph = forest_graph(trees_of_forest(model), 64, X, mode="leaves")
    assert graph.tensors["features"].dtype == "uint8"
    leaves = outputs(graph, X)
    paths = np.stack([tree.leaf_of(X.astype(np.float32)) for tree in trees_of_forest(model)], 1)
    assert (paths == model.apply(X)).all()
    for tree in range(5):
        pairs = {(int(a), int(b)) for a, b in zip(leaves[:, tree], paths[:, tree], strict=True)}
        assert len(pairs) == len(set(paths[:, tree].tolist())), "one leaf here is one leaf there"


def test_bytes_are_taken_where_they_keep_all_training_rows_apart() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1)).astype(np.float32)
    values = np.sort(X[:, 0])
    few = np.array([(values[50] + values[51]) / 2, (values[120] + values[121]) / 2])
    grid = threshold_grid(np.zeros(2, int), few, 1, X)
    assert (grid.grid.dtype, grid.straddled) == ("uint8", 0)
    stored = grid.grid.stored(X).ravel()
    for cut, integer in zip(few, grid.thresholds, strict=True):
        assert ((X[:, 0] <= cut) == (stored <= integer)).all()
    many = (values[:-1] + values[1:]) / 2
    wide = threshold_grid(np.zeros(len(many), int), many, 1, X)
    assert wide.grid.dtype == "int16", "199 neighbours closer than a 255th cannot be kept apart"


def test_a_scaler_in_front_is_folded_into_the_thresholds() -> None:
    X, y = load_wine(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(9, random_state=0)).fit(X, y)
    graph = to_graph(pipeline, X)
    assert (outputs(graph, X).ravel() == pipeline.predict(X)).all()


def test_integers_on_a_threshold_behind_a_scaler_go_where_the_tree_sends_them() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, (400, 3)) * 2.0  # thresholds lie on the odd integers between
    y = (x.sum(1) + rng.normal(size=400) * 30 > 120).astype(int)
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)).fit(x, y)
    rows = rng.integers(0, 80, (3000, 3)).astype(float)
    said = outputs(to_graph(model, x), rows)[:, 0]
    assert (said == model.predict(rows)).all()


def test_hard_votes_are_those_of_the_trees() -> None:
    X, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(7, max_depth=6, random_state=0).fit(X, y)
    features = Features(np.zeros(64), np.ones(64), samples=X)
    votes = np.stack([tree.predict(X) for tree in model.estimators_], 1).astype(int)
    expected = [int(np.bincount(row, minlength=10).argmax()) for row in votes]
    graph = tree_graph(model, features, vote="hard")
    assert (outputs(graph, X).ravel() == expected).all()


def test_leaves_share_rows_of_weights() -> None:
    X, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(20, max_depth=5, random_state=0).fit(X, y)
    graph = to_graph(model, X)
    trees = Trees.of(graph.in_of(graph.nodes[0]))
    assert len(np.unique(trees.leaves, axis=0)) == len(trees.leaves)
    assert leaves_reached(trees, X.astype(np.uint8)).max() < len(trees.leaves)


def test_several_outputs_are_refused() -> None:
    X, y = load_wine(return_X_y=True)
    model = RandomForestClassifier(3).fit(X, np.stack([y, y], 1))
    with pytest.raises(UsageError, match="2 outputs"):
        to_graph(model, X)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=6, random_state=0),
        RandomForestClassifier(7, max_depth=5, random_state=0),
        DecisionTreeRegressor(max_depth=6, random_state=0),
    ],
    ids=lambda m: type(m).__name__,
)
def test_trees_that_an_avr_runs_are_read_by_the_host_as_well(model: Any) -> None:
    X, y = load_digits(return_X_y=True)
    artifact = nk.compile(model.fit(X, y), "arduino-uno", X)
    assert any(path.name == "forest_u8_avr.c" for path in artifact.files)
    for place in ("host", "sanitizers"):
        assert nk.verify(artifact, on=(place,), inputs=(X[:200],)).bit_exact


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_thresholds_that_no_float32_tells_apart_are_refused(size: float) -> None:
    with pytest.raises(UsageError, match="beyond float32"):
        threshold_grid(np.zeros(2, int), np.array([-size, size]), 1, None)
