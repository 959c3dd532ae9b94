"""What classifiers by one tree that learns row by row share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from netsuke.estimators.forest_graph import Tree, forest_graph
from netsuke.ir import Array, Graph


class IncrementalTree(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose fitted form is `tree_`; a leaf's values are the weight of each class.

    A leaf says the class it has seen most, so what `predict` returns is what a device returns.
    """

    passes: int
    tree_: Tree

    @abstractmethod
    def _begin(self, features: int) -> None:
        """Forget everything; `classes_` is known."""

    @abstractmethod
    def _learn_row(self, row: Array, label: int, weight: float) -> None:
        """Learn from one row, whose weight is above zero."""

    @abstractmethod
    def _grown(self) -> Tree:
        """The tree as it stands."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> IncrementalTree:
        """Learn from rows that are all there, in their order, `passes` times.

        Parameters
        ----------
        X, y
            ``(rows, features)`` and ``(rows,)``.
        sample_weight
            See `partial_fit`.

        Raises
        ------
        ValueError
            When y holds a single class, or a weight is negative.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weights = _weights(sample_weight, X)
        classes = unique_labels(y[weights > 0])
        if len(classes) < 2:
            raise ValueError("a tree needs two classes, y holds one class")
        self._start(classes, X.shape[1])
        for _ in range(self.passes):
            self._learn(X, y, weights)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> IncrementalTree:
        """Learn from more rows.

        Parameters
        ----------
        X, y
            ``(rows, features)`` and ``(rows,)``.
        classes
            All labels that will ever come; needed in the first call unless y holds them all.
        sample_weight
            ``(rows,)``, at least 0. A row of weight w is counted like w rows that come one after
            the other, with one look at its leaf after the last of them; one of weight 0 is passed
            over.

        Raises
        ------
        ValueError
            When y holds a label that was not announced, or a weight is negative.
        """
        first = not hasattr(self, "_seen")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(y)
        if first:
            self._start(unique_labels(y if classes is None else classes), X.shape[1])
        if not np.isin(y, self.classes_).all():
            raise ValueError("y holds a label that the first call did not announce in classes")
        self._learn(X, y, _weights(sample_weight, X))
        return self

    def _start(self, classes: Array, features: int) -> None:
        self.classes_ = classes
        self._seen = SeenRange(features)
        self._begin(features)

    def _learn(self, X: Array, y: Array, weights: Array) -> None:
        heard = weights > 0
        rows = X[heard]
        labels = np.searchsorted(self.classes_, y[heard])
        for row, label, weight in zip(rows, labels.tolist(), weights[heard].tolist(), strict=True):
            self._learn_row(row, label, weight)
        self._seen.add(rows)
        self.tree_ = self._grown()
        self.n_leaves_ = self.tree_.leaves

    def predict_proba(self, X: Any) -> Array:
        """Shares of the classes in the leaf that each row reaches: ``(rows, classes)``."""
        check_is_fitted(self, "tree_")
        seen = self.tree_.value[self.apply(X)] + 1e-9
        return np.asarray(seen / seen.sum(1, keepdims=True))

    def predict(self, X: Any) -> Array:
        """Label of each row."""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(1)]

    def apply(self, X: Any) -> Array:
        """Node of `tree_` at which each row ends: ``(rows,)``."""
        check_is_fitted(self, "tree_")
        return self.tree_.leaf_of(validate_data(self, X, reset=False, dtype=np.float64))

    def to_graph(self, mode: str = "class") -> Graph:
        """The tree as it stands, in the integers of a device; the output numbers `classes_`.

        Parameters
        ----------
        mode
            ``"class"``, ``"scores"`` or ``"leaves"``; see `netsuke.ops.forest.Forest`.
        """
        check_is_fitted(self, "tree_")
        tree = self.tree_
        votes = np.eye(len(self.classes_))[tree.value.argmax(1)]
        voting = Tree(tree.feature, tree.threshold, tree.left, tree.right, votes)
        ends = self._seen.ends()
        name = type(self).__name__
        return forest_graph([voting], self.n_features_in_, ends, mode=mode, levels=1, name=name)


class SeenRange:
    """The least and the largest value of each feature so far."""

    def __init__(self, features: int) -> None:
        self._lowest, self._highest = np.full(features, np.inf), np.full(features, -np.inf)
        self._integers = True

    def add(self, rows: Array) -> None:
        """Widen the range to rows ``(n, features)``."""
        self._lowest = np.minimum(self._lowest, rows.min(0, initial=np.inf))
        self._highest = np.maximum(self._highest, rows.max(0, initial=-np.inf))
        self._integers = self._integers and bool((np.rint(rows) == rows).all())

    def ends(self) -> Array | None:
        """Two rows with the ends, or None where reals were seen, or nothing.

        Where all features were integers their range is all that the grid asks of samples.
        """
        known = bool((self._lowest <= self._highest).all())
        return np.stack([self._lowest, self._highest]) if self._integers and known else None


def _weights(sample_weight: Any, X: Array) -> Array:
    weights = np.asarray(_check_sample_weight(sample_weight, X, dtype=np.float64))
    if (weights < 0).any():
        raise ValueError(f"Negative values in sample_weight: {weights.min():g}")
    return weights
