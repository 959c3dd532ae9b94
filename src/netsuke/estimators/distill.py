"""A network taught to a soft decision tree, which says why it decides as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from netsuke.data import Dataset, Part
from netsuke.errors import UsageError
from netsuke.estimators.soft_tree import SoftDecisionTreeClassifier
from netsuke.estimators.teacher import teacher_probabilities
from netsuke.ir import Array, Graph
from netsuke.train import check_match, predict, scores_graph

LEAST = 1e-6
"""Probabilities below this count as this where a teacher gives no scores."""


def distill_to_tree(
    teacher: Graph | Any,
    data: Dataset,
    depth: int = 5,
    *,
    temperature: float = 1.0,
    share: float = 0.5,
    seed: int = 0,
    **options: Any,
) -> SoftDecisionTreeClassifier:
    """Fit a soft decision tree to what a teacher says of the training part.

    The target of a row x with the label k and the teacher's scores z is

        T(x) = share · softmax(z / temperature) + (1 - share) · onehot(k)

    and the tree minimises the loss of `SoftDecisionTreeClassifier` with it: Frosst & Hinton 2017,
    arXiv:1711.09784; the temperature is that of Hinton, Vinyals & Dean 2015, arXiv:1503.02531,
    equation 1.

    Parameters
    ----------
    teacher
        A graph that scores the classes of the data, or a fitted classifier on their stored rows.
    data
        A classification; without labels the teacher speaks alone and `share` must be 1.
    depth
        Splits on a path of the tree.
    temperature
        Above 0; higher ones show the tree more of what the teacher thinks of the other classes.
    share
        Of the teacher, from 0 (labels alone) to 1 (teacher alone).
    seed
        Of the tree's first weights.
    options
        Further parameters of `SoftDecisionTreeClassifier`.

    Returns
    -------
    SoftDecisionTreeClassifier
        On rows as the data set stores them (`stored_rows`), whose classes are class numbers.

    Raises
    ------
    UsageError
        When teacher and data do not match, or a number lies outside its range.
    """
    _check(data, depth, temperature, share, options)
    targets = np.zeros((len(data.train), 0))
    if share > 0:
        targets = share * _softmax(teacher_scores(teacher, data, data.train) / temperature)
    if share < 1:
        labels = (1 - share) * np.eye(len(data.classes))[data.train.labels]
        targets = labels + (targets if share > 0 else 0.0)
    tree = SoftDecisionTreeClassifier(depth, random_state=seed, **options)
    return tree.fit(stored_rows(data.train), targets)


def stored_rows(part: Part) -> Array:
    """Samples as they are stored, before normalisation: ``(n, features)``."""
    return part.stored[part.indices].reshape(len(part), -1)


def teacher_scores(teacher: Graph | Any, data: Dataset, part: Part) -> Array:
    """Scores ``(n, classes)`` whose softmax is what a teacher says of a part.

    Raises
    ------
    UsageError
        When the teacher scores other classes than the data set has.
    """
    classes = len(data.classes)
    if not isinstance(teacher, Graph):
        known = np.arange(classes or len(teacher.classes_))
        shares = teacher_probabilities(teacher, stored_rows(part), known)
        return np.log(np.maximum(shares, LEAST))
    check_match(teacher, data)
    out = teacher.tensors[teacher.outputs[0]]
    if out.quant is None and not out.dtype.startswith("float"):
        raise UsageError(f"{teacher.name} answers with class numbers; a tree learns from scores")
    scores = predict(scores_graph(teacher), part).astype(np.float64)
    if scores.shape[1] == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], 1)  # one score is a log-odds
    if classes and scores.shape[1] != classes:
        raise UsageError(
            f"{teacher.name} scores {scores.shape[1]} classes, {data.name} has {classes}; "
            "a tree learns from a network of the same classes"
        )
    if not np.isfinite(scores).all():
        raise UsageError(f"{teacher.name} gives scores that are not finite on {data.name}")
    if (scores >= 0).all() and np.allclose(scores.sum(1), 1, atol=0.05):
        return np.log(np.maximum(scores, LEAST))  # they are probabilities already
    return scores


def load_teacher(path: Any, trust_pickle: bool = False) -> Any:
    """A fitted estimator, as it is or from its file."""
    if not isinstance(path, str | Path):
        return path
    from netsuke.estimators.files import load_estimator

    return load_estimator(path, trust_pickle)


def _check(
    data: Dataset, depth: int, temperature: float, share: float, options: dict[str, Any]
) -> None:
    if data.task == "regression":
        raise UsageError(f"{data.name} is a regression; a soft decision tree tells classes apart")
    if not 0 < temperature < np.inf:
        raise UsageError(f"a temperature is finite and above 0, not {temperature}; try 1 to 5")
    if not 0 <= share <= 1:
        raise UsageError(f"the share of the network lies between 0 and 1, not at {share}")
    if share < 1 and data.train.targets is None:
        raise UsageError(f"{data.name} has no labels; let the network speak alone with share=1")
    if not 1 <= depth <= 12:
        raise UsageError(f"the depth of a tree lies between 1 and 12, not at {depth}")
    known = set(SoftDecisionTreeClassifier().get_params()) - {"depth", "random_state", "teacher"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise UsageError(f"a soft tree has no option {unknown[0]!r}; it has {sorted(known)}")


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))
