"""Trees that river has grown: scikit-learn's contract, and the device's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from netsuke.errors import UsageError
from netsuke.estimators import RiverTreeClassifier, explain
from netsuke.estimators.search.trial import predictions

tree = pytest.importorskip("river.tree", reason="river is not installed")


@parametrize_with_checks([RiverTreeClassifier()])
def test_it_is_a_classifier_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def _trained(kind: str, X: Any, y: Any, names: list[str], **options: Any) -> Any:
    settings = {"grace_period": 50, "delta": 1e-2, "tau": 0.1, "leaf_prediction": "mc"}
    model = getattr(tree, kind)(**(settings | options))
    for row, label in zip(X.tolist(), y.tolist(), strict=True):
        model.learn_one(dict(zip(names, row, strict=True)), label)
    return model


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    ("kind", "options", "load"),
    [
        ("HoeffdingTreeClassifier", {"tau": 0.3}, load_digits),
        ("ExtremelyFastDecisionTreeClassifier", {}, load_breast_cancer),
        ("HoeffdingAdaptiveTreeClassifier", {"seed": 1}, load_breast_cancer),
    ],
)
def test_python_and_the_device_s_integers_say_what_river_says(
    kind: str, options: dict[str, Any], load: Any
) -> None:
    X, y = load(return_X_y=True)
    X, y = X[:600], y[:600]
    names = [f"f{number}" for number in range(X.shape[1])][::-1]
    model = _trained(kind, X, y, names, **options)
    fitted = RiverTreeClassifier.of(model, names, X)
    said = [model.predict_one(dict(zip(names, row, strict=True))) for row in X.tolist()]
    assert fitted.n_leaves_ == model.n_leaves > 1
    assert (fitted.predict(X) == said).all()
    graph = fitted.to_graph()
    assert graph.tensors["features"].dtype == ("uint8" if load is load_digits else "int16")
    assert (fitted.classes_[predictions(graph, X)] == said).mean() > 0.995


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_trained_tree_goes_on_learning_and_explains_itself() -> None:
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    quick = {"grace_period": 20, "tau": 0.5}
    model = _trained("HoeffdingTreeClassifier", X, y, names, **quick)
    fitted = RiverTreeClassifier.of(model, names)
    before = fitted.tree_.value.sum()
    fitted.partial_fit(X, y)
    assert fitted.tree_.value.sum() > before and fitted.score(X, y) > 0.6
    told = explain(fitted, X[0])
    assert told.prediction == fitted.predict(X[:1])[0]
    assert any(told.path[0].text.startswith(name) for name in names)


def test_pieces_give_the_tree_that_the_whole_gives() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    whole = RiverTreeClassifier(passes=1).fit(X, y)
    pieces = RiverTreeClassifier()
    for start in range(0, len(X), 100):
        pieces.partial_fit(X[start : start + 100], y[start : start + 100], classes=[0, 1])
    assert (whole.predict_proba(X) == pieces.predict_proba(X)).all() and whole.n_leaves_ > 1


def test_what_cannot_be_compiled_says_why() -> None:
    X = np.array([[float(n % 3), n / 60] for n in range(300)])
    y = (X[:, 0] == 1).astype(int)
    model = _trained("HoeffdingTreeClassifier", X, y, ["kind", "size"], nominal_attributes=["kind"])
    with pytest.raises(UsageError, match="'kind' into categories"):
        RiverTreeClassifier.of(model, ["kind", "size"])
    plain = _trained("HoeffdingTreeClassifier", X, X[:, 1] > 2, ["kind", "size"])
    with pytest.raises(UsageError, match="splits on 'size', which features does not name"):
        RiverTreeClassifier.of(plain, ["kind"])
    with pytest.raises(UsageError, match="no fitted Hoeffding tree"):
        RiverTreeClassifier.of(tree.HoeffdingTreeClassifier(), ["kind", "size"])
    asking = _trained("HoeffdingTreeClassifier", X, y, ["a", "b"], leaf_prediction="nba")
    with pytest.warns(UserWarning, match="asks no naive Bayes"):
        RiverTreeClassifier.of(asking, ["a", "b"])
