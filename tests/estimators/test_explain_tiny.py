"""Reasons of the integer models: they add up to the device's scores and name what decided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from netsuke.estimators import (
    BonsaiClassifier,
    BonsaiRegressor,
    ProtoNNClassifier,
    TinyLinearClassifier,
    TinyMLPClassifier,
    explain,
)

QUICK: dict[str, Any] = {"max_iter": 300, "random_state": 0}
MODELS = [
    BonsaiClassifier(**QUICK),
    BonsaiClassifier(None, depth=2, shared_gate=True, **QUICK),
    ProtoNNClassifier(**QUICK),
    TinyMLPClassifier(**QUICK),
    TinyLinearClassifier(),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_reasons_add_up_to_the_scores_of_the_device(model: Any, load: Any) -> None:
    X, y = load(return_X_y=True)
    model.fit(X, y)
    for row in X[::70]:
        told = explain(model, row)
        assert np.allclose(told.scores, model.decision_function(row[None])[0])
        assert np.allclose(told.base + told.contributions.sum(0), told.scores)
        assert told.prediction == model.predict(row[None])[0]


def _base(model: Any) -> Any:
    """Scores of the row in the middle of every feature's range."""
    zeros = np.zeros((1, model.n_features_in_), np.int8)
    grid = model.grid_
    return model.decision_function(grid.scale * (zeros - grid.zero))[0]


def test_linear_contributions_are_those_of_the_weights() -> None:
    X, y = load_iris(return_X_y=True)
    model = TinyLinearClassifier().fit(X, y)
    for row in X[::40]:
        # Only rounding to integers lies between the base and the scores of the middle.
        told = explain(model, row)
        step = model.graph_.tensors["scores"].quant.scale[0]
        assert np.abs(told.base - _base(model)).max() <= 2 * step
        assert told.path == ()


def test_integrated_gradients_of_prototypes_begin_in_the_middle() -> None:
    X, y = load_iris(return_X_y=True)
    model = ProtoNNClassifier(None, **QUICK).fit(X, y)
    spread = np.ptp(model.decision_function(X))
    for row in X[::20]:
        assert np.abs(explain(model, row).base - _base(model)).max() < 0.15 * spread


def test_the_path_has_what_the_scores_are_made_of() -> None:
    X, y = load_iris(return_X_y=True)
    near = ProtoNNClassifier(**QUICK).fit(X, y)
    told = explain(near, X[0])
    assert np.allclose(np.sum([step.gain for step in told.path], 0), told.scores)
    assert told.path[0].text.startswith("prototype ") and told.path[0].gain[0] > 0
    tree = BonsaiClassifier(depth=2, **QUICK).fit(X, y)
    told = explain(tree, X[0])
    step = tree.graph_.tensors["scores"].quant.scale[0]
    assert len(told.path) == 3 and "turn" in told.path[0].text and "turn" not in told.path[2].text
    assert np.abs(np.sum([part.gain for part in told.path], 0) - told.scores).max() <= 6 * step
    units = explain(TinyMLPClassifier(**QUICK).fit(X, y), X[0])
    assert all(part.text.startswith("unit ") for part in units.path) and units.path


def test_a_regression_is_explained_in_its_own_units() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = BonsaiRegressor(**QUICK).fit(X, y)
    told = explain(model, X[3])
    assert told.scores[0] == pytest.approx(model.predict(X[3:4])[0])
    assert told.outputs == ("value",)
