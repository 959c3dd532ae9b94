"""Fitted scikit-learn estimators → graphs: integers that a small device computes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from netsuke.errors import DataError, UsageError
from netsuke.estimators.convert.features import Features, Grid
from netsuke.estimators.convert.scaling import fold_scaler
from netsuke.ir import Array, Graph

__all__ = ["CONVERTERS", "Features", "Grid", "convertible", "is_estimator", "to_graph"]

CONVERTERS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "Lars"),
            *("ElasticNetCV", "BayesianRidge", "HuberRegressor", "LinearSVR", "SGDRegressor"),
            *("LogisticRegression", "LogisticRegressionCV", "LinearSVC", "RidgeClassifier"),
            *("RidgeClassifierCV", "SGDClassifier", "Perceptron", "PassiveAggressiveClassifier"),
            "LinearDiscriminantAnalysis",
        ),
        "netsuke.estimators.convert.linear:linear_graph",
    ),
    "MLPClassifier": "netsuke.estimators.convert.network:network_graph",
    "MLPRegressor": "netsuke.estimators.convert.network:network_graph",
    **dict.fromkeys(
        (
            *("DecisionTreeClassifier", "DecisionTreeRegressor"),
            *("RandomForestClassifier", "RandomForestRegressor"),
            *("ExtraTreesClassifier", "ExtraTreesRegressor"),
            *("GradientBoostingClassifier", "GradientBoostingRegressor"),
            *("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
        ),
        "netsuke.estimators.convert.trees:tree_graph",
    ),
    "SVC": "netsuke.estimators.convert.distances:vector_machine_graph",
    **dict.fromkeys(
        ("KNeighborsClassifier", "KNeighborsRegressor"),
        "netsuke.estimators.convert.distances:neighbours_graph",
    ),
}
"""Class of scikit-learn -> ``module:function`` of what converts it, called with the estimator and
its `Features`."""

VOTING = ("RandomForestClassifier", "ExtraTreesClassifier")
"""Forests that `to_graph` can make vote tree by tree."""


def is_estimator(model: Any) -> bool:
    """Whether something is a scikit-learn estimator, one of ours or another's."""
    return not isinstance(model, type) and all(
        callable(getattr(model, name, None)) for name in ("fit", "get_params", "set_params")
    )


def convertible() -> tuple[str, ...]:
    """Names of scikit-learn's classes that can be compiled, sorted."""
    return tuple(sorted(CONVERTERS))


def to_graph(estimator: Any, samples: Any = None, vote: str = "soft") -> Graph:
    """Return the graph of a fitted estimator, in integers.

    Parameters
    ----------
    estimator
        One of netsuke's own, of scikit-learn's (see `convertible`), or a Pipeline of scalers and
        one of these.
    samples
        Training rows ``(m, n_features)`` in the units that the estimator was fitted with: they tell
        between which values features lie, and whether these are integers.
    vote
        Of a forest that classifies: ``"soft"`` adds the shares of the classes in the leaves as
        scikit-learn does, ``"hard"`` one vote a tree, which takes far fewer bytes and may decide
        otherwise in doubtful rows.

    Returns
    -------
    Graph
        One input, the features; its quantization says how a row becomes integers. A classifier's
        output is the position of the class in ``classes_``.

    Raises
    ------
    UsageError
        When the estimator is not fitted, or cannot be compiled.
    DataError
        When samples do not match.
    """
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    model = steps[-1]
    _require_vote(model, vote)
    own = callable(getattr(model, "to_graph", None))
    kind = type(model).__name__
    if not own and kind not in CONVERTERS:
        raise UsageError(
            f"a {kind} cannot be compiled; of scikit-learn these can: {', '.join(convertible())}"
        )
    _require_fitted(steps)
    known = getattr(getattr(model, "_label_binarizer", None), "y_type_", "")
    if known.startswith("multilabel"):
        raise UsageError(f"{kind}: several labels a row cannot be compiled, only one")
    features = _features(steps, samples)
    expansion = steps[-2] if len(steps) > 1 and hasattr(steps[-2], "add_features") else None
    for scaler in steps[: -1 if expansion is None else -2]:
        features = fold_scaler(scaler, features)
    if expansion is not None:
        from netsuke.estimators.convert.expansion import expanded_graph

        return expanded_graph(expansion, model, features)
    if own:
        if len(steps) > 1:
            raise UsageError(f"{kind} scales its features itself; compile it without a pipeline")
        graph: Graph = model.to_graph()
        return graph
    module, function = CONVERTERS[kind].split(":")
    convert: Callable[..., Graph] = getattr(importlib.import_module(module), function)
    return convert(model, features, vote=vote) if vote != "soft" else convert(model, features)


def _require_vote(model: Any, vote: str) -> None:
    if vote not in ("soft", "hard"):
        raise UsageError(f"vote is 'soft' or 'hard', not {vote!r}")
    if vote == "hard" and type(model).__name__ not in VOTING:
        raise UsageError(
            f"trees of a {type(model).__name__} do not vote; a hard vote is for {', '.join(VOTING)}"
        )


def _require_fitted(steps: list[Any]) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    for step in steps:
        try:
            if not isinstance(step, str):
                check_is_fitted(step)
        except NotFittedError as error:
            raise UsageError(str(error).split(". ")[0] + ": call fit first") from None


def _features(steps: list[Any], samples: Any) -> Features:
    first = next(step for step in steps if not isinstance(step, str))
    count = int(first.n_features_in_)
    names = tuple(map(str, getattr(first, "feature_names_in_", ())))
    return Features(np.zeros(count), np.ones(count), None, None, _rows(samples, count), names)


def _rows(samples: Any, count: int) -> Array | None:
    if samples is None:
        return None
    try:
        rows = np.asarray(samples, np.float64)
    except (TypeError, ValueError):
        raise DataError("samples", "are no numbers") from None
    if rows.ndim > 2:
        rows = rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != count:
        raise DataError("samples", f"are {list(rows.shape)}; the model reads rows of {count}")
    if not np.isfinite(rows).all():
        raise DataError("samples", "hold NaN or infinity")
    return rows
