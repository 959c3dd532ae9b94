"""Trees as bytes: three a split where features and thresholds are bytes.

A split is ``feature, threshold, code``; its left child follows it. The code says what the children
are: below `limit` both are splits and the code is how many bytes the right one is further on; from
`limit` on it names a pair of children in a table; the largest four say that leaves, or a longer
distance, are written out behind the split (`LONG` .. `BOTH`). The encoder chooses the limit and the
pairs so that everything together is smallest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array

LONG, RIGHT, LEFT, BOTH = 252, 253, 254, 255
"""Codes of splits with something written out behind them; see forest.h."""

SPLIT = -1
"""A child that is a split, where leaves have the numbers 0, 1, ..."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """A forest as tables.

    Attributes
    ----------
    nodes
        uint8, all trees one behind the other.
    sizes
        uint16, bytes of each tree.
    pairs
        ``(2, codes)``: left and right child of each code from `limit` on; uint8 or uint16, all
        ones for a split.
    limit
        The smallest code that names a pair.
    """

    nodes: Array
    sizes: Array
    pairs: Array
    limit: int

    @property
    def size(self) -> int:
        """Bytes of the tables."""
        return self.nodes.nbytes + self.sizes.nbytes + self.pairs.nbytes


def merge_equal_leaves(children: Array, roots: Array, codes: Array) -> tuple[Array, Array]:
    """Replace every split whose two leaves mean the same by that leaf.

    Parameters
    ----------
    children, roots
        As in `Trees`.
    codes
        What each leaf means.

    Returns
    -------
    children, roots
        With ``-1 - code`` for a leaf; splits that nothing names any more stay in place.
    """
    leaf = np.where(children < 0, -1 - children, 0)
    merged = np.where(children < 0, -1 - codes[leaf], children)
    for split in range(len(merged) - 1, -1, -1):
        for side in (0, 1):
            child = merged[split, side]
            if child >= 0 and merged[child, 0] == merged[child, 1] < 0:
                merged[split, side] = merged[child, 0]
    tops = []
    for root in roots:
        top = -1 - codes[-1 - root] if root < 0 else root
        if top >= 0 and merged[top, 0] == merged[top, 1] < 0:
            top = merged[top, 0]
        tops.append(int(top))
    return merged, np.array(tops, np.int64)


class _Layout:
    """The sizes of all trees for one choice of limit and pairs."""

    def __init__(self, forest: _Source, limit: int) -> None:
        self.forest, self.limit = forest, limit
        width = forest.leaf_bytes
        gains = Counter(forest.pairs)
        wanted = [
            pair
            for pair, uses in sorted(gains.items(), key=lambda item: (-item[1], item[0]))
            if uses * (2 - (SPLIT in pair)) > 2
        ]
        wanted.sort(key=lambda pair: -gains[pair] * (2 - (SPLIT in pair)))
        self.numbers = {pair: limit + i for i, pair in enumerate(wanted[: LONG - limit])}
        self.sizes: dict[int, int] = {}
        self.skips: dict[int, int] = {}
        for split in forest.upwards:
            left, right = forest.kids[split]
            size = forest.split_bytes
            below = sum(self.sizes[child] for child in (left, right) if child >= 0)
            if left >= 0 and right >= 0:
                self.skips[split] = self.sizes[left]
                size += 2 * (self.sizes[left] >= limit)
            elif forest.pair_of(split) not in self.numbers:
                size += width * ((left < 0) + (right < 0))
            self.sizes[split] = size + below
        self.total = sum(self.sizes[root] for root in forest.tops) + 2 * width * len(self.numbers)

    def bytes_of(self, root: int) -> bytes:
        """One tree, each split before its left child before its right one."""
        out, pending = bytearray(), [root]
        while pending:
            split = pending.pop()
            left, right = self.forest.kids[split]
            code, behind = self._code(split)
            out += self.forest.head(split) + bytes([code]) + behind
            pending += [child for child in (right, left) if child >= 0]
        return bytes(out)

    def _code(self, split: int) -> tuple[int, bytes]:
        left, right = self.forest.kids[split]
        if left >= 0 and right >= 0:
            skip = self.skips[split]
            return (skip, b"") if skip < self.limit else (LONG, skip.to_bytes(2, "little"))
        pair = self.forest.pair_of(split)
        if pair in self.numbers:
            return self.numbers[pair], b""
        leaves = [leaf for leaf in pair if leaf != SPLIT]
        behind = b"".join(leaf.to_bytes(self.forest.leaf_bytes, "little") for leaf in leaves)
        return (BOTH if len(leaves) == 2 else RIGHT if left >= 0 else LEFT), behind


class _Source:
    """Trees to lay out; one that is a single leaf gets a split of two equal ones."""

    def __init__(
        self, feature: Array, threshold: Array, children: Array, roots: Array, widths: Pair
    ) -> None:
        self.feature_bytes, self.threshold_bytes = widths
        self.feature = [*feature.tolist(), 0]
        self.threshold = [*threshold.tolist(), 0]
        self.kids = [(int(a), int(b)) for a, b in children]
        self.tops = []
        for root in roots.tolist():
            if root < 0:
                self.kids.append((root, root))
                self.feature.append(0)
                self.threshold.append(0)
                root = len(self.kids) - 1
            self.tops.append(root)
        largest = max((-1 - kid for pair in self.kids for kid in pair if kid < 0), default=0)
        self.leaf_bytes = 1 if largest < 255 else 2
        self.split_bytes = self.feature_bytes + self.threshold_bytes + 1
        live = self._live()
        self.upwards = live[::-1]
        self.pairs = [self.pair_of(split) for split in live if min(self.kids[split]) < 0]

    def _live(self) -> list[int]:
        """Every split that a root leads to, parents first."""
        live, pending = [], list(self.tops)
        while pending:
            split = pending.pop()
            live.append(split)
            pending += [child for child in self.kids[split] if child >= 0]
        return live

    def pair_of(self, split: int) -> Pair:
        left, right = (SPLIT if kid >= 0 else -1 - kid for kid in self.kids[split])
        return left, right

    def head(self, split: int) -> bytes:
        mask = (1 << (8 * self.threshold_bytes)) - 1
        return self.feature[split].to_bytes(self.feature_bytes, "little") + (
            self.threshold[split] & mask
        ).to_bytes(self.threshold_bytes, "little")


def encode(
    feature: Array, threshold: Array, children: Array, roots: Array, widths: Pair
) -> Encoding:
    """Lay trees out in the fewest bytes.

    Parameters
    ----------
    feature, threshold, children, roots
        As in `Trees`, leaves by what they mean (`merge_equal_leaves`).
    widths
        Bytes of a feature's number and of a threshold.

    Raises
    ------
    GraphError
        When one tree takes more than 65,535 bytes.
    """
    source = _Source(feature, threshold, children, roots, widths)
    best = min((_Layout(source, limit) for limit in range(4, LONG, 8)), key=lambda one: one.total)
    trees = [best.bytes_of(root) for root in source.tops]
    longest = max(len(tree) for tree in trees)
    if longest > 65535:
        raise GraphError(
            "forest", f"one tree takes {longest:,} B, the limit is 65,535 B; limit its depth"
        )
    dtype = np.uint8 if source.leaf_bytes == 1 else np.uint16
    split = (1 << (8 * source.leaf_bytes)) - 1
    pairs = [[split if leaf == SPLIT else leaf for leaf in pair] for pair in best.numbers]
    return Encoding(
        np.frombuffer(b"".join(trees), np.uint8),
        np.array([len(tree) for tree in trees], np.uint16),
        np.ascontiguousarray(np.array(pairs, dtype).reshape(-1, 2).T),
        best.limit,
    )
