"""The estimators keep every promise that scikit-learn checks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from netsuke.estimators import (
    BonsaiClassifier,
    BonsaiRegressor,
    ProtoNNClassifier,
    TinyLinearClassifier,
    TinyMLPClassifier,
)

QUICK = {"max_iter": 240, "random_state": 0}


@parametrize_with_checks(
    [
        BonsaiClassifier(weight_bits=8, **QUICK),  # few rounds suffice only with fine weights
        BonsaiRegressor(**QUICK),
        ProtoNNClassifier(**QUICK),
        TinyLinearClassifier(),
        TinyMLPClassifier(**QUICK),
    ]
)
def test_scikit_learn_finds_nothing_wrong(estimator: Any, check: Callable[[Any], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [BonsaiClassifier(20), TinyMLPClassifier(40), ProtoNNClassifier(40)],
    ids=lambda e: type(e).__name__,
)
def test_a_budget_that_is_too_small_says_what_to_try(estimator: Any) -> None:
    with pytest.raises(ValueError, match=r"max_bytes=\d+: .* takes? \d+ bytes; try"):
        estimator.fit([[0.0, 1.5], [1.0, 0.5], [0.2, 0.1], [0.4, 0.2]], [0, 1, 0, 1])
