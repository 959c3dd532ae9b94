"""Hoeffding trees of the package river as estimators that a device can hold."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.errors import MissingToolError, UsageError
from netsuke.estimators.forest_graph import Tree
from netsuke.estimators.incremental_tree import IncrementalTree, SeenRange
from netsuke.ir import Array


class RiverTreeClassifier(IncrementalTree):
    """A Hoeffding tree of river, learned row by row, that compiles like any other tree.

    Prediction asks the tree that a device is given: splits on numbers, leaves that say the class
    they have seen most. river's leaves may ask a naive Bayes model instead (`leaf_prediction`
    ``"nb"`` and its default ``"nba"``) and its adaptive trees also ask subtrees that are still on
    trial; neither goes into the device. With ``leaf_prediction="mc"`` river predicts the same.
    Unlike in `HoeffdingTreeClassifier` the memory that learning takes is not fixed.

    Parameters
    ----------
    model
        ``river.tree.HoeffdingTreeClassifier``, ``ExtremelyFastDecisionTreeClassifier`` or
        ``HoeffdingAdaptiveTreeClassifier``; its settings count, what it has learned does not (see
        `of`). None is a HoeffdingTreeClassifier with the settings of ours.
    passes
        How often `fit` shows the rows; `partial_fit` shows them once.

    Attributes
    ----------
    classes_
        Labels.
    model_
        The tree of river that learns.
    tree_
        The same as a `netsuke.estimators.forest_graph.Tree`; a leaf's values are the weight of
        each class that it saw.
    n_leaves_
        Leaves in use.
    n_features_in_
        Length of a row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RiverTreeClassifier().fit(X, y)  # doctest: +SKIP
    >>> model.to_graph()  # doctest: +SKIP
    """

    def __init__(self, model: Any = None, *, passes: int = 5) -> None:
        self.model = model
        self.passes = passes

    @classmethod
    def of(cls, model: Any, features: Sequence[Any], samples: Any = None) -> RiverTreeClassifier:
        """The estimator of a tree that river has already trained; it can go on learning.

        Parameters
        ----------
        model
            A fitted tree, see `RiverTreeClassifier`.
        features
            Keys of the dictionaries that it learned from, in the order of a row's columns.
        samples
            Rows ``(rows, features)`` as it saw them, or None: whether they are integers, and which,
            decides how a device stores features.

        Raises
        ------
        UsageError
            For another model, one that has seen fewer than two classes, or a tree that splits on
            something else than numbers of these features.
        """
        if not hasattr(model, "_root") or not getattr(model, "classes", None):
            raise UsageError(
                f"a {type(model).__name__} is no fitted Hoeffding tree classifier of river"
            )
        if len(model.classes) < 2:
            raise UsageError("the tree has seen a single class; let it learn from two")
        if getattr(model, "leaf_prediction", "mc") != "mc":
            warnings.warn(
                f"leaf_prediction={model.leaf_prediction!r}: a device says the majority class of a "
                "leaf and asks no naive Bayes model; compare predict with river's predictions",
                stacklevel=2,
            )
        found = cls(model)
        found.classes_ = np.array(sorted(model.classes))
        found.n_features_in_ = len(features)
        if all(isinstance(name, str) for name in features):
            found.feature_names_in_ = np.array(features, dtype=object)
        found.model_, found._keys, found._labels = model, list(features), found.classes_.tolist()
        found._seen = SeenRange(len(features))
        # Of rows that nobody has any more, all that can be said is that they may be reals.
        rows = np.full((1, len(features)), 0.5) if samples is None else np.asarray(samples, float)
        found._seen.add(rows.reshape(-1, len(features)))
        found.tree_ = found._grown()
        found.n_leaves_ = found.tree_.leaves
        return found

    def _begin(self, features: int) -> None:
        self.model_ = _default() if self.model is None else self.model.clone()
        self._keys: list[Any] = list(getattr(self, "feature_names_in_", range(features)))
        self._labels: list[Any] = list(range(len(self.classes_)))

    def _learn_row(self, row: Array, label: int, weight: float) -> None:
        features = dict(zip(self._keys, row.tolist(), strict=True))
        self.model_.learn_one(features, self._labels[label], w=weight)

    def _grown(self) -> Tree:
        return _tree(self.model_._root, self._keys, self._labels)


def _default() -> Any:
    try:
        from river.tree import HoeffdingTreeClassifier
    except ImportError:
        raise MissingToolError(
            "river", "to grow its trees", "pip install 'netsuke[river]'"
        ) from None
    return HoeffdingTreeClassifier(grace_period=25, delta=1e-3, tau=0.15, leaf_prediction="mc")


def _tree(root: Any, keys: list[Any], labels: list[Any]) -> Tree:
    """Nodes and leaves of river, parents before their children."""
    nodes, pending = [], [root]
    while pending:
        node = pending.pop()
        nodes.append(node)
        pending += reversed(getattr(node, "children", ()))
    number = {id(node): at for at, node in enumerate(nodes)}
    tree = Tree(
        np.zeros(len(nodes), np.int64),
        np.zeros(len(nodes)),
        np.full(len(nodes), -1),
        np.full(len(nodes), -1),
        np.zeros((len(nodes), len(labels))),
    )
    for at, node in enumerate(nodes):
        for label, weight in (getattr(node, "stats", None) or {}).items():
            tree.value[at, labels.index(label)] = weight
        if not hasattr(node, "children"):
            continue
        _require_numeric(node, keys)
        tree.feature[at], tree.threshold[at] = keys.index(node.feature), node.threshold
        tree.left[at], tree.right[at] = (number[id(child)] for child in node.children)
    return tree


def _require_numeric(node: Any, keys: list[Any]) -> None:
    if not hasattr(node, "threshold") or len(node.children) != 2:
        raise UsageError(
            f"the tree splits {node.feature!r} into categories or slots; only splits of a number "
            "at a threshold can be compiled"
        )
    if node.feature not in keys:
        raise UsageError(f"the tree splits on {node.feature!r}, which features does not name")
