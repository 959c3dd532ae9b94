"""Grown trees → a graph of one `Forest` node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.threshold_grid import ThresholdGrid, threshold_grid
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.forest import Forest, Trees, largest_score

FARTHEST = 1 << 30
"""Zero points lie within."""

LARGEST = 32767
"""The scores are int16."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """One grown tree, in the user's units.

    Attributes
    ----------
    feature, threshold
        ``(nodes,)``; meaningless at leaves.
    left, right
        ``(nodes,)`` numbers of children, -1 at leaves.
    value
        ``(nodes, outputs)`` what a leaf adds to the scores.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    value: Array

    @property
    def is_leaf(self) -> Array:
        return self.left < 0

    @property
    def leaves(self) -> int:
        """Leaves that the root leads to."""
        return (len(self._reachable()) + 1) // 2

    def _reachable(self) -> list[int]:
        """Nodes that the root leads to, each before its left child before its right one."""
        order, pending = [], [0]
        while pending:
            node = pending.pop()
            order.append(node)
            if self.left[node] >= 0:
                pending += [int(self.right[node]), int(self.left[node])]
        return order

    def compact(self) -> Tree:
        """The same tree without nodes that nothing leads to, parents before children."""
        order = np.array(self._reachable())
        number = np.full(len(self.left) + 1, -1)
        number[order] = np.arange(len(order))
        return Tree(
            self.feature[order],
            self.threshold[order],
            number[self.left[order]],
            number[self.right[order]],
            self.value[order],
        )

    def expectations(self) -> Array:
        """``(nodes, outputs)``: the mean over the leaves below, each child as likely as the other.

        Where the values of inner nodes are known (trees of scikit-learn) they are those.
        """
        values = np.array(self.value, np.float64)
        if not values[~self.is_leaf].any():
            for node in reversed(self._reachable()):
                if self.left[node] >= 0:
                    values[node] = (values[self.left[node]] + values[self.right[node]]) / 2
        return values

    def shares(self) -> Tree:
        """The same tree with values that add up to 1 in each node."""
        values = np.array(self.value, np.float64)
        for node in reversed(self._reachable()):
            if self.left[node] >= 0:
                values[node] = values[self.left[node]] + values[self.right[node]]
        values /= np.maximum(values.sum(1, keepdims=True), 1e-12)
        return Tree(self.feature, self.threshold, self.left, self.right, values)

    def leaf_of(self, rows: Array) -> Array:
        """Number of the node at which each row ``(rows, features)`` ends."""
        at = np.zeros(len(rows), np.int64)
        number = np.arange(len(rows))
        while not self.is_leaf[at].all():
            goes_left = rows[number, np.maximum(self.feature[at], 0)] <= self.threshold[at]
            following = np.where(goes_left, self.left[at], self.right[at])
            at = np.where(self.is_leaf[at], at, following)
        return at


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    feature: Array
    threshold: Array
    children: Array
    roots: Array
    values: Array  # real


def forest_graph(
    trees: Sequence[Tree],
    features: int,
    samples: Array | None,
    *,
    mode: str = "class",
    offset: Array | None = None,
    levels: int | None = None,
    bits: int | None = None,
    name: str = "forest",
) -> Graph:
    """Return the graph that computes an ensemble in integers.

    Parameters
    ----------
    trees
        In the user's units.
    features
        Length of a row.
    samples
        Training rows, or None; see `threshold_grid`.
    mode
        ``"class"``, ``"scores"`` or ``"leaves"``; see `Forest`.
    offset
        ``(outputs,)`` what the scores begin with.
    levels
        The integer that the largest weight of a leaf becomes; None for the finest that fits into
        int16 sums, and not more than 127 where leaves have several outputs.
    bits
        Width of features; see `threshold_grid`.
    name
        Of the graph.

    Raises
    ------
    UsageError
        When there is no tree, or a number is not finite.
    """
    if not trees:
        raise UsageError("an ensemble needs at least one tree")
    arrays = _gather(trees)
    start = np.zeros(arrays.values.shape[1]) if offset is None else np.asarray(offset, np.float64)
    for numbers in (arrays.threshold, arrays.values, start):
        if not np.isfinite(numbers).all():
            raise UsageError("the trees hold a NaN or an infinity, which have no integer")
    grid = threshold_grid(arrays.feature, arrays.threshold, features, samples, bits)
    centre = 0.0
    if mode == "scores" and len(start) == 1 and levels is None:
        arrays, centre = _centred(arrays, float(start[0]))
        start = np.zeros(1)
    leaves, first, scale = _integer_weights(arrays, start, levels, centre)
    return _build(arrays, grid, leaves, first, scale, features, mode, name, centre)


def _centred(arrays: _Arrays, start: float) -> tuple[_Arrays, float]:
    """Leaves around zero, and what was taken from the sum: it becomes a zero point.

    A value far from zero, such as 1000 hPa, leaves the integers to what varies.
    """
    first = np.array([_first_leaf(arrays.children, int(root)) for root in arrays.roots])
    ends = np.append(first[1:], len(arrays.values))
    values = arrays.values.copy()
    for begin, end in zip(first, ends, strict=True):
        part = values[begin:end]
        middle = float(part.min() + part.max()) / 2
        values[begin:end] -= middle
        start += middle
    centred = _Arrays(arrays.feature, arrays.threshold, arrays.children, arrays.roots, values)
    return centred, start


def _first_leaf(children: Array, node: int) -> int:
    """The smallest number of a leaf below a node: leaves are numbered from left to right."""
    while node >= 0:
        node = int(children[node, 0])
    return -1 - node


def _gather(trees: Sequence[Tree]) -> _Arrays:
    """All trees with splits and leaves numbered through; parents come before children."""
    feature: list[int] = []
    threshold: list[float] = []
    children: list[list[int]] = []
    values: list[Array] = []
    roots = []
    for tree in trees:
        tree = tree.compact()
        leaf = tree.is_leaf
        splits, leaves = len(feature), len(values)
        numbers = np.where(leaf, -leaves - np.cumsum(leaf), splits + np.cumsum(~leaf) - 1)
        feature += tree.feature[~leaf].tolist()
        threshold += tree.threshold[~leaf].tolist()
        children += np.stack([numbers[tree.left], numbers[tree.right]], 1)[~leaf].tolist()
        values += list(tree.value[leaf])
        roots.append(int(numbers[0]))
    return _Arrays(
        np.array(feature, np.int32),
        np.array(threshold, np.float64),
        np.array(children, np.int32).reshape(-1, 2),
        np.array(roots, np.int32),
        np.array(values, np.float64),
    )


def _integer_weights(
    arrays: _Arrays, offset: Array, levels: int | None, centre: float
) -> tuple[Array, Array, float]:
    """Integer weights of the leaves, of the offset, and what one of them is worth.

    One of them is worth at least 2^-30 of `centre`, so that a zero point can hold this.
    """
    farthest = max(abs(centre), float(np.abs(offset).max(initial=0.0)))
    least = farthest / FARTHEST
    largest = float(np.abs(arrays.values).max(initial=0.0)) or least * LARGEST or 1.0
    if levels is not None and not 1 <= levels <= LARGEST:
        raise UsageError(f"levels lie between 1 and {LARGEST:,}, not {levels}")
    several = (np.count_nonzero(arrays.values, axis=1) > 1).any()
    wish = float(levels or (127 if several else LARGEST))
    wish = min(wish, largest / least) if least else wish
    if wish < 1:
        raise UsageError(
            f"the ensemble's values begin with {farthest:g}, too far from zero for leaves of "
            f"{largest:g}; subtract a constant from the targets"
        )
    while True:
        scale = largest / wish
        leaves = _rounded_rows(arrays.values / scale)
        first = np.rint(offset / scale).astype(np.int64)
        reach = largest_score(
            Trees(arrays.feature, arrays.feature, arrays.children, arrays.roots, leaves, first)
        )
        if reach <= LARGEST:
            return leaves.astype(np.int16), first.astype(np.int16), scale
        wish = min(wish * LARGEST / reach, wish - 1)
        if wish < 1:
            raise UsageError("the offset of the ensemble is too large beside its leaves for int16")


def _rounded_rows(values: Array) -> Array:
    """Round so that each row keeps its sum as nearly as integers can (largest remainders first).

    Shares of classes stay shares: what one class loses another one gets.
    """
    floors = np.floor(values)
    missing = np.rint(values.sum(1) - floors.sum(1)).astype(np.int64)
    order = np.argsort(-(values - floors), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return (floors + (rank < missing[:, None])).astype(np.int64)


def _build(
    arrays: _Arrays,
    grid: ThresholdGrid,
    leaves: Array,
    offset: Array,
    scale: float,
    features: int,
    mode: str,
    name: str,
    centre: float,
) -> Graph:
    builder = GraphBuilder(name)
    x = builder.input("features", (features,), grid.grid.dtype, grid.grid.quant)
    distinct, codes = np.unique(leaves, axis=0, return_inverse=True)
    children, roots = arrays.children, arrays.roots
    if mode != "leaves":  # where the leaf itself is asked for, each one keeps its number
        children, roots = (
            np.where(kids < 0, -1 - codes.reshape(-1)[np.where(kids < 0, -1 - kids, 0)], kids)
            for kids in (children, roots)
        )
        leaves = distinct
    constants = [
        builder.constant("split_feature", arrays.feature),
        builder.constant("split_threshold", grid.thresholds),
        builder.constant("children", children.astype(np.int32)),
        builder.constant("roots", roots.astype(np.int32)),
        builder.constant("leaves", leaves.astype(np.int16)),
        builder.constant("offset", offset),
    ]
    quant = Quant((scale,), (-round(centre / scale),), bits=16) if mode == "scores" else None
    return builder.build([builder.one(Forest(mode), x, *constants, name=mode, quant=quant)])
