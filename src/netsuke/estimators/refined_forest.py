"""Global refinement and pruning of random forests."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from netsuke.estimators.budget import table_bytes
from netsuke.estimators.convert.trees import trees_of_forest
from netsuke.estimators.forest_graph import Tree, forest_graph
from netsuke.ir import Array, Graph


class RefinedForestClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A forest whose leaves are weighted together, and pruned where they matter least.

    A grown forest says for each row which leaf of each tree it reaches: a binary vector φ(x) with
    one 1 a tree. The leaf weights W (one column a class) solve one linear problem over all trees,

        min over W of  ½‖W‖² + C Σ_i Σ_k max(0, 1 − y_ik · w_kᵀ φ(x_i))²,

    with y_ik = ±1 (one class against the others; liblinear's squared hinge loss). Then the pairs
    of sibling leaves with the least ‖w_left‖² + ‖w_right‖² become one leaf each, W is solved
    again, and so on until the forest is as small as asked. The prediction is argmax_k w_kᵀ φ(x).

    Ren, Cao, Wei & Sun 2015, "Global Refinement of Random Forest", CVPR, equations 3-5 and
    section 3.2, whose problem has no intercept either.

    Parameters
    ----------
    estimator
        Forest to start from, unfitted: RandomForestClassifier or ExtraTreesClassifier. None grows
        `n_estimators` random trees of depth `max_depth`.
    n_estimators, max_depth
        Trees and depth of the default forest.
    max_leaves
        Leaves of all trees together after pruning, or None.
    max_bytes
        Bytes of the tables that a device has to hold, exact, or None.
    step
        Fraction of the sibling pairs that become one leaf in each round, in (0, 1].
    C
        Inverse regularisation of the linear problem.
    random_state
        Of the forest.

    Attributes
    ----------
    classes_
        Labels.
    trees_
        The pruned trees; the values of leaves are ``(classes,)`` weights.
    n_leaves_
        Leaves of all trees together.
    n_features_in_
        Length of a row.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True)
    >>> model = RefinedForestClassifier(n_estimators=10, max_leaves=40, random_state=0).fit(X, y)
    >>> bool(model.n_leaves_ <= 40), bool(model.score(X, y) > 0.97)
    (True, True)
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 50,
        max_depth: int | None = 8,
        max_leaves: int | None = None,
        max_bytes: int | None = None,
        step: float = 0.1,
        C: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.max_leaves = max_leaves
        self.max_bytes = max_bytes
        self.step = step
        self.C = C
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> RefinedForestClassifier:
        """Grow, refine and prune.

        Parameters
        ----------
        X
            ``(rows, features)`` of finite reals.
        y
            ``(rows,)`` labels of two classes or more.
        sample_weight
            ``(rows,)``, at least 0: how much each row counts for the forest and in the sum over i.
            A row of weight 0 is as good as absent. A forest that draws rows with replacement (the
            default one does) draws others from repeated rows than from weighted ones.

        Raises
        ------
        ValueError
            For a single class, a `step` outside (0, 1], fewer leaves than trees, or negative
            weights.
        """
        X, y = validate_data(self, X, y, dtype=np.float32)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if (weights < 0).any():
            raise ValueError(f"Negative values in sample_weight: {weights.min():g}")
        X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a refined forest needs two classes, y holds one class")
        if not 0.0 < self.step <= 1.0:
            raise ValueError(f"step lies in (0, 1], not at {self.step}")
        grown = self._grown(X, codes, None if sample_weight is None else weights)
        trees = trees_of_forest(grown)
        if self.max_leaves is not None and self.max_leaves < len(trees):
            raise ValueError(f"max_leaves={self.max_leaves} is less than one leaf for each tree")
        self._samples = X
        self._refine(_Growth(trees, X, codes, weights))
        return self

    def _grown(self, X: Array, codes: Array, weights: Array | None) -> Any:
        state = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        if self.estimator is None:
            forest = RandomForestClassifier(self.n_estimators, max_depth=self.max_depth)
        else:
            forest = clone(self.estimator)
        return forest.set_params(random_state=state).fit(X, codes, sample_weight=weights)

    def _refine(self, growth: _Growth) -> None:
        while True:
            growth.solve(len(self.classes_), self.C)
            self.trees_ = growth.trees()
            self.n_leaves_ = sum(tree.leaves for tree in self.trees_)
            excess = 0 if self.max_leaves is None else self.n_leaves_ - self.max_leaves
            heavy = self._is_heavy()
            pairs = growth.sibling_leaves()
            if not pairs or (excess <= 0 and not heavy):
                return
            count = max(1, int(self.step * len(pairs)))
            for _, tree, parent in pairs[: count if heavy else min(count, excess)]:
                growth.cut(tree, parent)

    def _is_heavy(self) -> bool:
        """Whether the tables exceed `max_bytes`; they are laid out only where it is close."""
        if self.max_bytes is None:
            return False
        guess = self.n_leaves_ * (3 + len(self.classes_))
        return guess > 2 * self.max_bytes or table_bytes(self.to_graph()) > self.max_bytes

    def decision_function(self, X: Any) -> Array:
        """Σ of the weights of the leaves that each row reaches: ``(rows, classes)``, or ``(rows,)``
        of the second class minus the first where there are two."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float32)
        scores = np.zeros((len(X), len(self.classes_)))
        for tree in self.trees_:
            scores += tree.value[tree.leaf_of(X)]
        return np.asarray(scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores)

    def predict(self, X: Any) -> Array:
        """Label of each row."""
        scores = self.decision_function(X)
        best = scores > 0 if scores.ndim == 1 else scores.argmax(1)
        return self.classes_[np.asarray(best, np.int64)]

    def to_graph(self, mode: str = "class", bits: int | None = None) -> Graph:
        """The integers that a device computes; its output numbers `classes_`.

        Parameters
        ----------
        mode
            ``"class"``, ``"scores"`` or ``"leaves"``; see `netsuke.ops.forest.Forest`.
        bits
            Width of features; None for the fewest that keep all training rows apart.
        """
        check_is_fitted(self)
        return forest_graph(
            self.trees_,
            self.n_features_in_,
            self._samples,
            mode=mode,
            bits=bits,
            name=type(self).__name__,
        )


class _Growth:
    """A forest while it is refined: which leaf each row reaches, and what each leaf weighs."""

    def __init__(self, trees: list[Tree], X: Array, codes: Array, importance: Array) -> None:
        self._trees, self._codes, self._importance = trees, codes, importance
        self._left = [tree.left.copy() for tree in trees]
        self._right = [tree.right.copy() for tree in trees]
        self._reached = np.stack([tree.leaf_of(X) for tree in trees], axis=1)
        self._first = np.cumsum([0, *(len(tree.left) for tree in trees)])
        self._weights = np.zeros((0, 0))

    def solve(self, classes: int, C: float) -> None:
        """Weigh all leaves at once."""
        reached, codes, importance = self._merged()
        rows, trees = reached.shape
        columns = (reached + self._first[:-1]).ravel()
        used, column = np.unique(columns, return_inverse=True)
        starts = np.arange(rows + 1) * trees
        shape = (rows, len(used))
        leaves = sparse.csr_matrix((np.ones(rows * trees), column.reshape(-1), starts), shape)
        problem = LinearSVC(C=C, dual=False, fit_intercept=False, tol=1e-3)
        weights = problem.fit(leaves, codes, sample_weight=importance).coef_
        self._weights = np.zeros((int(self._first[-1]), classes))
        self._weights[used] = np.concatenate([-weights, weights]).T if classes == 2 else weights.T

    def _merged(self) -> tuple[Array, Array, Array]:
        """Leaves, labels and weights of the rows that differ, in an order of their own.

        Rows in the same leaves are one row to the linear problem. Told apart they would change
        when its solver stops, and a repeated row would not be the same as one of weight 2.
        """
        table = np.column_stack([self._reached, self._codes])
        table, number = np.unique(table, axis=0, return_inverse=True)
        importance = np.bincount(number.reshape(-1), self._importance)
        return table[:, :-1], table[:, -1], importance

    def trees(self) -> list[Tree]:
        """The forest as it stands."""
        values = np.split(self._weights, self._first[1:-1])
        return [
            Tree(tree.feature, tree.threshold, left, right, value).compact()
            for tree, left, right, value in zip(
                self._trees, self._left, self._right, values, strict=True
            )
        ]

    def sibling_leaves(self) -> list[tuple[float, int, int]]:
        """(weight, tree, parent) of all pairs of leaves that could become one, lightest first."""
        energy = np.square(self._weights).sum(1)
        found = []
        for number, (left, right) in enumerate(zip(self._left, self._right, strict=True)):
            inner = np.nonzero(left >= 0)[0]
            for parent in inner[(left[left[inner]] < 0) & (left[right[inner]] < 0)].tolist():
                children = self._first[number] + np.array([left[parent], right[parent]])
                found.append((float(energy[children].sum()), number, parent))
        return sorted(found)

    def cut(self, tree: int, parent: int) -> None:
        """Make one leaf of a pair."""
        column = self._reached[:, tree]
        left, right = self._left[tree], self._right[tree]
        column[(column == left[parent]) | (column == right[parent])] = parent
        left[parent] = right[parent] = -1
