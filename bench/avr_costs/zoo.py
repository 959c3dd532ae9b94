"""Fitted models of every family and many sizes, by which costs on an AVR are learnt and judged.

What they predict does not matter here, so they are trained for a moment only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import netsuke as nk
from netsuke.estimators import (
    BonsaiClassifier,
    ProtoNNClassifier,
    TinyLinearClassifier,
    TinyMLPClassifier,
)
from netsuke.estimators.fastfood import FastfoodFeatures
from netsuke.estimators.refined_forest import RefinedForestClassifier
from netsuke.estimators.soft_tree import SoftDecisionTreeClassifier
from netsuke.ir import Graph

LOADERS = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "diabetes": load_diabetes,
}
ROWS = 60
SHORT = {"max_iter": 60, "random_state": 0}


def graphs() -> Iterator[tuple[str, Graph, np.ndarray]]:
    """(name, graph, stored rows that were not trained on)."""
    for data, load in LOADERS.items():
        x, y = load(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(x))
        x, y = x[order], y[order]
        designs = _regressors() if data == "diabetes" else _classifiers()
        designs |= _neighbours() if data == "wine" else {}
        for name, estimator in designs.items():
            fitted = estimator.fit(x[ROWS:], y[ROWS:])
            graph = nk.load(fitted, samples=x[ROWS:])
            quant = graph.tensors[graph.inputs[0]].quant
            assert quant is not None
            stored = np.stack([quant.quantize(row) for row in x[:ROWS].astype(np.float32)])
            yield f"{data}/{name}", graph, stored


def _classifiers() -> dict[str, Any]:
    minmax, standard = MinMaxScaler, StandardScaler
    found: dict[str, Any] = {
        "logistic": make_pipeline(standard(), LogisticRegression()),
        "extra trees 7": ExtraTreesClassifier(7, max_depth=6, random_state=0),
        "soft tree 3": SoftDecisionTreeClassifier(3, max_iter=20, n_init=1, random_state=0),
        "soft tree 5": SoftDecisionTreeClassifier(5, max_iter=20, n_init=1, random_state=0),
    }
    for units in (3, 8, 20):
        network = MLPClassifier((units,), max_iter=60, random_state=0)
        found[f"MLP {units}"] = make_pipeline(minmax(), network)
        found[f"tiny MLP {units}"] = TinyMLPClassifier(40 * units, hidden_size=units, **SHORT)
    two = MLPClassifier((9, 5), max_iter=60, random_state=0)
    found["MLP 9 5"] = make_pipeline(standard(), two)
    for size in (None, 60, 200):
        found[f"tiny linear {size}"] = TinyLinearClassifier(size, max_iter=60)
    for size, depth, projected in ((400, 1, 4), (800, 1, 8), (1500, 2, 6), (3600, 3, 10)):
        found[f"bonsai {size}"] = BonsaiClassifier(
            size, depth=depth, projection_size=projected, **SHORT
        )
        found[f"proto {size}"] = ProtoNNClassifier(
            size, prototypes=10 * depth, projection_size=projected, **SHORT
        )
    for trees, depth in ((1, 4), (3, 8), (10, 4), (10, 8), (20, 6), (30, 8)):
        found[f"forest {trees} x {depth}"] = RandomForestClassifier(
            trees, max_depth=depth, random_state=0
        )
    for depth in (3, 7):
        found[f"tree {depth}"] = DecisionTreeClassifier(max_depth=depth, random_state=0)
    for size in (800, 3000):
        found[f"refined {size}"] = RefinedForestClassifier(
            n_estimators=12, max_bytes=size, random_state=0
        )
    return found


def _neighbours() -> dict[str, Any]:
    """Models that keep rows; only of a small data set do they fit an UNO."""
    minmax = MinMaxScaler
    return {
        "SVC": make_pipeline(minmax(), SVC(C=1.0)),
        "SVC 10": make_pipeline(minmax(), SVC(C=10.0)),
        "3 neighbours": make_pipeline(minmax(), KNeighborsClassifier(3)),
        "1 neighbour": make_pipeline(minmax(), KNeighborsClassifier(1)),
        "fastfood 64": make_pipeline(
            minmax(), FastfoodFeatures(n_components=64, random_state=0), LinearSVC()
        ),
        "fastfood 128": make_pipeline(
            minmax(), FastfoodFeatures(n_components=128, random_state=0), LinearSVC()
        ),
    }


def _regressors() -> dict[str, Any]:
    standard = StandardScaler
    return {
        "ridge": make_pipeline(standard(), Ridge()),
        "MLP 6": make_pipeline(
            standard(), MLPRegressor(hidden_layer_sizes=(6,), max_iter=60, random_state=0)
        ),
        "forest 5": RandomForestRegressor(5, max_depth=4, random_state=0),
        "forest 12": RandomForestRegressor(12, max_depth=6, random_state=0),
    }
