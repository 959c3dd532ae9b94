"""A tree that learns row by row: scikit-learn's contract, a fixed pool, the device's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from netsuke.estimators.hoeffding_tree import HoeffdingTreeClassifier
from netsuke.estimators.rows import run_rows


@parametrize_with_checks([HoeffdingTreeClassifier()])
def test_it_is_a_classifier_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_it_learns_the_same_from_pieces_as_from_the_whole() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    whole = HoeffdingTreeClassifier(8, passes=1).fit(X, y)
    pieces = HoeffdingTreeClassifier(8)
    for start in range(0, len(X), 50):
        pieces.partial_fit(X[start : start + 50], y[start : start + 50], classes=[0, 1])
    assert (whole.predict_proba(X) == pieces.predict_proba(X)).all()
    assert pieces.score(X, y) > 0.85


def test_the_pool_never_grows_beyond_its_leaves() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(4000, 2))
    y = (np.floor(4 * X[:, 0]) + np.floor(4 * X[:, 1])).astype(int) % 2
    model = HoeffdingTreeClassifier(5, tie=0.3, passes=1)
    memory = model.partial_fit(X[:10], y[:10], classes=[0, 1]).learning_memory()
    for start in range(0, 4000, 500):
        model.partial_fit(X[start : start + 500], y[start : start + 500])
        assert model.n_leaves_ <= 5 and model.learning_memory() == memory
    # 5 leaves of (2 classes × (1 + 2 × 2 features) + ranges and a counter), and 4 splits
    assert model.n_leaves_ == 5 and memory == 5 * 4 * (2 * 5 + 5) + 4 * 8


def test_it_finds_the_cut_between_two_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 500)
    X = np.stack([rng.normal(size=500), rng.normal(loc=6.0 * y)], 1)
    model = HoeffdingTreeClassifier(2, passes=1).fit(X, y)
    assert model.tree_.feature[0] == 1 and 1.5 < model.tree_.threshold[0] < 4.5
    assert model.score(X, y) > 0.99


@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_the_device_says_what_python_says(load: Any) -> None:
    X, y = load(return_X_y=True)
    model = HoeffdingTreeClassifier(12).fit(X, y)
    graph = model.to_graph()
    x = graph.tensors["features"]
    assert x.quant is not None and x.dtype == ("uint8" if load is load_digits else "int16")
    stored = np.stack([x.quant.quantize(row) for row in X.astype(np.float32)]).astype(x.dtype)
    assert (model.classes_[run_rows(graph, stored).ravel()] == model.predict(X)).mean() > 0.99


def test_a_label_that_nobody_announced_is_refused() -> None:
    model = HoeffdingTreeClassifier().partial_fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="did not announce"):
        model.partial_fit([[2.0]], [2])


def test_a_row_of_weight_three_counts_like_three_rows() -> None:
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(X))
    X, y = X[order], y[order]
    weights = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    # Weighted rows and repeated ones are looked at in other places, so here is no look.
    settings: dict[str, Any] = {"max_leaves": 2, "grace_period": 10_000}
    weighted = HoeffdingTreeClassifier(**settings)
    repeated = HoeffdingTreeClassifier(**settings)
    weighted.partial_fit(X, y, classes=[0, 1, 2], sample_weight=weights)
    times = weights.astype(int)
    repeated.partial_fit(X.repeat(times, axis=0), y.repeat(times), classes=[0, 1, 2])
    one, other = weighted._pool, repeated._pool
    for kept in ("seen", "mean", "square", "low", "high", "votes", "waiting"):
        assert np.allclose(getattr(one, kept), getattr(other, kept)), kept
    assert (one.square >= 0).all()


def test_heavy_rows_decide_where_the_tree_splits_and_what_its_leaves_say() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    X = rng.normal(size=(400, 2)) + 6.0 * np.stack([y, 1 - y], 1) * (np.arange(400) % 2)[:, None]
    X[::2, 0] += 6.0 * y[::2]
    plain = HoeffdingTreeClassifier(2, passes=1).fit(X, y, np.where(np.arange(400) % 2, 0.0, 1.0))
    assert plain.tree_.feature[0] == 0 and plain.score(X[::2], y[::2]) > 0.98
    stump = HoeffdingTreeClassifier(1).partial_fit([[0.0], [0.0], [0.0]], [0, 0, 1])
    assert stump.predict([[0.0]])[0] == 0
    stump.partial_fit([[0.0]], [1], sample_weight=[4.5])
    assert stump.predict([[0.0]])[0] == 1
    with pytest.raises(ValueError, match="Negative values in sample_weight"):
        stump.partial_fit([[0.0]], [1], sample_weight=[-1.0])
