"""The C kernels of a forest and the tables that they read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.forest.encode import encode, merge_equal_leaves
from netsuke.ops.forest.opcodes import opcodes
from netsuke.ops.forest.trees import Trees

VOTES, GROUPED, DENSE, WIDE, SPARSE = range(5)
"""What a leaf's code means; see forest.h."""

ENCODED = ("limit", "wide_feature", "wide_leaf", "nodes", "sizes", "pair_count", "pairs")
"""Parameters that say how trees are encoded."""

AVR_CODE = 700.0
"""Bytes of a function on an AVR at most; what is measured there is 420 to 690."""

SUFFIX = {"int8": "s8", "uint8": "u8", "int16": "s16"}


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What the leaves add to the scores.

    Attributes
    ----------
    codes
        Leaf -> code.
    parameters
        Fields of the C struct.
    """

    codes: Array
    parameters: dict[str, Any]


def forest_kernels(trees: Trees, x: Tensor, mode: str, isa: frozenset[str]) -> tuple[Kernel, ...]:
    """C functions that can run a forest: one on every core, and one that an AVR has besides."""
    weights = _leaf_numbers(trees) if mode == "leaves" else _leaf_weights(trees, mode)
    children, roots = merge_equal_leaves(trees.children, trees.roots, weights.codes)
    widths = (1 if x.shape[0] <= 256 else 2, 2 if x.dtype == "int16" else 1)
    encoding = encode(trees.feature, trees.threshold, children, roots, widths)
    form = weights.parameters.get("form")
    suffix = SUFFIX[x.dtype] + {"scores": "", "class": "_class", "leaves": "_leaves"}[mode]
    small = mode == "class" and form == VOTES and len(roots) <= 255
    kernel = Kernel(
        f"nsk_forest_{suffix}",
        f"forest/forest_{SUFFIX[x.dtype]}.c",
        "nsk_forest",
        {
            "limit": encoding.limit,
            "trees": len(roots),
            "outputs": trees.leaves.shape[1],
            "wide_feature": widths[0] - 1,
            "wide_leaf": encoding.pairs.itemsize - 1,
            "nodes": encoding.nodes,
            "sizes": encoding.sizes,
            "pair_count": encoding.pairs.shape[1],
            "pairs": encoding.pairs,
            **weights.parameters,
        },
        constants=dict.fromkeys(range(1, 7)),
        scratch=trees.leaves.shape[1] * (1 if small else 2) if mode == "class" else None,
        instructions=13.0 * trees.mean_path + 30.0 * len(roots),
        flash=True,
        code=AVR_CODE if "avr" in isa else 0.0,
    )
    if "avr" not in isa or x.dtype != "uint8" or mode == "leaves":
        return (kernel,)
    running = opcodes(trees.feature, trees.threshold, children, roots, x.shape[0])
    if running is None:
        return (kernel,)
    parameters = {k: v for k, v in kernel.parameters.items() if k not in ENCODED}
    code = replace(
        kernel,
        function=f"{kernel.function}_avr",
        source="forest/forest_u8_avr.c",
        parameters={**parameters, "code": running[0], "sizes": running[1]},
        instructions=3.2 * trees.mean_path + 25.0 * len(roots),
    )
    return (kernel, code)


def _leaf_numbers(trees: Trees) -> Weights:
    return Weights(np.arange(len(trees.leaves)), {"form": VOTES})


def _leaf_weights(trees: Trees, mode: str) -> Weights:
    unit = _one_vote(trees)
    if unit and (mode == "class" or unit == 1):
        parameters: dict[str, Any] = {"form": VOTES}
        if mode == "class":
            parameters["majority"] = len(trees.roots) // 2
            parameters["small"] = int(len(trees.roots) <= 255)
        else:
            parameters["offset"] = trees.offset
        return Weights(trees.leaves.argmax(1), parameters)
    weights = _leaf_table(trees)
    weights.parameters["offset"] = trees.offset
    if mode == "class":
        weights.parameters["majority"] = _majority(trees)
    return weights


def _one_vote(trees: Trees) -> int:
    """The weight that every leaf gives to one output, if it is the same; else 0."""
    unit = int(trees.leaves.max(initial=0))
    one = (trees.leaves == unit).sum(1) == 1
    zero = (trees.leaves == 0).sum(1) == trees.leaves.shape[1] - 1
    return unit if unit > 0 and (one & zero).all() and not trees.offset.any() else 0


def _majority(trees: Trees) -> int:
    """A score above which no other one can be larger; 32767 where there is none."""
    if trees.offset.any() or (trees.leaves < 0).any():
        return 32767
    most = int(trees.leaves.astype(np.int64).sum(1).max(initial=0))
    return min(len(trees.roots) * most // 2, 32767)


def _leaf_table(trees: Trees) -> Weights:
    """The smallest of the tables that can hold the weights, and what each leaf's code is in it."""
    groups = _groups(trees)
    if groups is not None:
        values, codes = np.unique(trees.leaves.sum(1), return_inverse=True)
        grouped = {"form": GROUPED, "values": values.astype(np.int16), "groups": groups}
        return Weights(codes.reshape(-1), grouped)
    rows, codes = np.unique(trees.leaves, axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    count, outputs = rows.shape
    if rows.min() < -128 or rows.max() > 127:
        return Weights(codes, {"form": WIDE, "values": rows.reshape(-1).astype(np.int16)})
    where, output = np.nonzero(rows)
    if 2 * (count + 1) + 2 * len(where) >= count * outputs:
        return Weights(codes, {"form": DENSE, "weights": rows.reshape(-1).astype(np.int8)})
    starts = np.searchsorted(where, np.arange(count + 1)).astype(np.uint16)
    entries = np.stack([output.astype(np.uint8).view(np.int8), rows[where, output]], 1)
    sparse = {"form": SPARSE, "starts": starts, "weights": entries.astype(np.int8).reshape(-1)}
    return Weights(codes, sparse)


def _groups(trees: Trees) -> Array | None:
    """The one output that each tree adds to, or None when a tree adds to several."""
    owner = np.full(len(trees.feature), -1)
    groups = np.full(len(trees.roots), -1)
    pending = [(tree, int(root)) for tree, root in enumerate(trees.roots)]
    for tree, root in pending:
        if root >= 0:
            owner[root] = tree
    used = [(tree, -1 - root) for tree, root in pending if root < 0]
    for split, children in enumerate(trees.children.tolist()):
        for child in children:
            if child >= 0:
                owner[child] = owner[split]
            else:
                used.append((int(owner[split]), -1 - child))
    for tree, leaf in used:
        for output in np.nonzero(trees.leaves[leaf])[0].tolist():
            if groups[tree] not in (-1, output):
                return None
            groups[tree] = output
    return np.maximum(groups, 0).astype(np.uint8)
