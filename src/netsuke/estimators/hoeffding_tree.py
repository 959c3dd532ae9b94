"""A decision tree that learns row by row in a fixed memory."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr
from sklearn.utils.validation import check_is_fitted

from netsuke.estimators.forest_graph import Tree
from netsuke.estimators.incremental_tree import IncrementalTree
from netsuke.ir import Array


class HoeffdingTreeClassifier(IncrementalTree):
    """A tree that grows while rows come in, never larger than its pool of leaves.

    Each leaf keeps, for every class k and feature j, the number n_k of its rows, their mean μ_kj
    and variance σ_kj² (Welford's recurrence), and each feature's range. From them a cut t sends
    n_k Φ((t - μ_kj) / σ_kj) rows of each class to the left, so the gain of information G(j, t) is
    known without keeping any row. A leaf splits at the best cut when after n rows

        G(best) - G(second best feature) > ε   or   ε < tie,     ε = sqrt(ln(1/δ) / 2n),

    with G in parts of its largest value log2 K, which Hoeffding's bound makes the right choice with
    probability 1 - δ. When all leaves of the pool are in use the tree stays as it is and only its
    leaves go on counting. A leaf says the class it has seen most often.

    Domingos & Hulten 2000, "Mining High-Speed Data Streams", KDD, section 3; Gaussian
    observers as in Pfahringer, Holmes & Kirkby 2008, "Handling Numeric Attributes in Hoeffding
    Trees", PAKDD.

    Parameters
    ----------
    max_leaves
        Leaves in the pool.
    grace_period
        Rows between two looks at a leaf.
    delta
        δ of the bound.
    tie
        Below this bound the best cut is taken, however close the second one.
    cuts
        Cuts that are tried for each feature, evenly over its range in the leaf.
    passes
        How often `fit` shows the rows; `partial_fit` shows them once.

    Attributes
    ----------
    classes_
        Labels.
    tree_
        The tree as it stands, a `netsuke.estimators.forest_graph.Tree`; a leaf's values are the
        rows of each class that it saw.
    n_leaves_
        Leaves in use.
    n_features_in_
        Length of a row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = HoeffdingTreeClassifier(max_leaves=4).fit(X, y)
    >>> bool(model.score(X, y) > 0.9), model.n_leaves_ <= 4
    (True, True)
    """

    def __init__(
        self,
        max_leaves: int = 8,
        *,
        grace_period: int = 25,
        delta: float = 1e-3,
        tie: float = 0.15,
        cuts: int = 10,
        passes: int = 5,
    ) -> None:
        self.max_leaves = max_leaves
        self.grace_period = grace_period
        self.delta = delta
        self.tie = tie
        self.cuts = cuts
        self.passes = passes

    def _begin(self, features: int) -> None:
        self._pool = _Pool(max(1, int(self.max_leaves)), len(self.classes_), features)

    def _learn_row(self, row: Array, label: int, weight: float) -> None:
        leaf = self._pool.see(row, label, weight)
        if self._pool.waiting[leaf] >= self.grace_period and self._pool.has_room:
            self._look(leaf)

    def _grown(self) -> Tree:
        return self._pool.tree()

    def _look(self, leaf: int) -> None:
        """Split a leaf if the bound allows it."""
        pool = self._pool
        pool.waiting[leaf] = 0
        if (pool.seen[leaf] > 0).sum() < 2:
            return
        gains, cuts = pool.gains(leaf, self.cuts)
        gains /= np.log2(len(self.classes_))
        order = np.argsort(-gains, kind="stable")
        best = int(order[0])
        second = float(gains[order[1]]) if len(order) > 1 else 0.0
        bound = float(np.sqrt(np.log(1 / self.delta) / (2 * pool.seen[leaf].sum())))
        if gains[best] > 1e-9 and (gains[best] - second > bound or bound < self.tie):
            pool.split(leaf, best, float(cuts[best]))

    def learning_memory(self) -> int:
        """Bytes that a device needs to go on learning, all numbers in single precision.

        Per leaf: a count and two statistics a feature for every class, and a range a feature; per
        split: feature, threshold, child.
        """
        check_is_fitted(self, "tree_")
        leaves, classes, features = self._pool.mean.shape
        leaf = 4 * (classes * (1 + 2 * features) + 2 * features + 1)
        return leaves * leaf + (leaves - 1) * 8


class _Pool:
    """Nodes of the tree and what its leaves have seen, in arrays that never grow.

    A node's number is that of its place; leaf statistics lie in slots, and the left child of a
    split takes over its parent's slot.
    """

    def __init__(self, leaves: int, classes: int, features: int) -> None:
        nodes = 2 * leaves - 1
        self.feature = np.zeros(nodes, np.int64)
        self.threshold = np.zeros(nodes)
        self.left, self.right = np.full(nodes, -1), np.full(nodes, -1)
        self.slot = np.zeros(nodes, np.int64)
        self.used = 1
        self.votes = np.zeros((nodes, classes))
        self.seen = np.zeros((leaves, classes))
        self.mean = np.zeros((leaves, classes, features))
        self.square = np.zeros((leaves, classes, features))
        self.low = np.full((leaves, features), np.inf)
        self.high = np.full((leaves, features), -np.inf)
        self.waiting = np.zeros(leaves)
        self.node = np.zeros(leaves, np.int64)

    @property
    def has_room(self) -> bool:
        return self.used + 2 <= len(self.left)

    def see(self, row: Array, label: int, weight: float) -> int:
        """Count a row in its leaf and return the leaf's slot.

        The mean and the sum of squares follow West 1979, "Updating mean and variance estimates: an
        improved method", CACM 22(9), which for weights of 1 is Welford's recurrence.
        """
        node = 0
        while self.left[node] >= 0:
            goes_left = row[self.feature[node]] <= self.threshold[node]
            node = int(self.left[node] if goes_left else self.right[node])
        slot = int(self.slot[node])
        self.votes[node, label] += weight
        self.seen[slot, label] += weight
        away = row - self.mean[slot, label]
        self.mean[slot, label] += weight * away / self.seen[slot, label]
        # Both differences have one sign, but not when rounding makes them from nothing.
        added = weight * (away * (row - self.mean[slot, label]))
        self.square[slot, label] += np.maximum(added, 0.0)
        self.low[slot] = np.minimum(self.low[slot], row)
        self.high[slot] = np.maximum(self.high[slot], row)
        self.waiting[slot] += weight
        return slot

    def gains(self, slot: int, cuts: int) -> tuple[Array, Array]:
        """Best gain of each feature, and the cut that has it: ``(features,)``."""
        part = np.arange(1, cuts + 1) / (cuts + 1)
        places = self.low[slot] + part[:, None] * (self.high[slot] - self.low[slot])
        seen = self.seen[slot]
        deviation = np.sqrt(self.square[slot] / np.maximum(seen, 1)[:, None])
        away = places[:, None, :] - self.mean[slot]
        left = seen[:, None] * _normal(away, deviation)  # (cuts, classes, features)
        right = seen[:, None] - left
        rest = left.sum(1) * _entropy(left) + right.sum(1) * _entropy(right)
        gain = _entropy(seen[:, None]) - rest / seen.sum()
        gain = np.where(self.high[slot] > self.low[slot], gain, 0.0)
        best = gain.argmax(0)
        columns = np.arange(gain.shape[1])
        return gain[best, columns], places[best, columns]

    def split(self, slot: int, feature: int, threshold: float) -> None:
        """Turn the leaf of a slot into a split of two new leaves."""
        node = int(self.node[slot])
        seen = self.seen[slot]
        deviation = np.sqrt(self.square[slot, :, feature] / np.maximum(seen, 1))
        away = threshold - self.mean[slot, :, feature]
        share = _normal(away, deviation)
        fresh = (self.used + 1) // 2  # leaves in use are slots 0 .. fresh - 1
        self.feature[node], self.threshold[node] = feature, threshold
        self.left[node], self.right[node] = self.used, self.used + 1
        for child, taken, votes in (
            (self.used, slot, seen * share),
            (self.used + 1, fresh, seen * (1 - share)),
        ):
            self.slot[child], self.node[taken] = taken, child
            # Until it has seen rows of its own, a leaf says what its parent expects of it.
            self.votes[child] = votes / max(votes.sum(), 1e-9)
            self.seen[taken], self.mean[taken], self.square[taken] = 0, 0, 0
            self.low[taken], self.high[taken], self.waiting[taken] = np.inf, -np.inf, 0
        self.used += 2

    def tree(self) -> Tree:
        arrays = (self.feature, self.threshold, self.left, self.right, self.votes)
        return Tree(*(array[: self.used].copy() for array in arrays))


def _entropy(counts: Array) -> Array:
    """Bits of distributions: ``(..., classes, features)`` to ``(..., features)``."""
    share = counts / np.maximum(counts.sum(-2, keepdims=True), 1e-12)
    return np.asarray(-(share * np.log2(np.maximum(share, 1e-12))).sum(-2))


def _normal(away: Array, deviation: Array) -> Array:
    """Φ(away / deviation); without deviation everything lies on one side."""
    spread = np.where(deviation > 0, deviation, 1.0)
    return np.where(deviation > 0, ndtr(away / spread), away >= 0)
