"""Soft decision trees: scikit-learn's contract, the loss's gradients, the device's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from netsuke.errors import UsageError
from netsuke.estimators.convert import to_graph
from netsuke.estimators.soft_tree import SoftDecisionTreeClassifier
from netsuke.estimators.teacher import teacher_probabilities
from netsuke.estimators.training.soft_splits import SoftSplits, softmax
from netsuke.ir import Array, Graph, interpret_batch


@parametrize_with_checks([SoftDecisionTreeClassifier(depth=3, n_init=1, max_iter=60)])
def test_it_is_a_classifier_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def loss(mixture: SoftSplits, X: Array, targets: Array, weight: Array, beta: float) -> float:
    """The formula of the class's docstring, with the P^i of the regulariser given."""
    splits = len(mixture.bias)
    right = 1 / (1 + np.exp(-beta * (X @ mixture.weights.T + mixture.bias)))
    reach = np.ones((len(X), 2 * splits + 1))
    for split in range(splits):
        reach[:, 2 * split + 1] = reach[:, split] * (1 - right[:, split])
        reach[:, 2 * split + 2] = reach[:, split] * right[:, split]
    crossed = -targets @ np.log(softmax(mixture.leaves)).T
    return float(weight @ (reach[:, splits:] * crossed).sum(1))


def test_the_gradients_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(20, 3)), np.full(20, 0.05)
    targets = np.eye(4)[rng.integers(4, size=20)]
    mixture = SoftSplits(rng.normal(size=(7, 3)), rng.normal(size=7), rng.normal(size=(8, 4)), 0.0)
    gradients = mixture.gradients(X, targets, weight, 2.0)
    for name, value in mixture.parameters().items():
        for index in [(0,) * value.ndim, tuple(extent - 1 for extent in value.shape)]:
            kept, ends = value[index], []
            for step in (1e-5, -1e-5):
                value[index] = kept + step
                ends.append(loss(mixture, X, targets, weight, 2.0))
            value[index] = kept
            assert gradients[name][index] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_the_regulariser_pulls_a_starved_branch_open() -> None:
    X, weight = np.ones((10, 1)), np.full(10, 0.1)
    targets = np.full((10, 2), 0.5)
    starved = SoftSplits(np.zeros((1, 1)), np.array([-3.0]), np.zeros((2, 2)), 1.0)
    free = SoftSplits(np.zeros((1, 1)), np.array([-3.0]), np.zeros((2, 2)), 0.0)
    assert starved.gradients(X, targets, weight, 1.0)["bias"][0] < -0.01
    assert free.gradients(X, targets, weight, 1.0)["bias"][0] == 0.0


def stored(graph: Graph, rows: Array) -> Array:
    x = graph.tensors[graph.inputs[0]]
    assert x.quant is not None
    return np.stack([x.quant.quantize(row) for row in np.asarray(rows, np.float32)]).astype(x.dtype)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_predict_is_what_the_device_computes_and_follows_the_real_path(load: Any) -> None:
    X, y = load(return_X_y=True)
    model = SoftDecisionTreeClassifier(3, n_init=1, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.95
    graph = to_graph(model, X)
    (classes,) = interpret_batch(graph, stored(graph, X))
    assert (model.classes_[classes.ravel()] == model.predict(X)).all()
    k = np.zeros(len(X), int)
    for _ in range(3):
        k = 2 * k + 1 + ((X * model.coef_[k]).sum(1) + model.intercept_[k] > 0)
    assert (k - 7 == model.apply(X)).mean() > 0.98, "int8 features turn few rows elsewhere"


def test_classes_that_are_nearly_as_likely_are_told_apart_as_in_reals() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(104, 6)), np.arange(104) % 26
    model = SoftDecisionTreeClassifier(random_state=0).fit(X, y)
    graph = model.to_graph()
    (said,) = interpret_batch(graph, stored(graph, X))
    assert (model.classes_[said[:, 0]] == model.predict(X)).all()


def test_a_deeper_tree_tells_more_digits_apart() -> None:
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X, y, random_state=0)
    scores = [
        SoftDecisionTreeClassifier(depth, n_init=1, random_state=0).fit(a, c).score(b, d)
        for depth in (2, 5)
    ]
    assert scores[0] <= 0.45 and scores[1] > 0.8


def test_it_learns_from_a_teacher_of_any_kind() -> None:
    X, y = load_iris(return_X_y=True)
    teacher = LogisticRegression(max_iter=1000).fit(X, y)
    wrong = np.roll(y, 1)
    taught = SoftDecisionTreeClassifier(2, teacher=teacher, teacher_weight=1.0, random_state=0)
    assert (taught.fit(X, wrong).predict(X) == teacher.predict(X)).mean() > 0.95
    graph = SoftDecisionTreeClassifier(2, random_state=0).fit(X, y).to_graph("scores")
    assert np.allclose(teacher_probabilities(graph, X, np.arange(3)).sum(1), 1)


def test_a_teacher_of_other_classes_is_refused() -> None:
    X, y = load_iris(return_X_y=True)
    teacher = SVC().fit(X, y % 2)
    with pytest.raises(UsageError, match="other classes"):
        SoftDecisionTreeClassifier(2, teacher=teacher).fit(X, y)


def real_path(model: SoftDecisionTreeClassifier, X: Array) -> Array:
    """Number of the leaf that each row reaches by the real splits."""
    k = np.zeros(len(X), int)
    for _ in range(model.depth):
        k = 2 * k + 1 + ((X * model.coef_[k]).sum(1) + model.intercept_[k] > 0)
    return np.asarray(k - len(model.coef_))


def test_splits_of_many_wide_features_keep_their_integers() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = rng.normal(100, 30, (300, 784)).round()
    X[:, 100:300] += 20 * (y == 2)[:, None]
    X = np.clip(X, 0, 255)
    model = SoftDecisionTreeClassifier(2, max_iter=10, random_state=0).fit(X, y)
    assert (real_path(model, X) == model.apply(X)).mean() > 0.98
    weights = model.to_graph().tensors["weights"].data
    assert weights is not None and np.abs(weights).max() > 100


def test_a_feature_that_hardly_varies_does_not_take_the_bits_of_the_others() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    X = rng.integers(0, 17, (400, 6))
    X[:, 0] = np.clip(X[:, 0] // 2 + 9 * y, 0, 16)
    X[:, 5] = 0
    X[np.flatnonzero(y)[:3], 5] = 1
    model = SoftDecisionTreeClassifier(1, max_iter=30, random_state=0).fit(X, y)
    weights = model.to_graph().tensors["weights"].data
    assert weights is not None and np.abs(weights[0, 0]) > 100 > np.abs(weights[0, 5])
