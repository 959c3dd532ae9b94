"""scikit-learn's tree ensembles → `Tree` lists and graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Features
from netsuke.estimators.forest_graph import Tree, forest_graph
from netsuke.ir import Array, Graph

AVERAGED = (
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)
SINGLE = (DecisionTreeClassifier, DecisionTreeRegressor)
BOOSTED = (GradientBoostingClassifier, GradientBoostingRegressor)
BINNED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
TREE_MODELS = (*SINGLE, *AVERAGED, *BOOSTED, *BINNED)
"""Every class of scikit-learn that `tree_graph` takes."""


def trees_of_forest(model: Any) -> list[Tree]:
    """The trees of a fitted decision tree or forest.

    The value of a leaf is its share of each class, or its mean, divided by the number of trees, so
    that the sum over the trees is what `predict_proba` or `predict` averages (soft voting).

    Raises
    ------
    UsageError
        When the model has several outputs.
    """
    check_is_fitted(model)
    if getattr(model, "n_outputs_", 1) != 1:
        raise UsageError(f"{type(model).__name__} has {model.n_outputs_} outputs; one is served")
    members = [model] if isinstance(model, SINGLE) else model.estimators_
    trees = []
    for member in members:
        grown = member.tree_
        value = grown.value[:, 0, :].astype(np.float64)
        if is_classifier(model):
            value = value / value.sum(1, keepdims=True)
        trees.append(_tree(grown, value / len(members)))
    return trees


def _tree(grown: Any, value: Array) -> Tree:
    return Tree(grown.feature, grown.threshold, grown.children_left, grown.children_right, value)


def boosted_trees(model: Any, sample: Array) -> tuple[list[Tree], Array]:
    """The trees of a fitted gradient boosting model and what its raw scores begin with.

    Parameters
    ----------
    model
        GradientBoosting* or HistGradientBoosting*, fitted.
    sample
        ``(1, features)``: any row; the start is what remains of its score without the trees.

    Returns
    -------
    trees
        Their leaf values are ``(outputs,)``: a column a class, one column for regression, and for
        two classes a column of zeros beside that of the second class.
    offset
        ``(outputs,)``.

    Raises
    ------
    UsageError
        When a tree splits on categories.
    """
    check_is_fitted(model)
    rounds = _binned_rounds(model) if isinstance(model, BINNED) else _grown_rounds(model)
    columns = len(rounds[0])
    outputs = 2 if is_classifier(model) and columns == 1 else columns
    trees = []
    for members in rounds:
        for column, (tree, value) in enumerate(members):
            table = np.zeros((len(value), outputs))
            table[:, column + (outputs > columns)] = value
            trees.append(Tree(tree.feature, tree.threshold, tree.left, tree.right, table))
    total = np.sum([tree.value[tree.leaf_of(sample)[0]] for tree in trees], axis=0)
    raw = model.decision_function(sample) if is_classifier(model) else _raw(model, sample)
    raw = np.asarray(raw, np.float64).reshape(-1)
    return trees, np.concatenate([np.zeros(outputs - columns), raw]) - total


def _raw(model: Any, sample: Array) -> Array:
    loss = getattr(model, "loss", "squared_error")
    if loss in ("poisson", "gamma"):
        raise UsageError(f"the loss {loss!r} needs an exponential behind the trees; take another")
    return model.predict(sample)


Member = tuple[Tree, Array]


def _grown_rounds(model: Any) -> list[list[Member]]:
    rounds = []
    for members in model.estimators_:
        pairs = []
        for member in members:
            value = model.learning_rate * member.tree_.value[:, 0, 0]
            pairs.append((_tree(member.tree_, value[:, None]), value))
        rounds.append(pairs)
    return rounds


def _binned_rounds(model: Any) -> list[list[Member]]:
    rounds = []
    for members in model._predictors:
        pairs = []
        for member in members:
            nodes = member.nodes
            leaf = nodes["is_leaf"].astype(bool)
            if (nodes["is_categorical"].astype(bool) & ~leaf).any():
                raise UsageError("the model splits on categories; encode them as numbers first")
            left = np.where(leaf, -1, nodes["left"].astype(np.int64))
            right = np.where(leaf, -1, nodes["right"].astype(np.int64))
            feature = nodes["feature_idx"].astype(np.int64)
            tree = Tree(feature, nodes["num_threshold"], left, right, nodes["value"][:, None])
            pairs.append((tree, nodes["value"]))
        rounds.append(pairs)
    return rounds


def tree_graph(
    estimator: Any,
    features: Features,
    *,
    mode: str | None = None,
    vote: str = "soft",
    bits: int | None = None,
) -> Graph:
    """Return the graph of a fitted tree, forest or gradient boosting model of scikit-learn.

    Parameters
    ----------
    estimator
        An instance of one of `TREE_MODELS`, fitted, with one output.
    features
        What stands between the person's features and the estimator's, and training rows.
    mode
        ``"class"``, ``"scores"`` or ``"leaves"``; None is the class for classifiers, else scores.
    vote
        ``"soft"`` adds the leaves' shares of the classes, ``"hard"`` one vote a tree, which takes
        far fewer bytes and ends as soon as one class has most votes.
    bits
        8 or 16 bits a feature, or None for the fewest that keep all training rows apart.

    Raises
    ------
    UsageError
        For another model, or one that is not served (several outputs, categories).
    """
    if not isinstance(estimator, TREE_MODELS):
        raise UsageError(f"{type(estimator).__name__} is no tree model of scikit-learn")
    if vote not in ("soft", "hard"):
        raise UsageError(f"vote is 'soft' or 'hard', not {vote!r}")
    mode = mode or ("class" if is_classifier(estimator) else "scores")
    levels, offset = None, None
    if isinstance(estimator, BOOSTED + BINNED):
        trees, offset = boosted_trees(estimator, np.zeros((1, features.count), np.float32))
    else:
        trees = trees_of_forest(estimator)
        levels = 1 if vote == "hard" and is_classifier(estimator) else None
    samples = features.samples
    seen_as = np.float64 if isinstance(estimator, BINNED) else np.float32
    if samples is not None:
        samples = samples.astype(seen_as)  # as the trees saw them
    return forest_graph(
        [_unscaled(tree, features, seen_as) for tree in trees],
        features.count,
        samples,
        mode=mode,
        offset=offset,
        levels=levels,
        bits=bits,
        name=type(estimator).__name__,
    )


def _unscaled(tree: Tree, features: Features, seen_as: type) -> Tree:
    """The tree on the person's own units: (x - shift) factor <= t is x <= t / factor + shift.

    Where features are integers a threshold may be one up to rounding: it goes to the side to which
    the tree sends that integer, which sees it as `seen_as`.
    """
    feature = np.maximum(tree.feature, 0)
    factor, shift = features.factor[feature], features.shift[feature]
    threshold = tree.threshold / factor + shift
    samples = features.samples
    if samples is not None and (samples == np.rint(samples)).all():
        nearest = np.rint(threshold)
        tie = np.abs(threshold - nearest) < 1e-2
        left = np.asarray((nearest - shift) * factor, seen_as) <= tree.threshold
        threshold = np.where(tie, np.where(left, nearest, nearest - 0.5), threshold)
    return Tree(tree.feature, threshold, tree.left, tree.right, tree.value)
