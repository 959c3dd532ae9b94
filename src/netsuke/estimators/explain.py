"""Why a model predicted what it did: conditions in the person's units, and what each one added."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.forest_graph import Tree
from netsuke.ir import Array


@dataclass(frozen=True, slots=True)
class Condition:
    """One decision on the way of a row.

    Attributes
    ----------
    text
        Such as ``petal width (cm) = 0.2 <= 0.8``.
    tree
        Number of the tree in its ensemble.
    features
        The features that were weighed, with what each added; of an ordinary split only one.
    gain
        ``(outputs,)``: how the decision moved what the tree expects.
    """

    text: str
    tree: int
    features: tuple[tuple[str, float], ...]
    gain: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A prediction and its reasons: ``scores = base + contributions.sum(0)`` for models that add.

    Attributes
    ----------
    prediction
        Label or value.
    outputs
        Names of the scores.
    scores
        ``(outputs,)``.
    base
        ``(outputs,)``: the scores of a model that has seen no feature.
    names
        Of the features.
    contributions
        ``(features, outputs)``: what each feature added.
    path
        Decisions in order, empty for linear models.
    """

    prediction: Any
    outputs: tuple[str, ...]
    scores: Array
    base: Array
    names: tuple[str, ...]
    contributions: Array
    path: tuple[Condition, ...]

    def text(self, features: int = 5, conditions: int = 12) -> str:
        """The explanation in words: the features that count most, then the path.

        Parameters
        ----------
        features, conditions
            Lines of each part at most.
        """
        at = int(np.argmax(self.scores)) if len(self.outputs) > 1 else 0
        lines = [f"prediction: {self.prediction} (score {self.scores[at]:.4g})"]
        order = np.argsort(-np.abs(self.contributions[:, at]), kind="stable")
        told = [number for number in order[:features] if self.contributions[number, at]]
        lines += [f"  {self.contributions[j, at]:+.4g}  {self.names[j]}" for j in told]
        lines.append(f"  {self.base[at]:+.4g}  before any feature")
        lines += [f"  tree {step.tree}: {step.text}" for step in self.path[:conditions]]
        if len(self.path) > conditions:
            lines.append(f"  ... and {len(self.path) - conditions} decisions more")
        return "\n".join(lines)


def explain(model: Any, x: Any) -> Explanation:
    """Explain the prediction of one row.

    Trees and forests: on the path from a root to a leaf each split moves the tree's expectation;
    that move is credited to the feature of the split (Saabas 2014; the same sum as in Palczewska
    et al. 2013, "Interpreting random forest models using a feature contribution method", equation
    2). Trees whose splits weigh all features credit the move in proportion to ``|w_j x_j|``.
    Linear models: ``w_kj x_j``. Bonsai, ProtoNN, TinyLinear and TinyMLP: see
    `netsuke.estimators.explain_tiny.explain_integers`; their path has the nodes with their gates,
    the nearest prototypes with their votes, or the active units.

    Parameters
    ----------
    model
        A fitted tree, forest or gradient boosting of scikit-learn, a linear model, or one of
        netsuke's own classifiers and regressors.
    x
        ``(features,)`` in the person's units.

    Raises
    ------
    UsageError
        When the model is of another kind, or x has another length.
    """
    row = np.asarray(x, np.float64).reshape(-1)
    count = int(getattr(model, "n_features_in_", -1))
    if len(row) != count:
        raise UsageError(f"the model reads rows of {count} features, {len(row)} are given")
    given = getattr(model, "feature_names_in_", [f"x[{number}]" for number in range(count)])
    names = tuple(map(str, given))
    for serves, explainer in _EXPLAINERS:
        if serves(model):
            return explainer(model, row, names)
    raise UsageError(f"predictions of a {type(model).__name__} cannot be explained yet")


def _outputs(model: Any, count: int) -> tuple[str, ...]:
    labels = getattr(model, "classes_", ["value"])
    return tuple(map(str, labels)) if len(labels) == count else (str(labels[-1]),)


def _predicted(model: Any, row: Array) -> Any:
    with warnings.catch_warnings():
        # A model that was fitted with a data frame misses its column names.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        return model.predict(row[None])[0]


def _explain_trees(
    model: Any, row: Array, names: tuple[str, ...], trees: Sequence[Tree], start: Array
) -> Explanation:
    outputs = trees[0].value.shape[1]
    contributions = np.zeros((len(row), outputs))
    base = np.array(start, np.float64)
    path = []
    for number, tree in enumerate(trees):
        expected = tree.expectations()
        base += expected[0]
        node = 0
        while tree.left[node] >= 0:
            feature, cut = int(tree.feature[node]), float(tree.threshold[node])
            goes_left = row[feature] <= cut
            child = int(tree.left[node] if goes_left else tree.right[node])
            gain = expected[child] - expected[node]
            contributions[feature] += gain
            text = f"{names[feature]} = {row[feature]:.6g} {'<=' if goes_left else '>'} {cut:.6g}"
            moved = ((names[feature], float(row[feature])),)
            path.append(Condition(text, number, moved, tuple(map(float, gain))))
            node = child
    scores = base + contributions.sum(0)
    predicted = _predicted(model, row)
    labels = _outputs(model, outputs)
    return Explanation(predicted, labels, scores, base, names, contributions, tuple(path))


def _explain_grown(model: Any, row: Array, names: tuple[str, ...]) -> Explanation:
    from netsuke.estimators.convert.trees import BINNED, BOOSTED, boosted_trees, trees_of_forest

    if isinstance(model, BOOSTED + BINNED):
        trees, start = boosted_trees(model, row[None])
        return _explain_trees(model, row, names, trees, start)
    if not isinstance(model, BINNED):
        row = row.astype(np.float32).astype(np.float64)  # as the trees see it
    trees = trees_of_forest(model)
    return _explain_trees(model, row, names, trees, np.zeros(trees[0].value.shape[1]))


def _explain_own(model: Any, row: Array, names: tuple[str, ...]) -> Explanation:
    trees = list(getattr(model, "trees_", None) or [model.tree_.shares()])
    return _explain_trees(model, row, names, trees, np.zeros(trees[0].value.shape[1]))


def _explain_soft(model: Any, row: Array, names: tuple[str, ...]) -> Explanation:
    """The path that the device takes, each turn with the features that weighed most."""
    leaves, splits = model.leaves_, len(model.intercept_)
    leaf = int(model.apply(row[None])[0])
    expected = np.zeros((2 * splits + 1, leaves.shape[1]))
    expected[splits:] = leaves
    for split in range(splits - 1, -1, -1):
        expected[split] = (expected[2 * split + 1] + expected[2 * split + 2]) / 2
    depth = splits.bit_length()
    turns = [leaf >> (depth - 1 - level) & 1 for level in range(depth)]
    contributions, path, node = np.zeros((len(row), leaves.shape[1])), [], 0
    for turn in turns:
        parts = model.coef_[node] * row
        child = 2 * node + 1 + turn
        gain = expected[child] - expected[node]
        share = np.abs(parts) / max(float(np.abs(parts).sum()), 1e-12)
        contributions += share[:, None] * gain
        weighed = np.argsort(-np.abs(parts), kind="stable")[:3]
        sums = " ".join(f"{parts[j]:+.3g} ({names[j]})" for j in weighed)
        text = f"{sums} ... {model.intercept_[node]:+.3g} {'>' if turn else '<='} 0"
        moved = tuple((names[j], float(parts[j])) for j in weighed)
        path.append(Condition(text, 0, moved, tuple(map(float, gain))))
        node = child
    label = model.classes_[int(leaves[leaf].argmax())]
    labels = _outputs(model, leaves.shape[1])
    return Explanation(label, labels, leaves[leaf], expected[0], names, contributions, tuple(path))


def _explain_linear(model: Any, row: Array, names: tuple[str, ...]) -> Explanation:
    weights = np.atleast_2d(np.asarray(model.coef_, np.float64))
    base = np.broadcast_to(np.asarray(model.intercept_, np.float64), weights.shape[:1]).copy()
    contributions = (weights * row).T
    scores = base + contributions.sum(0)
    predicted = _predicted(model, row)
    labels = _outputs(model, len(weights))
    return Explanation(predicted, labels, scores, base, names, contributions, ())


def _explain_tiny(model: Any, row: Array, names: tuple[str, ...]) -> Explanation:
    from netsuke.estimators.explain_tiny import explain_integers

    graph = model.graph_
    outputs = _outputs(model, graph.tensors[graph.outputs[0]].shape[0])
    return explain_integers(model, row, outputs, names, _predicted(model, row))


def _is_grown(model: Any) -> bool:
    from netsuke.estimators.convert.trees import TREE_MODELS

    return isinstance(model, TREE_MODELS)


_Explainer = Callable[[Any, Array, tuple[str, ...]], Explanation]

_EXPLAINERS: tuple[tuple[Callable[[Any], bool], _Explainer], ...] = (
    (_is_grown, _explain_grown),
    (lambda model: hasattr(model, "graph_") and hasattr(model, "grid_"), _explain_tiny),
    (lambda model: hasattr(model, "leaves_") and hasattr(model, "coef_"), _explain_soft),
    (
        lambda model: hasattr(model, "trees_") or isinstance(getattr(model, "tree_", None), Tree),
        _explain_own,
    ),
    (
        lambda model: (
            hasattr(model, "coef_")
            and hasattr(model, "intercept_")
            and not hasattr(model, "support_vectors_")
        ),
        _explain_linear,
    ),
)
"""Asked in order: who serves a model, and how."""
