"""Explanations add up to the scores, and their paths are those that the models take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from netsuke.errors import UsageError
from netsuke.estimators import (
    HoeffdingTreeClassifier,
    RefinedForestClassifier,
    SoftDecisionTreeClassifier,
    explain,
)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=4, random_state=0),
        RandomForestClassifier(5, max_depth=4, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        RefinedForestClassifier(n_estimators=4, max_depth=4, random_state=0),
        SoftDecisionTreeClassifier(3, random_state=0),
        HoeffdingTreeClassifier(6),
        LogisticRegression(max_iter=5000),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_contributions_add_up_to_the_scores_that_predict(model: Any, load: Any) -> None:
    X, y = load(return_X_y=True)
    model.fit(X, y)
    for row in X[::60]:
        told = explain(model, row)
        assert np.allclose(told.base + told.contributions.sum(0), told.scores)
        assert told.prediction == model.predict(row[None])[0]
        if len(told.outputs) > 1:
            assert told.outputs[int(told.scores.argmax())] == str(told.prediction)
        assert f"prediction: {told.prediction}" in told.text()


@pytest.mark.parametrize(
    "model", [DecisionTreeRegressor(max_depth=4), HistGradientBoostingRegressor(max_iter=5)]
)
def test_the_score_of_a_regression_is_its_value(model: Any) -> None:
    X, y = load_diabetes(return_X_y=True)
    model.fit(X, y)
    assert explain(model, X[3]).scores[0] == pytest.approx(model.predict(X[3:4])[0])


def test_probabilities_of_a_forest_are_its_scores() -> None:
    X, y = load_iris(return_X_y=True)
    model = RandomForestClassifier(7, random_state=0).fit(X, y)
    assert np.allclose(explain(model, X[77]).scores, model.predict_proba(X[77:78])[0])


def test_the_path_names_features_values_and_thresholds_in_the_person_s_units() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    told = explain(model, X.iloc[0])
    name = X.columns[model.tree_.feature[0]]
    value, cut = float(X[name].iloc[0]), model.tree_.threshold[0]
    assert told.path[0].text == f"{name} = {value:.6g} <= {cut:.6g}"
    assert len(told.path) == len(model.decision_path(X.iloc[:1]).indices) - 1


def test_the_path_of_a_soft_tree_is_the_one_that_the_device_takes() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = SoftDecisionTreeClassifier(3, random_state=0).fit(X, y)
    told = explain(model, X[5])
    turns = [int(step.text.endswith("> 0")) for step in told.path]
    assert int("".join(map(str, turns)), 2) == model.apply(X[5:6])[0]


def test_what_cannot_be_explained_says_so() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(UsageError, match="KMeans cannot be explained"):
        explain(KMeans(3, n_init=1).fit(X), X[0])
    with pytest.raises(UsageError, match="rows of 4 features, 3 are given"):
        explain(DecisionTreeClassifier().fit(X, y), X[0, :3])
