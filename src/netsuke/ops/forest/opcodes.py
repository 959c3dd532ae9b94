"""Trees as instructions of an AVR: four to five cycles a split, about nine bytes.

A core of this family runs what lies in its flash, as our tables do. So a tree may be a table
that the core runs: it is called with x in X, and returns the leaf's number in r24. Every
instruction is one word, relative and free of addresses::

    movw r30, r26                            the features, at Z
    ldd r24, Z+feature                       unless r24 still holds it
    cpi r24, threshold + 1
    brcc right                               or brcs over an rjmp, where right is far
    ... left ...
    ldi r24, leaf                            a leaf; a branch to one that is near does as well
    ret

Opcodes: Microchip DS40002198, "AVR Instruction Set Manual".
"""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array

FEATURES = 64
"""Displacements of LDD have 6 bits."""

DEEPEST = 100
BRANCH, JUMP = 63, 2047
"""Words that a conditional branch and a relative jump reach."""

MOVW_Z_X, RET = 0x01FD, 0x9508


def ldd(feature: int) -> int:
    """Load r24 from Z + feature."""
    return 0x8180 | feature & 7 | (feature & 0x18) << 7 | (feature & 0x20) << 8


def cpi(value: int) -> int:
    """Compare r24 with a constant."""
    return 0x3080 | (value & 0xF0) << 4 | value & 15


def ldi(value: int) -> int:
    """Load r24 with a constant."""
    return 0xE080 | (value & 0xF0) << 4 | value & 15


def branch(carry: bool, words: int) -> int:
    """Go on some words behind the next one when the carry is set, or clear."""
    return (0xF000 if carry else 0xF400) | (words & 0x7F) << 3


def rjmp(words: int) -> int:
    """Go on some words behind the next one."""
    return 0xC000 | words & 0xFFF


def opcodes(
    feature: Array, threshold: Array, children: Array, roots: Array, features: int
) -> tuple[Array, Array] | None:
    """Trees as words, and the bytes of each tree: uint16 both.

    Parameters
    ----------
    feature, threshold, children, roots
        As in `Trees`, thresholds of bytes from 0; a leaf is ``-1 - number`` with numbers below 256.
    features
        Length of x.

    Returns
    -------
    tuple or None
        None where this form cannot express the trees: more than 64 features, more than 256
        leaves, too deep, or a jump too far.
    """
    if features > FEATURES or min(children.min(initial=0), roots.min(initial=0)) < -256:
        return None
    writer = _Writer(feature.tolist(), threshold.tolist(), children.tolist())
    trees = []
    for root in roots.tolist():
        words = writer.words(root, -1, 0)
        if words is None:
            return None
        trees.append([MOVW_Z_X, *words])
    sizes = np.array([2 * len(tree) for tree in trees])
    if sizes.max() > 65535:
        return None
    return np.concatenate(trees).astype(np.uint16), sizes.astype(np.uint16)


class _Writer:
    """Words of one subtree after the other."""

    def __init__(self, feature: list[int], threshold: list[int], children: list[list[int]]) -> None:
        self._feature, self._threshold, self._children = feature, threshold, children

    def words(self, node: int, held: int, depth: int) -> list[int] | None:
        """The subtree of a node, where r24 holds the feature `held` (-1: none)."""
        if node < 0:
            return [ldi(-1 - node), RET]
        if depth > DEEPEST:
            return None
        number, cut = self._feature[node], self._threshold[node] + 1
        if cut > 255:  # nothing is larger than 255
            return self.words(self._children[node][0], held, depth + 1)
        start = [cpi(cut)] if held == number else [ldd(number), cpi(cut)]
        sides = [self.words(child, number, depth + 1) for child in self._children[node]]
        left, right = sides
        if left is None or right is None:
            return None
        shared = _leaf_in(right, left) if len(right) == 2 else None
        if shared is not None:
            return [*start, branch(False, shared), *left]
        shared = _leaf_in(left, right) if len(left) == 2 else None
        if shared is not None:
            return [*start, branch(True, shared), *right]
        if len(left) <= BRANCH:
            return [*start, branch(False, len(left)), *left, *right]
        if len(left) > JUMP:
            return None
        return [*start, branch(True, 1), rjmp(len(left)), *left, *right]


def _leaf_in(leaf: list[int], words: list[int]) -> int | None:
    """Where a branch finds the same leaf in other words."""
    for at in range(min(len(words) - 1, BRANCH + 1)):
        if words[at : at + 2] == leaf:
            return at
    return None
