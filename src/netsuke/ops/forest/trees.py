"""Trees as arrays: what they must fulfil, and how rows walk through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """The constants of a `Forest`, in the order of its inputs.

    Attributes
    ----------
    feature, threshold
        ``(splits,)``; x goes left when ``x[feature] <= threshold``.
    children
        ``(splits, 2)``: a later split, or ``-1 - leaf``.
    roots
        ``(trees,)``, written like children.
    leaves
        ``(leaves, outputs)`` weights.
    offset
        ``(outputs,)`` what the scores begin with.
    """

    feature: Array
    threshold: Array
    children: Array
    roots: Array
    leaves: Array
    offset: Array

    @classmethod
    def of(cls, inputs: Sequence[Tensor]) -> Trees:
        """The trees among a node's inputs.

        Raises
        ------
        GraphError
            When one of them is no constant of the right type and rank.
        """
        if len(inputs) != 7:
            raise GraphError("forest", f"takes 7 inputs, {len(inputs)} are given")
        kinds = (("int32", 1), ("int32", 1), ("int32", 2), ("int32", 1), ("int16", 2), ("int16", 1))
        arrays = []
        for tensor, (dtype, rank) in zip(inputs[1:], kinds, strict=True):
            if tensor.data is None or tensor.dtype != dtype or len(tensor.shape) != rank:
                raise GraphError(
                    tensor.name, f"a forest needs a constant {dtype} of {rank} axes here"
                )
            arrays.append(tensor.data)
        return cls(*arrays)

    @property
    def mean_path(self) -> float:
        """Splits that a row passes in all trees together, if each split sends half each way."""
        weight = np.zeros(len(self.feature) + 1)
        np.add.at(weight, self.roots[self.roots >= 0], 1.0)
        for split, children in enumerate(self.children):
            for child in children[children >= 0]:
                weight[child] += weight[split] / 2
        return float(weight.sum())


def check_trees(trees: Trees, x: Tensor) -> None:
    """Raise GraphError unless every number names something that exists, and scores fit int16."""
    splits, leaves = len(trees.feature), len(trees.leaves)
    outputs = trees.leaves.shape[1]
    if trees.threshold.shape != (splits,) or trees.children.shape != (splits, 2):
        raise GraphError(x.name, f"a forest of {splits} splits needs as many thresholds and pairs")
    if trees.offset.shape != (outputs,) or not 1 <= outputs <= 255 or not len(trees.roots):
        raise GraphError(x.name, f"a forest has 1..255 outputs with an offset each, not {outputs}")
    if leaves > 32767:
        raise GraphError(x.name, f"a forest may have 32,767 different leaves, not {leaves:,}")
    if splits and not 0 <= trees.feature.min() <= trees.feature.max() < x.shape[0]:
        raise GraphError(x.name, f"a split reads a feature beyond the {x.shape[0]} of {x.name!r}")
    limits = np.iinfo(x.dtype)
    if splits and not limits.min <= trees.threshold.min() <= trees.threshold.max() <= limits.max:
        raise GraphError(x.name, f"a threshold lies outside {x.dtype}")
    for name, numbers in (("child", trees.children), ("root", trees.roots)):
        if numbers.size and not -leaves <= numbers.min() <= numbers.max() < splits:
            raise GraphError(x.name, f"a {name} names a split or leaf that does not exist")
    inner = trees.children >= 0
    if (inner & (trees.children <= np.arange(splits)[:, None])).any():
        raise GraphError(x.name, "a split's child must have a larger number than the split")
    parents = np.bincount(trees.children[inner], minlength=splits)
    parents += np.bincount(trees.roots[trees.roots >= 0], minlength=splits)
    if (parents != 1).any():
        raise GraphError(x.name, "every split must be a root or the child of one split")
    if largest_score(trees) > 32767:
        raise GraphError(
            x.name,
            f"the scores may reach {largest_score(trees):,}, beyond int16; scale the leaves down",
        )


def largest_score(trees: Trees) -> int:
    """A bound on the magnitude of every partial sum of every score."""
    weights = np.abs(trees.leaves.astype(np.int64))
    peak = np.zeros((len(trees.feature) + 1, trees.leaves.shape[1]), np.int64)

    def of(child: int) -> Array:
        return weights[-1 - child] if child < 0 else peak[child]

    for split in range(len(trees.feature) - 1, -1, -1):
        left, right = trees.children[split]
        peak[split] = np.maximum(of(left), of(right))
    total = np.abs(trees.offset.astype(np.int64))
    for root in trees.roots:
        total = total + of(root)
    return int(total.max())


def leaves_reached(trees: Trees, x: Array) -> Array:
    """Leaf of each row in each tree.

    Parameters
    ----------
    trees
        Valid trees.
    x
        ``(rows, features)`` of integers.

    Returns
    -------
    ndarray
        ``(rows, trees)`` of leaf numbers.
    """
    rows = np.arange(len(x))[:, None]
    at = np.repeat(trees.roots[None].astype(np.int64), len(x), axis=0)
    while (at >= 0).any():
        split = np.maximum(at, 0)
        right = x[rows, trees.feature[split]] > trees.threshold[split]
        following = trees.children[split, right.astype(np.int64)]
        at = np.where(at >= 0, following, at)
    return -1 - at
