"""What a teacher says of rows, whatever kind of model it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.rows import run_rows
from netsuke.ir import Array, Graph, interpret_batch


def teacher_probabilities(teacher: Any, X: Array, classes: Array) -> Array:
    """Distributions over `classes`, ``(rows, classes)``.

    Parameters
    ----------
    teacher
        A fitted classifier with ``predict_proba`` or ``decision_function`` and these classes, or a
        `Graph` whose first output holds one score a class, in their order.
    X
        ``(rows, features)`` reals.
    classes
        Labels in order.

    Raises
    ------
    UsageError
        When the teacher knows other classes, or gives no scores.
    """
    if isinstance(teacher, Graph):
        scores = _graph_scores(teacher, X)
    else:
        known = getattr(teacher, "classes_", classes)
        if len(known) != len(classes) or (np.asarray(known) != classes).any():
            raise UsageError("the teacher was fitted on other classes than y holds")
        if hasattr(teacher, "predict_proba"):
            return np.asarray(teacher.predict_proba(X), np.float64)
        if not hasattr(teacher, "decision_function"):
            raise UsageError(f"a {type(teacher).__name__} gives no scores to learn from")
        scores = np.asarray(teacher.decision_function(X), np.float64)
        scores = np.stack([np.zeros(len(X)), scores], 1) if scores.ndim == 1 else scores
    if scores.shape != (len(X), len(classes)):
        raise UsageError(
            f"the teacher gives {list(scores.shape)} scores for {len(X)} rows and "
            f"{len(classes)} classes"
        )
    if (scores >= 0).all() and np.allclose(scores.sum(1), 1, atol=0.05):
        return np.asarray(scores / scores.sum(1, keepdims=True))
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _graph_scores(graph: Graph, X: Array) -> Array:
    tensor = graph.tensors[graph.inputs[0]]
    rows = np.asarray(X, np.float32).reshape(len(X), *tensor.shape)
    if tensor.quant is None:
        (scores,) = interpret_batch(graph, rows)[:1]
    else:
        stored = np.stack([tensor.quant.quantize(row) for row in rows]).astype(tensor.dtype)
        scores = run_rows(graph, stored)
    quant = graph.tensors[graph.outputs[0]].quant
    return np.asarray(scores if quant is None else quant.dequantize(scores), np.float64)
