"""A linear classifier of int8 weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from netsuke.estimators.budget import largest_entries
from netsuke.estimators.scores import add_scores
from netsuke.estimators.standard import add_input
from netsuke.estimators.tiny import Task, TinyClassifier
from netsuke.estimators.training import losses
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ir import Array, Graph, GraphBuilder

ROUNDS = 5  # of thresholding, from all entries to those that the budget allows


class TinyLinearClassifier(TinyClassifier):
    """Classifier by linear scores of int8 weights: the baseline that every other has to beat.

    Minimizes, with W the weights and c their offsets (logistic regression)::

        mean of loss(W x + c) + decay/2 · |W|²

    by L-BFGS, so the same rows give the same model in any order. With `max_bytes` only the largest
    weights are kept, in five rounds of thresholding and fitting the others again; then every weight
    is rounded to an integer and c is fitted to them.

    Parameters
    ----------
    max_bytes : int or None, default=None
        Bytes that the model's tables may take in flash. None keeps all weights.
    weight_bits : int, default=8
        Of the weights, 2 .. 8; up to 4, a weight and its place share one byte.
    decay : float, default=3e-3
        Weight of half the squared weights in the objective.
    max_iter : int, default=300
        Steps of L-BFGS, each time.
    teacher : classifier or None
        Is fitted to the same rows; its probabilities are half of what is learned.

    Attributes
    ----------
    classes_ : ndarray
    graph_ : netsuke.ir.Graph
        The fitted model: integers, from stored features to scores.
    """

    restarts = 1
    validation_fraction = 0.15
    random_state = 0

    def __init__(
        self,
        max_bytes: int | None = None,
        *,
        weight_bits: int = 8,
        decay: float = 3e-3,
        max_iter: int = 300,
        teacher: Any = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.weight_bits = weight_bits
        self.decay = decay
        self.max_iter = max_iter
        self.teacher = teacher

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TinyLinearClassifier:
        """Fit the model to rows and their labels.

        Parameters
        ----------
        X, y
            ``(n, features)`` and ``(n,)``; see `TinyClassifier.fit`.
        sample_weight
            ``(n,)``: a row of weight 2 counts like two rows, one of weight 0 like none.

        Returns
        -------
        self
        """
        self._fit_weighted(X, y, sample_weight)
        return self

    def _loss(self, binary: bool) -> losses.Loss:
        return losses.logistic if binary else losses.cross_entropy

    def _train(self, task: Task, rng: np.random.Generator, rows: Array) -> Graph:
        if not 2 <= self.weight_bits <= 8:
            raise ValueError(f"weight_bits={self.weight_bits} is not 2 .. 8")
        data = task.of(rows)
        shape = (task.outputs, task.x.shape[1])
        budget = self._weight_bytes(*shape)
        weights, offset, kept = np.zeros(shape), np.zeros(shape[0]), np.ones(shape, bool)
        for turn in range(ROUNDS + 1):
            weights, offset = self._fitted(task, data, weights, offset, kept)
            if budget >= kept.size:
                break
            allowed = kept.size * (budget / kept.size) ** ((turn + 1) / ROUNDS)
            kept = largest_entries(weights, max(round(allowed), budget), self.weight_bits)
            if turn == ROUNDS - 1:
                weights, offset = self._fitted(task, data, weights * kept, offset, kept)
                break
        form = PowerOfTwo(self.weight_bits)
        exponent = form.exponent(weights)
        integers = form.integers(weights, exponent)
        fixed = np.ldexp(integers, -exponent)
        _, offset = self._fitted(task, data, fixed, offset, np.zeros(shape, bool))
        total = exponent + task.standard.exponent
        builder = GraphBuilder("tiny_linear")
        x = add_input(builder, task.grid)
        bias = np.ldexp(offset, total) - integers @ task.standard.mean
        return builder.build([add_scores(builder, x, integers, bias, 2.0**-total, task)])

    def _weight_bytes(self, outputs: int, features: int) -> int:
        if self.max_bytes is None:
            return outputs * features
        if self.max_bytes < 4 * outputs:
            raise ValueError(
                f"max_bytes={self.max_bytes}: {outputs} score(s) take at least {4 * outputs} bytes"
            )
        return self.max_bytes - 2 * outputs

    def _fitted(
        self,
        task: Task,
        data: tuple[Array, Array, Array],
        weights: Array,
        offset: Array,
        free: Array,
    ) -> tuple[Array, Array]:
        """The best offsets and, where `free`, weights."""
        x, targets, importance = (array.astype(np.float64) for array in data)

        def objective(point: Array) -> tuple[float, Array]:
            w, c = weights.copy(), point[: len(offset)]
            w[free] = point[len(offset) :]
            value, by_score = task.loss(x @ w.T + c, targets, importance)
            gradient = (by_score.T @ x + self.decay * w)[free]
            value += 0.5 * self.decay * float(np.square(w).sum())
            return value, np.concatenate([by_score.sum(axis=0), gradient])

        start = np.concatenate([offset, weights[free]])
        options = {"maxiter": self.max_iter}
        best = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
        fitted = weights.copy()
        fitted[free] = best[len(offset) :]
        return fitted, best[: len(offset)]
