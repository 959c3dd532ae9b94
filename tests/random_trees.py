"""Random trees and leaf weights for the operator `Forest`."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array


def grown(
    rng: np.random.Generator, dtype: str, features: int, trees: int, splits: int
) -> tuple[Array, Array, Array, Array, int]:
    """Random trees: feature, threshold, children, roots, number of leaves."""
    info = np.iinfo(dtype)
    feature: list[int] = []
    threshold: list[int] = []
    children: list[list[int]] = []
    roots, leaves = [], 0
    for _ in range(trees):
        open_ends: list[tuple[int, int]] = []
        top = len(feature)
        for number in range(splits):
            feature.append(int(rng.integers(features)))
            threshold.append(int(rng.integers(info.min, info.max, endpoint=True)))
            children.append([0, 0])
            if number:
                where = int(rng.integers(len(open_ends)))
                parent, side = open_ends.pop(where)
                children[parent][side] = top + number
            open_ends += [(top + number, 0), (top + number, 1)]
        roots.append(top if splits else -1 - leaves)
        leaves += not splits
        for parent, side in open_ends:
            children[parent][side] = -1 - leaves
            leaves += 1
    return (
        np.array(feature, np.int32),
        np.array(threshold, np.int32),
        np.array(children, np.int32).reshape(-1, 2),
        np.array(roots, np.int32),
        leaves,
    )


def weights(rng: np.random.Generator, form: str, leaves: int, outputs: int) -> Array:
    if form == "votes":
        return np.eye(outputs, dtype=np.int16)[rng.integers(outputs, size=leaves)]
    if form == "sparse":
        table = np.zeros((leaves, outputs), np.int16)
        for row in table:
            row[rng.choice(outputs, size=min(2, outputs), replace=False)] = rng.integers(1, 100)
        return table
    limit = 120 if form == "dense" else 1000
    return rng.integers(-limit, limit, (leaves, outputs)).astype(np.int16)
