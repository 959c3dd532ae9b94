"""The first tree of a model as plain values, for a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.estimators.forest_graph import Tree

DEEPEST = 5
"""Splits below each other that are drawn."""


def first_tree(model: Any, names: Sequence[str], classes: Sequence[Any]) -> dict[str, Any] | None:
    """The first tree of a fitted tree or forest: nested ``if``, ``yes``, ``no``, or a ``leaf``.

    Parameters
    ----------
    model
        Any fitted estimator; those without trees give None.
    names
        Of the features, or empty.
    classes
        Labels, or empty for a regression.
    """
    trees = _trees(model)
    if not trees:
        return None
    return {"of": len(trees), "root": _node(trees[0], 0, names, classes, DEEPEST)}


def _trees(model: Any) -> list[Tree]:
    from netsuke.estimators.convert.trees import AVERAGED, SINGLE, trees_of_forest

    if isinstance(model, (*AVERAGED, *SINGLE)):
        return trees_of_forest(model)
    found = getattr(model, "trees_", ())
    return [tree for tree in found if isinstance(tree, Tree)]


def _node(
    tree: Tree, at: int, names: Sequence[str], classes: Sequence[Any], below: int
) -> dict[str, Any]:
    if tree.left[at] < 0:
        return {"leaf": _outcome(tree.value[at], classes)}
    if not below:
        return {"leaf": "…"}
    feature = int(tree.feature[at])
    name = names[feature] if names else f"x[{feature}]"
    return {
        "if": f"{name} ≤ {float(tree.threshold[at]):.4g}",
        "yes": _node(tree, int(tree.left[at]), names, classes, below - 1),
        "no": _node(tree, int(tree.right[at]), names, classes, below - 1),
    }


def _outcome(value: Any, classes: Sequence[Any]) -> str:
    if not classes:
        return f"{float(value[0]):.4g}"
    if len(value) == 1:  # one score: above zero is the second class
        return str(classes[int(value[0] > 0)])
    return str(classes[int(np.argmax(value))])
