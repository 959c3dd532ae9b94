"""The models that are compared. To add one, add a line to `models`.

An estimator may be a Pipeline of scalers and a model: netsuke compiles it whole; the peers, which
have no scalers, are given the model alone and features that are scaled already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

LOADERS = {"digits": load_digits, "breast_cancer": load_breast_cancer, "wine": load_wine}


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows and labels; 30 % for the test, stratified, random_state 0."""

    name: str
    train_x: np.ndarray
    test_x: np.ndarray
    train_y: np.ndarray
    test_y: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One fitted estimator on one data set."""

    name: str
    split: Split
    estimator: Any


def split(name: str, seed: int = 0) -> Split:
    x, y = LOADERS[name](return_X_y=True)
    parts = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    return Split(name, *parts)


def _candidates() -> dict[str, dict[str, Any]]:
    forest, minmax, standard = RandomForestClassifier, MinMaxScaler, StandardScaler
    return {
        "digits": {
            "logistic regression": LogisticRegression(C=0.05, max_iter=500),
            "linear SVM": make_pipeline(minmax(), LinearSVC(C=0.1)),
            "MLP 16": make_pipeline(minmax(), MLPClassifier((16,), max_iter=400, random_state=0)),
            "MLP 8": make_pipeline(minmax(), MLPClassifier((8,), max_iter=400, random_state=0)),
            "tree, depth 8": DecisionTreeClassifier(max_depth=8, random_state=0),
            "forest 10 x depth 4": forest(10, max_depth=4, random_state=0),
            "forest 10 x depth 8": forest(10, max_depth=8, random_state=0),
            "forest 50 x depth 8": forest(50, max_depth=8, random_state=0),
            "extra trees 10 x depth 8": ExtraTreesClassifier(10, max_depth=8, random_state=0),
        },
        "breast_cancer": {
            "logistic regression": make_pipeline(standard(), LogisticRegression()),
            "linear SVM": make_pipeline(minmax(), LinearSVC(C=1.0)),
            "MLP 8": make_pipeline(
                standard(), MLPClassifier((8,), alpha=1.0, max_iter=900, random_state=0)
            ),
            "tree, depth 4": DecisionTreeClassifier(max_depth=4, random_state=0),
            "forest 10 x depth 8": forest(10, max_depth=8, random_state=0),
        },
        "wine": {
            "logistic regression": make_pipeline(standard(), LogisticRegression()),
            "forest 10 x depth 4": forest(10, max_depth=4, random_state=0),
        },
    }


def models(only: str = "") -> Iterator[Model]:
    """Fit and yield every model whose ``data set/name`` contains a text."""
    for name, candidates in _candidates().items():
        parts = split(name)
        for label, estimator in candidates.items():
            if only in f"{name}/{label}":
                yield Model(label, parts, estimator.fit(parts.train_x, parts.train_y))


def last_step(model: Model) -> tuple[Any, np.ndarray]:
    """The model without its scalers, and the test rows as it sees them."""
    steps = getattr(model.estimator, "steps", None)
    if steps is None:
        return model.estimator, model.split.test_x
    return steps[-1][1], model.estimator[:-1].transform(model.split.test_x)
