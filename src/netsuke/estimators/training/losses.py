"""Losses over scores, with their gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netsuke.ir import Array

Loss = Callable[[Array, Array, Array], tuple[float, Array]]
"""(scores (n, L), targets, weights (n,)) -> mean loss and its gradient by the scores."""


def softmax(scores: Array) -> Array:
    """Probabilities of the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def cross_entropy(scores: Array, targets: Array, weights: Array) -> tuple[float, Array]:
    """Σ -p log softmax(s) with target probabilities p (n, L)."""
    total = weights.sum()
    probabilities = softmax(scores)
    value = -(targets * np.log(probabilities + 1e-12)).sum(axis=1)
    gradient = (probabilities - targets) * (weights / total)[:, None]
    return float((value * weights).sum() / total), gradient


def logistic(scores: Array, targets: Array, weights: Array) -> tuple[float, Array]:
    """Cross-entropy of one score against the probability (n,) of the second class."""
    total = weights.sum()
    s = scores[:, 0]
    value = np.logaddexp(0, s) - targets * s
    gradient = (0.5 * (1 + np.tanh(0.5 * s)) - targets) * weights / total
    return float((value * weights).sum() / total), gradient[:, None]


def hinge(scores: Array, targets: Array, weights: Array) -> tuple[float, Array]:
    """max(0, 1 - y·s) of one score; targets (n,) are probabilities, y = 2·targets - 1."""
    total = weights.sum()
    sign = 2 * targets - 1
    margin = 1 - sign * scores[:, 0]
    gradient = np.where(margin > 0, -sign, 0) * weights / total
    return float((np.maximum(margin, 0) * weights).sum() / total), gradient[:, None]


def squared(scores: Array, targets: Array, weights: Array) -> tuple[float, Array]:
    """Half the squared error, targets (n, L)."""
    total = weights.sum()
    error = scores - targets
    value = 0.5 * np.square(error).sum(axis=1)
    return float((value * weights).sum() / total), error * (weights / total)[:, None]
