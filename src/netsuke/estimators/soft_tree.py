"""Soft decision trees: trained by gradient, decided hard, readable."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from netsuke.estimators.grid import fit_grid
from netsuke.estimators.rows import run_rows
from netsuke.estimators.soft_targets import is_soft, soft_targets
from netsuke.estimators.standard import add_input
from netsuke.estimators.teacher import teacher_probabilities
from netsuke.estimators.training.adam import Adam
from netsuke.estimators.training.soft_splits import SoftSplits, first_splits, likeliest, softmax
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.oblique_tree import ObliqueTree

SUM = (1 << 23) - 1
"""Sums of a split have 24 bits."""

RAREST = 0.5
"""A feature is divided by its deviation, but by no less than this share of the widest one, both in
steps of the device's grid. Features that hardly vary (the corners of images) would else get the
largest weights, and the 8 bits of a split would be spent on them: on digits that cost three points.
"""

START = 8192
"""Rows that the first splits are found from, at most: it takes features² work a row and level."""

LAST_BETA = 2.0
"""β of the last step. More of it makes soft and hard paths agree further, and learns less well:
trees of digits from random first splits, depth 5, were 0.9 points behind with a last β of 5."""


class SoftDecisionTreeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A tree of linear splits, trained as a mixture, that decides along one path.

    A split i of the complete tree sends x to the right with p_i(x) = σ(β (w_iᵀ x + b_i)); a leaf l
    is reached with P^l(x), the product along its path, and holds Q^l = softmax(φ^l). Training
    minimises

        L = mean over x of  -Σ_l P^l(x) Σ_k T_k(x) log Q^l_k  +  C,
        C = -λ Σ_i 2^{-d(i)} · ½ (log α_i + log(1 - α_i)),   α_i = Σ_x P^i(x) p_i(x) / Σ_x P^i(x)

    where T is the label or a teacher's distribution, and d(i) the depth of a split: C lets no
    branch starve. β grows during training so that soft and hard decisions come to agree.
    In the end Q^l becomes the mean of T over the rows whose hard path ends in l.
    The prediction is the leaf of the hard path, turning right where ``w_iᵀ x + b_i > 0``; that path
    is the explanation (`netsuke.estimators.explain`).

    Frosst & Hinton 2017, "Distilling a Neural Network Into a Soft Decision Tree",
    arXiv:1711.09784, equations 1-5. The loss is their expected cross-entropy over leaves; in C the
    P^i are taken as given, and α is a running average over batches whose window doubles with
    each level. Their splits start at random; here they start as linear discriminants between
    groups of the likeliest classes (`netsuke.estimators.training.soft_splits`).

    Parameters
    ----------
    depth
        Splits on a path; the tree has 2^depth leaves.
    teacher
        A fitted classifier with ``predict_proba`` and the same classes, or a `netsuke.ir.Graph` of
        one whose outputs are scores, to learn from beside the labels.
    teacher_weight
        Share of the teacher in T, from 0 to 1.
    penalty
        λ of the path regulariser.
    n_init
        Trees that are trained from different first weights; the one with the least cross-entropy
        along its hard paths is kept.
    max_iter
        Passes over the rows.
    batch_size
        Rows a step of the optimiser (Adam).
    learning_rate
        Of the optimiser.
    random_state
        Of the first weights.

    Attributes
    ----------
    classes_
        Labels.
    coef_, intercept_
        ``(splits, features)`` and ``(splits,)``, in the units of X, splits level by level.
    leaves_
        ``(leaves, classes)`` distributions Q.
    n_iter_
        Passes that were made.
    n_features_in_
        Length of a row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftDecisionTreeClassifier(depth=2, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        depth: int = 4,
        *,
        teacher: Any = None,
        teacher_weight: float = 0.8,
        penalty: float = 0.02,
        n_init: int = 1,
        max_iter: int = 100,
        batch_size: int = 64,
        learning_rate: float = 0.01,
        random_state: Any = None,
    ) -> None:
        self.depth = depth
        self.teacher = teacher
        self.teacher_weight = teacher_weight
        self.penalty = penalty
        self.n_init = n_init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> SoftDecisionTreeClassifier:
        """Train on rows.

        Parameters
        ----------
        X
            ``(rows, features)`` of finite reals.
        y
            ``(rows,)`` labels of two classes or more, or T itself: ``(rows, classes)``
            probabilities, such as a network gives.
        sample_weight
            ``(rows,)``, how often each row counts.
        classes
            Of probabilities, the labels of their columns in rising order; by default 0, 1, 2 …

        Raises
        ------
        ValueError
            For a single class, a depth outside 1..12, no tree to train, or rows of y that are no
            distributions.
        """
        X, targets, weight = self._rows_and_targets(X, y, sample_weight, classes)
        if self.n_init < 1:
            raise ValueError(f"n_init is positive, not {self.n_init}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is positive, not {self.batch_size}")
        if not 1 <= self.depth <= 12:
            raise ValueError(f"depth lies between 1 and 12, not at {self.depth}")
        if self.teacher is not None:
            taught = teacher_probabilities(self.teacher, X, self.classes_)
            targets += self.teacher_weight * (taught - targets)
        weight = weight / weight.sum()
        mean = weight @ X
        spread = np.sqrt(weight @ np.square(X - mean))
        varies = spread > 1e-9 * np.maximum(np.abs(mean), 1e-30)
        self._grid = fit_grid(X, weight)
        steps = np.where(varies, spread / self._grid.scale, 0.0)
        spread = np.where(varies, np.maximum(steps, RAREST * steps.max()), np.inf)
        spread *= self._grid.scale
        standard = (X - mean) / spread
        random = check_random_state(self.random_state)
        tries = [self._train(standard, targets, weight, random) for _ in range(self.n_init)]
        trained = min(tries, key=lambda tree: tree.cross_entropy(standard, targets, weight))
        self.coef_ = trained.weights / spread
        self.intercept_ = trained.bias - self.coef_ @ mean
        self.leaves_ = softmax(trained.leaves)
        self.n_iter_ = self.max_iter
        return self

    def _rows_and_targets(
        self, X: Any, y: Any, sample_weight: Any, classes: Any
    ) -> tuple[Array, Array, Array]:
        """Rows, their distributions and their weights; sets `classes_`."""
        if is_soft(y):
            X = validate_data(self, X, dtype=np.float64)
            targets, self.classes_ = soft_targets(y, classes, len(X))
            weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
            return X[weight > 0], targets[weight > 0], weight[weight > 0]
        if classes is not None:
            raise ValueError("classes name the columns of probabilities, and y holds labels")
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a soft tree needs two classes, y holds one class")
        return X, np.eye(len(self.classes_))[codes], weight

    def _train(self, X: Array, targets: Array, weight: Array, random: Any) -> SoftSplits:
        start = random.permutation(len(X))[:START] if len(X) > START else slice(None)
        splits, bias = first_splits(
            X[start], likeliest(targets[start]), weight[start] / weight[start].sum(), self.depth
        )
        splits += 0.1 * random.normal(size=splits.shape) / np.sqrt(X.shape[1])
        leaves = np.tile(np.log(np.maximum(weight @ targets, 1e-6)), (len(bias) + 1, 1))
        tree = SoftSplits(splits, bias, leaves, self.penalty)
        tree.settle(X, targets, weight)
        adam, counts = Adam(), weight * len(X)
        batches = max(1, len(X) // self.batch_size)
        for _ in range(self.max_iter):
            order = random.permutation(len(X))
            for batch in np.array_split(order, batches):
                done = (adam.steps + 1) / (self.max_iter * batches)
                rate = self.learning_rate * (1.0 if done < 0.5 else 2.0 * (1.0 - done) + 0.02)
                share = counts[batch] / len(batch)
                beta = 1 + (LAST_BETA - 1) * done
                gradients = tree.gradients(X[batch], targets[batch], share, beta)
                adam.step(tree.parameters(), gradients, rate)
        tree.settle(X, targets, weight)
        return tree

    def predict_proba(self, X: Any) -> Array:
        """Distribution of the leaf that each row reaches: ``(rows, classes)``."""
        check_is_fitted(self)
        return np.asarray(self.leaves_[self.apply(X)])

    def predict(self, X: Any) -> Array:
        """Label of each row, as a device computes it."""
        check_is_fitted(self)
        return self.classes_[self.leaves_.argmax(1)[self.apply(X)]]

    def apply(self, X: Any) -> Array:
        """Number of the leaf that each row reaches, in the integers of a device: ``(rows,)``."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return run_rows(self.to_graph("leaf"), self._grid.stored(X))[:, 0].astype(np.int64)

    def to_graph(self, mode: str = "class") -> Graph:
        """The integers that a device computes; its output numbers `classes_`.

        Parameters
        ----------
        mode
            ``"class"``, ``"scores"`` (the leaf's distribution) or ``"leaf"`` (its number).
        """
        check_is_fitted(self)
        weights = self.coef_ * self._grid.scale
        bias = self.intercept_ - weights @ self._grid.zero
        # Rounding moves a weight by up to a half, and a sum by up to 64 for each of them.
        room = SUM - 64 * weights.shape[1] - 1
        room = max(room, 0) / (np.abs(weights).sum(1) * 128 + np.abs(bias) + 1e-12)
        factor = np.minimum(127 / np.maximum(np.abs(weights).max(1), 1e-12), room)
        builder = GraphBuilder(type(self).__name__)
        x = add_input(builder, self._grid)
        names = [
            builder.constant("weights", np.rint(weights * factor[:, None]).astype(np.int8)),
            builder.constant("bias", np.rint(bias * factor).astype(np.int32)),
            builder.constant("leaves", _integer_leaves(self.leaves_)),
        ]
        quant = Quant((1 / 127,)) if mode == "scores" else None
        return builder.build([builder.one(ObliqueTree(mode), x, *names, name=mode, quant=quant)])


def _integer_leaves(leaves: Array) -> Array:
    """Shares in 127ths; the likeliest class stays the only one with the most of them."""
    stored = np.rint(leaves * 127)
    number, best = np.arange(len(leaves)), leaves.argmax(1)
    others = stored.copy()
    others[number, best] = -1
    stored[number, best] = np.maximum(stored[number, best], others.max(1) + 1)
    return stored.astype(np.int8)
