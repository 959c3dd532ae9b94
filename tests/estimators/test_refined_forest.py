"""Refined forests: scikit-learn's contract, smaller and better than what they start from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from netsuke.estimators.budget import table_bytes
from netsuke.estimators.refined_forest import RefinedForestClassifier
from netsuke.estimators.rows import run_rows


def _cannot(estimator: RefinedForestClassifier) -> dict[str, str]:
    """Checks that an estimator cannot pass, and why."""
    if estimator.estimator is not None:
        return {}
    drawn = "a random forest draws rows: others from repeated rows than from weighted ones"
    return {"check_sample_weight_equivalence_on_dense_data": drawn}


@parametrize_with_checks(
    [
        RefinedForestClassifier(n_estimators=5, max_leaves=40),
        RefinedForestClassifier(ExtraTreesClassifier(5, max_depth=6), max_leaves=40),
    ],
    expected_failed_checks=_cannot,
)
def test_it_is_a_classifier_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_weights_reach_the_forest_and_its_refinement() -> None:
    X, y = load_iris(return_X_y=True)
    weights = np.where(y == 2, 0.0, 1.0)
    start = RandomForestClassifier(4, bootstrap=False)
    model = RefinedForestClassifier(start, max_leaves=12, random_state=0)
    told = model.fit(X, y, weights)
    assert list(told.classes_) == [0, 1]
    alone = RefinedForestClassifier(start, max_leaves=12, random_state=0).fit(X[y < 2], y[y < 2])
    assert np.allclose(told.decision_function(X), alone.decision_function(X))
    # Where two classes overlap, the heavier one gets the doubtful rows.
    few = RefinedForestClassifier(start, max_leaves=8, random_state=0)
    shares = [
        (few.fit(X[:, :2], y, np.where(y == heavy, 50.0, 1.0)).predict(X[:, :2]) == 1).mean()
        for heavy in (1, 2)
    ]
    assert shares[0] > shares[1] + 0.2
    with pytest.raises(ValueError, match="Negative values in sample_weight"):
        model.fit(X, y, -np.ones(len(y)))


def test_a_pruned_forest_beats_a_forest_of_its_size() -> None:
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    refined = RefinedForestClassifier(
        ExtraTreesClassifier(20, max_depth=8), max_leaves=300, step=0.3, C=0.1, random_state=0
    ).fit(a, c)
    plain = RandomForestClassifier(20, max_leaf_nodes=15, random_state=0).fit(a, c)
    assert refined.n_leaves_ == 300 == sum(tree.get_n_leaves() for tree in plain.estimators_)
    assert refined.score(b, d) > plain.score(b, d) + 0.03


def test_the_budget_of_bytes_is_that_of_the_device_s_tables() -> None:
    X, y = load_digits(return_X_y=True)
    model = RefinedForestClassifier(n_estimators=10, max_bytes=3000, step=0.4, random_state=0)
    graph = model.fit(X, y).to_graph()
    assert 2000 < table_bytes(graph) <= 3000


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_digits])
def test_the_integers_decide_as_the_reals(load: Any) -> None:
    X, y = load(return_X_y=True)
    model = RefinedForestClassifier(n_estimators=8, max_depth=5, random_state=0).fit(X, y)
    graph = model.to_graph()
    tensor = graph.tensors["features"]
    assert tensor.quant is not None
    stored = np.stack([tensor.quant.quantize(row) for row in X.astype(np.float32)])
    decided = model.classes_[run_rows(graph, stored.astype(tensor.dtype)).ravel()]
    assert (decided == model.predict(X)).mean() > 0.985


def test_two_fits_are_the_same_and_a_search_works() -> None:
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(), RefinedForestClassifier(n_estimators=4, random_state=3)
    )
    search = GridSearchCV(pipeline, {"refinedforestclassifier__max_leaves": [4, 20]}, cv=2)
    first, second = (search.fit(X, y).predict(X) for _ in range(2))
    assert (first == second).all() and search.best_score_ > 0.9


def test_pandas_frames_keep_their_names() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = RefinedForestClassifier(n_estimators=3, random_state=0).fit(X, y)
    assert list(model.feature_names_in_) == list(X.columns)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"step": 0.0}, "step lies in"), ({"n_estimators": 9, "max_leaves": 8}, "for each tree")],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], said: str) -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=said):
        RefinedForestClassifier(**settings).fit(X, y)
