"""Soft decision trees: trained by gradient, decided hard, readable."""

from __future__ import annotations

from dataclasses import dataclass
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
from netsuke.estimators.training.adam import Adam, Params
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.oblique_tree import ObliqueTree

SUM = (1 << 23) - 1
"""Sums of a split have 24 bits."""

CHECK = 20
"""Steps after which the tree is judged along its hard paths."""


class SoftDecisionTreeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A tree of linear splits, trained as a mixture, that decides along one path.

    A split i of the complete tree sends x to the right with p_i(x) = σ(β (w_iᵀ x + b_i)); a leaf l
    is reached with P^l(x), the product along its path, and holds Q^l = softmax(φ^l). Training
    minimises

        L = mean over x of  -Σ_l P^l(x) Σ_k T_k(x) log Q^l_k  +  C,
        C = -λ Σ_i 2^{-d(i)} · ½ (log α_i + log(1 - α_i)),   α_i = Σ_x P^i(x) p_i(x) / Σ_x P^i(x)

    where T is the label or a teacher's distribution, and d(i) the depth of a split: C lets no
    branch starve. β grows during training so that soft and hard decisions come to agree.
    In the end Q^l becomes the mean of T over the rows whose hard path ends in l; of the trees met
    in training the one with the least cross-entropy along these paths is kept.
    The prediction is the leaf of the hard path, turning right where ``w_iᵀ x + b_i > 0``; that path
    is the explanation (`netsuke.estimators.explain`).

    Frosst & Hinton 2017, "Distilling a Neural Network Into a Soft Decision Tree",
    arXiv:1711.09784, equations 1-5. The loss is their expected cross-entropy over leaves; in C the
    P^i are taken as given; training is by all rows at once.

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
        Trees that are trained from different first weights; the best one is kept.
    max_iter
        Steps of the optimiser (Adam).
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
        Steps that were made.
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
        penalty: float = 0.3,
        n_init: int = 4,
        max_iter: int = 200,
        learning_rate: float = 0.01,
        random_state: Any = None,
    ) -> None:
        self.depth = depth
        self.teacher = teacher
        self.teacher_weight = teacher_weight
        self.penalty = penalty
        self.n_init = n_init
        self.max_iter = max_iter
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
        if not 1 <= self.depth <= 12:
            raise ValueError(f"depth lies between 1 and 12, not at {self.depth}")
        if self.teacher is not None:
            taught = teacher_probabilities(self.teacher, X, self.classes_)
            targets += self.teacher_weight * (taught - targets)
        weight = weight / weight.sum()
        mean = weight @ X
        spread = np.sqrt(weight @ np.square(X - mean))
        spread[spread <= 1e-9 * np.maximum(np.abs(mean), 1e-30)] = np.inf  # it never varied
        standard = (X - mean) / spread
        random = check_random_state(self.random_state)
        tries = [self._train(standard, targets, weight, random) for _ in range(self.n_init)]
        trained = min(tries, key=lambda one: one[0])[1]
        self.coef_ = trained.weights / spread
        self.intercept_ = trained.bias - self.coef_ @ mean
        self.leaves_ = _softmax(trained.leaves)
        self.n_iter_ = self.max_iter
        self._grid = fit_grid(X, weight)
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

    def _train(self, X: Array, targets: Array, weight: Array, random: Any) -> _Settled:
        weights, bias = _first_splits(X, targets, weight, self.depth)
        weights += 0.1 * random.normal(size=weights.shape) / np.sqrt(X.shape[1])
        leaves = np.tile(np.log(np.maximum(weight @ targets, 1e-6)), (len(bias) + 1, 1))
        mixture = _Mixture(weights, bias, leaves, self.penalty)
        mixture.leaves = mixture.settled(X, targets, weight)[1].leaves.copy()
        adam, best = Adam(), mixture.settled(X, targets, weight)
        for step in range(1, self.max_iter + 1):
            done = step / self.max_iter
            rate = self.learning_rate * (1.0 if done < 0.5 else 2.0 * (1.0 - done) + 0.02)
            gradients = mixture.gradients(X, targets, weight, 1 + 4 * done)
            adam.step(mixture.parameters(), gradients, rate)
            if step % CHECK == 0 or step == self.max_iter:
                best = min(best, mixture.settled(X, targets, weight), key=lambda one: one[0])
        return best

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
        room = SUM / (np.abs(weights).sum(1) * 128 + np.abs(bias) + weights.shape[1] * 128 + 1e-12)
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


_Settled = tuple[float, "_Mixture"]


@dataclass(slots=True, eq=False)
class _Mixture:
    """A soft tree in training: ``(splits, features)``, ``(splits,)``, ``(leaves, classes)``."""

    weights: Array
    bias: Array
    leaves: Array
    penalty: float

    def parameters(self) -> Params:
        return {"weights": self.weights, "bias": self.bias, "leaves": self.leaves}

    def gradients(self, X: Array, targets: Array, weight: Array, beta: float) -> Params:
        """Of the loss, with respect to `parameters`."""
        splits = len(self.bias)
        right = 1 / (1 + np.exp(-np.clip(beta * (X @ self.weights.T + self.bias), -30, 30)))
        reach = np.ones((len(X), 2 * splits + 1))
        for split in range(splits):
            reach[:, 2 * split + 1] = reach[:, split] * (1 - right[:, split])
            reach[:, 2 * split + 2] = reach[:, split] * right[:, split]
        chances = _softmax(self.leaves)
        cost = np.empty((len(X), 2 * splits + 1))
        cost[:, splits:] = -targets @ np.log(np.maximum(chances, 1e-12)).T
        slope = np.empty((len(X), splits))
        for split in range(splits - 1, -1, -1):
            left_cost, right_cost = cost[:, 2 * split + 1], cost[:, 2 * split + 2]
            slope[:, split] = reach[:, split] * (right_cost - left_cost)
            cost[:, split] = left_cost + right[:, split] * (right_cost - left_cost)
        slope = (slope + self._balance(reach[:, :splits], right, weight)) * right * (1 - right)
        slope *= beta * weight[:, None]
        shares = reach[:, splits:] * weight[:, None]
        leaves = shares.sum(0)[:, None] * chances - shares.T @ targets
        return {"weights": slope.T @ X, "bias": slope.sum(0), "leaves": leaves}

    def settled(self, X: Array, targets: Array, weight: Array) -> _Settled:
        """The tree whose leaves have the distribution of the rows whose hard path ends there.

        Returned behind its mean cross-entropy along the hard paths. A leaf without rows keeps its
        distribution.
        """
        right = X @ self.weights.T + self.bias > 0
        at = np.zeros(len(X), np.int64)
        for _ in range(len(self.bias).bit_length()):
            at = 2 * at + 1 + right[np.arange(len(X)), at]
        ends = np.eye(len(self.leaves))[at - len(self.bias)] * weight[:, None]
        mass, sums = ends.sum(0), ends.T @ targets
        # One row in ten thousand of the soft distribution keeps every class possible.
        shares = (sums + 1e-4 * _softmax(self.leaves)) / (mass + 1e-4)[:, None]
        leaves = np.log(np.maximum(shares, 1e-12))
        tree = _Mixture(self.weights.copy(), self.bias.copy(), leaves, self.penalty)
        return float(-(sums * leaves).sum()), tree

    def _balance(self, reach: Array, right: Array, weight: Array) -> Array:
        """Gradient of the path regulariser with respect to p_i(x), per unit of a row's weight."""
        total = np.maximum(weight @ reach, 1e-9)
        alpha = np.clip(weight @ (reach * right) / total, 1e-3, 1 - 1e-3)
        depth = np.floor(np.log2(np.arange(1, len(alpha) + 1)))
        pull = -self.penalty * 2.0**-depth * 0.5 * (1 / alpha - 1 / (1 - alpha))
        return reach * (pull / total)


def _softmax(values: Array) -> Array:
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _first_splits(X: Array, targets: Array, weight: Array, depth: int) -> tuple[Array, Array]:
    """Splits to start from: linear discriminants between two groups of classes, level by level.

    The classes of a node fall into two groups by the sign of the first principal component of
    their means; ``w = (S + I/10)^-1 (m_right - m_left)`` with S the covariance within classes
    (Fisher's discriminant), scaled to a standard deviation of 1 in the node.
    """
    splits = (1 << depth) - 1
    weights, bias = np.zeros((splits, X.shape[1])), np.zeros(splits)
    reach = np.zeros((2 * splits + 1, len(X)))
    reach[0] = weight
    for split in range(splits):
        shares = reach[split][:, None] * targets
        mass = shares.sum(0)
        total = float(mass.sum())
        if total > 1e-9:
            means = (shares.T @ X) / np.maximum(mass, 1e-12)[:, None]
            here = reach[split] > 0
            weights[split], bias[split] = _discriminant(
                X[here], reach[split][here] / total, means, mass / total
            )
        right = X @ weights[split] + bias[split] > 0
        reach[2 * split + 1], reach[2 * split + 2] = reach[split] * ~right, reach[split] * right
    return weights, bias


def _discriminant(X: Array, share: Array, means: Array, mass: Array) -> tuple[Array, float]:
    """Weights and bias that separate two groups of classes with these means and masses."""
    centre = mass @ means
    _, _, axes = np.linalg.svd(np.sqrt(mass)[:, None] * (means - centre), full_matrices=False)
    side = (means - centre) @ axes[0]
    right = side > mass @ side
    if not 0.0 < mass[right].sum() < 1.0:
        return np.zeros(X.shape[1]), 0.0
    centred = X - centre
    scatter = (centred * share[:, None]).T @ centred
    scatter -= ((means - centre) * mass[:, None]).T @ (means - centre)
    ends = [mass[half] @ means[half] / mass[half].sum() for half in (~right, right)]
    w = np.linalg.solve(scatter + 0.1 * np.eye(len(scatter)), ends[1] - ends[0])
    w /= max(float(np.sqrt(share @ np.square(centred @ w))), 1e-9)
    return w, -float(w @ (ends[0] + ends[1]) / 2)
