"""A tree of soft splits in training, and where its splits start."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netsuke.estimators.training.adam import Params
from netsuke.ir import Array

WINDOW = 10.0
"""Steps over which the root's α is averaged; twice as many at each level below."""

ALPHAS = (1e-3, 1 - 1e-3)
"""An α outside these counts as these, so that its pull stays finite."""


@dataclass(slots=True, eq=False)
class SoftSplits:
    """Splits ``(splits, features)`` and ``(splits,)``, leaves ``(leaves, classes)`` as logits φ.

    Splits are numbered level by level. The loss is that of `SoftDecisionTreeClassifier`.

    Attributes
    ----------
    penalty
        λ of the path regulariser.
    passed, turned
        Running averages of a split's Σ P^i and Σ P^i p_i over the batches that were seen, which
        give α: a batch is too small to tell how the rows part deep in the tree. Their window grows
        with the depth (section 3.1 of the paper), from `WINDOW` steps on.
    seen
        Batches so far.
    """

    weights: Array
    bias: Array
    leaves: Array
    penalty: float
    passed: Array = field(init=False)
    turned: Array = field(init=False)
    seen: int = 0

    def __post_init__(self) -> None:
        self.passed, self.turned = np.zeros(len(self.bias)), np.zeros(len(self.bias))

    @property
    def depth(self) -> int:
        """Splits on a path."""
        return len(self.bias).bit_length()

    def parameters(self) -> Params:
        """What an optimiser moves."""
        return {"weights": self.weights, "bias": self.bias, "leaves": self.leaves}

    def gradients(self, X: Array, targets: Array, weight: Array, beta: float) -> Params:
        """Of the loss, with respect to `parameters`.

        Parameters
        ----------
        X, targets, weight
            A batch: ``(n, features)``, ``(n, classes)`` and ``(n,)``, weights that sum to about 1.
        beta
            Inverse temperature of the splits.
        """
        right = _sigmoid(beta * (X @ self.weights.T + self.bias))
        reach = self._reach(right)
        chances = softmax(self.leaves)
        cost = -targets @ np.log(np.maximum(chances, 1e-12)).T
        slope = np.empty_like(right)
        for depth in range(self.depth - 1, -1, -1):
            level, left_cost = _level(depth), cost[:, 0::2]
            rise = cost[:, 1::2] - left_cost
            slope[:, level] = reach[depth] * rise
            cost = left_cost + right[:, level] * rise
        if self.penalty > 0:
            passing = np.concatenate(reach[:-1], 1)
            slope += passing * self._pull(weight @ passing, weight @ (passing * right))
        slope *= right * (1 - right) * (beta * weight[:, None])
        shares = reach[-1] * weight[:, None]
        leaves = shares.sum(0)[:, None] * chances - shares.T @ targets
        return {"weights": slope.T @ X, "bias": slope.sum(0), "leaves": leaves}

    def settle(self, X: Array, targets: Array, weight: Array) -> None:
        """Give each leaf the mean target of the rows whose hard path ends there.

        A leaf without rows keeps its distribution.
        """
        ends = self._ends(X)
        mass = np.bincount(ends, weight, len(self.leaves))
        sums = np.zeros(self.leaves.shape)
        np.add.at(sums, ends, weight[:, None] * targets)
        # One row in ten thousand of the soft distribution keeps every class possible.
        shares = (sums + 1e-4 * softmax(self.leaves)) / (mass + 1e-4)[:, None]
        self.leaves = np.log(np.maximum(shares, 1e-12))

    def cross_entropy(self, X: Array, targets: Array, weight: Array) -> float:
        """The mean along the hard paths."""
        logs = np.log(np.maximum(softmax(self.leaves), 1e-12))
        return float(-weight @ (targets * logs[self._ends(X)]).sum(1))

    def _reach(self, right: Array) -> list[Array]:
        """P^i(x) of the nodes of every level, the last of them the leaves."""
        reach = [np.ones((len(right), 1), right.dtype)]
        for depth in range(self.depth):
            turn, above = right[:, _level(depth)], reach[-1]
            below = np.empty((len(right), 2 << depth), right.dtype)
            below[:, 0::2], below[:, 1::2] = above * (1 - turn), above * turn
            reach.append(below)
        return reach

    def _ends(self, X: Array) -> Array:
        """Number of the leaf that each hard path ends in."""
        right = X @ self.weights.T + self.bias > 0
        at, rows = np.zeros(len(X), np.int64), np.arange(len(X))
        for _ in range(self.depth):
            at = 2 * at + 1 + right[rows, at]
        return at - len(self.bias)

    def _pull(self, passed: Array, turned: Array) -> Array:
        """Derivative of the path regulariser by p_i(x), per P^i(x) and unit of a row's weight."""
        self.seen += 1
        depth = np.floor(np.log2(np.arange(1, len(passed) + 1)))
        # The first batch counts whole, as in a mean of all batches until the window is full.
        share = np.maximum(1 / (WINDOW * 2.0**depth), 1 / self.seen)
        self.passed += share * (passed - self.passed)
        self.turned += share * (turned - self.turned)
        total = np.maximum(self.passed, 1e-9)
        alpha = np.clip(self.turned / total, *ALPHAS)
        pull = -self.penalty * 2.0**-depth * 0.5 * (1 / alpha - 1 / (1 - alpha)) / total
        return np.asarray(pull.astype(self.weights.dtype))


def first_splits(X: Array, classes: Array, weight: Array, depth: int) -> tuple[Array, Array]:
    """Splits to start from: linear discriminants between two groups of classes, level by level.

    The classes of a node fall into two groups by the sign of the first principal component of
    their means; ``w = (S + I/10)^-1 (m_right - m_left)`` with S the covariance within classes
    (Fisher's discriminant), scaled to a standard deviation of 1 in the node.

    Parameters
    ----------
    X, weight
        Standardised rows and how often each counts, in sum 1.
    classes
        ``(rows, classes)``, one 1 a row. Shares of several classes draw their means together and
        leave splits that tell few of them apart.
    depth
        Splits on a path.
    """
    splits = (1 << depth) - 1
    weights, bias = np.zeros((splits, X.shape[1])), np.zeros(splits)
    reach = np.zeros((2 * splits + 1, len(X)))
    reach[0] = weight
    for split in range(splits):
        shares = reach[split][:, None] * classes
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


def likeliest(targets: Array) -> Array:
    """A 1 a row at its likeliest class, the first of equal ones."""
    return np.asarray(np.eye(targets.shape[1])[targets.argmax(1)])


def softmax(values: Array) -> Array:
    """Along the second axis."""
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _level(depth: int) -> slice:
    return slice((1 << depth) - 1, (2 << depth) - 1)


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))


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
