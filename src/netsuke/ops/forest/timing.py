"""How long a forest takes on an AVR on given rows: every split, every vote, and the early end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.forest.trees import Trees

SPLIT, WIDE_SPLIT, RUN_SPLIT = 20.0, 50.0, 5.0
"""Cycles of one split: of bytes in a table (19 to the left, 21 to the right), of 16 bits in C, and
where the table is itself run."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Means over rows.

    Attributes
    ----------
    splits, trees
        How many are passed before the decision is clear.
    weights
        Weights of leaves, other than zero, that are added.
    """

    splits: float
    trees: float
    weights: float


def walk(trees: Trees, rows: Array, majority: int | None) -> Walk:
    """Send rows ``(n, features)`` through the trees in turn.

    Parameters
    ----------
    majority
        A score above which the rest of the trees is left out, or None.
    """
    count = len(rows)
    scores = np.tile(trees.offset.astype(np.int64), (count, 1))
    going = np.arange(count)
    passed = visited = added = 0
    for root in trees.roots.tolist():
        at = np.full(len(going), root)
        inner = at >= 0
        while inner.any():
            passed += int(inner.sum())
            split = at[inner]
            left = rows[going[inner], trees.feature[split]] <= trees.threshold[split]
            at[inner] = np.where(left, trees.children[split, 0], trees.children[split, 1])
            inner = at >= 0
        visited += len(going)
        leaves = trees.leaves[-1 - at]
        added += int((leaves != 0).sum())
        scores[going] += leaves
        if majority is not None:
            going = going[scores[going].max(1, initial=-32768) <= majority]
    return Walk(passed / count, visited / count, added / count)


def avr_cycles(found: Walk, split: float, outputs: int, form: int, limited: bool) -> float:
    """Clock cycles of a walk; see forest.h for the forms of leaves.

    A split's are known from instruction timing; what trees and leaves take was measured.
    """
    compared = 7.0 * outputs if limited else 0.0
    leaf = {2: 50.0 + 33.0 * outputs, 3: 50.0 + 37.0 * outputs, 4: 190.0}.get(form, 75.0)
    weights = 31.0 * found.weights if form == 4 else 0.0
    return split * found.splits + (leaf + compared) * found.trees + weights


def timed_on_avr(kernel: Kernel, trees: Trees, x: Tensor, rows: Array) -> Kernel:
    """The kernel with the mean cycles that rows take on an AVR."""
    given = kernel.parameters
    form, majority = int(_number(given.get("form", 0))), given.get("majority")
    unit = int(trees.leaves.max(initial=1)) if form == 0 else 1  # there a score counts votes
    limit = None if majority is None else int(_number(majority)) * unit
    found = walk(trees, np.asarray(rows, np.int64), limit)
    split = WIDE_SPLIT if x.dtype == "int16" else SPLIT
    if kernel.function.endswith("_avr"):
        split = RUN_SPLIT
    outputs = trees.leaves.shape[1]
    cycles = avr_cycles(found, split, outputs, form, limit is not None and limit < 32767)
    chosen = 35.0 if "_class" in kernel.function else 8.0
    return replace(kernel, cycles=cycles + chosen * outputs)


def _number(value: float | Array) -> float:
    return float(np.asarray(value))
