"""What the estimators for the smallest devices share: from rows and labels to a graph."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from netsuke.errors import UsageError
from netsuke.estimators.budget import table_bytes
from netsuke.estimators.grid import FeatureGrid, fit_grid
from netsuke.estimators.restarts import best_of
from netsuke.estimators.rows import run_rows
from netsuke.estimators.standard import Standard, fit_standard
from netsuke.estimators.training import losses
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops import Decide


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a network is to learn.

    Attributes
    ----------
    grid, standard
        How features are stored, and standardized from there.
    x
        Standardized features ``(n, features)``.
    targets
        ``(n,)`` probabilities of the second of two classes, ``(n, classes)`` of more, ``(n, 1)``
        standardized values of a regression.
    weights
        How much each row counts ``(n,)``.
    outputs
        Scores that the network has.
    loss
        Over them.
    center, spread
        Of a regression's values.
    """

    grid: FeatureGrid
    standard: Standard
    x: Array
    targets: Array
    weights: Array
    outputs: int
    loss: losses.Loss
    center: float = 0.0
    spread: float = 1.0

    def quant(self, step: float, bits: int) -> Quant:
        """Of scores that are integers times `step` of the standardized target."""
        scale = step * self.spread
        zero = min(max(round(-self.center / scale), -(1 << 30)), 1 << 30)
        return Quant((scale,), (zero,), bits=bits)

    def of(self, rows: Array) -> tuple[Array, Array, Array]:
        """Inputs, targets and weights of some rows."""
        return self.x[rows], self.targets[rows], self.weights[rows]


class TinyModel(BaseEstimator):  # type: ignore[misc]
    """An estimator whose fitted form is an integer graph, `graph_`, from features to scores.

    `predict` computes that graph's integers: what it returns is what a device returns.
    """

    max_bytes: int | None
    max_iter: int
    restarts: int
    validation_fraction: float
    random_state: Any

    @abstractmethod
    def _train(self, task: Task, rng: np.random.Generator, rows: Array) -> Graph:
        """Fit to some rows and return the graph of scores."""

    def _fit(self, task: Task, stored: Array, strata: Array, score: Any) -> None:
        if self.max_iter < 1 or self.restarts < 1 or not 0 < self.validation_fraction <= 0.5:
            raise ValueError(
                f"max_iter={self.max_iter} and restarts={self.restarts} must be at least 1 and "
                f"validation_fraction={self.validation_fraction} within (0, 0.5]"
            )
        state = check_random_state(self.random_state)
        rng = np.random.default_rng(int(state.randint(0, 2**31 - 1)))
        self.grid_ = task.grid
        self.n_iter_ = self.max_iter
        self.graph_ = best_of(
            lambda rng, rows: self._train(task, rng, rows),
            lambda graph, rows: score(graph, run_rows(graph, stored[rows]), rows),
            strata,
            self.restarts,
            self.validation_fraction,
            rng,
        )

    @property
    def model_bytes_(self) -> int:
        """Bytes of the tables that the fitted model takes in flash."""
        check_is_fitted(self)
        return table_bytes(self.graph_)

    def stored(self, X: Any) -> Array:
        """The integers that the device is given for rows of features: ``(n, features)`` int8."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.grid_.stored(X)

    def _scores(self, X: Any) -> Array:
        """Stored scores ``(n, outputs)``: the integers of the device."""
        stored = self.stored(X)
        return run_rows(self.graph_, stored)

    @staticmethod
    def _reals(graph: Graph, scores: Array) -> Array:
        quant = graph.tensors[graph.outputs[0]].quant
        assert quant is not None
        return (scores.astype(np.float64) - quant.zero_point[0]) * quant.scale[0]


class TinyClassifier(ClassifierMixin, TinyModel):  # type: ignore[misc]
    """The part of a classifier; see `TinyModel`."""

    teacher: Any = None
    loss: str = "auto"

    def fit(self, X: Any, y: Any) -> TinyClassifier:
        """Fit the model to rows and their labels.

        Parameters
        ----------
        X
            ``(n, features)``. Where all values are integers from -128 to 127 or from 0 to 255 the
            device is given them as they are; otherwise every feature gets a step and a zero point.
        y
            ``(n,)`` labels of at least two classes.

        Returns
        -------
        self
        """
        return self._fit_weighted(X, y, None)

    def _fit_weighted(self, X: Any, y: Any, sample_weight: Any) -> TinyClassifier:
        X, y = validate_data(self, X, y, dtype=np.float64)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if (weights < 0).any():
            raise ValueError(f"Negative values in sample_weight: {weights.min():g}")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if not 2 <= len(self.classes_) <= 255:
            raise ValueError(
                f"{type(self).__name__} needs 2 to 255 classes; the data has "
                f"{len(self.classes_)} class(es)"
            )
        grid = fit_grid(X, weights)
        stored = grid.stored(X)
        standard = fit_standard(stored, weights)
        binary = len(self.classes_) == 2
        task = Task(
            grid,
            standard,
            standard.apply(stored),
            self._targets(X, labels),
            weights,
            1 if binary else len(self.classes_),
            self._loss(binary),
        )

        def score(graph: Graph, scores: Array, rows: Array) -> float:
            return float((_decided(scores) == labels[rows]).mean())

        self._fit(task, stored, labels, score)
        return self

    def _loss(self, binary: bool) -> losses.Loss:
        known = {"hinge": losses.hinge, "logistic": losses.logistic} if binary else {}
        known["auto"] = losses.logistic if binary else losses.cross_entropy
        if binary and self.teacher is None:
            known["auto"] = losses.hinge
        if not binary:
            known["cross_entropy"] = losses.cross_entropy
        if self.loss not in known:
            raise ValueError(
                f"loss={self.loss!r} is not one of {', '.join(sorted(known))} for "
                f"{'two' if binary else 'more than two'} classes"
            )
        return known[self.loss]

    def _targets(self, X: Array, labels: Array) -> Array:
        """Probabilities to learn: those of the labels, halfway to the teacher's if there is one."""
        hard: Array = np.eye(len(self.classes_), dtype=np.float32)[labels]
        if self.teacher is not None:
            teacher = clone(self.teacher).fit(X, labels)
            hard = (hard + _probabilities(teacher, X)) / 2
        return hard[:, 1].copy() if len(self.classes_) == 2 else hard

    def decision_function(self, X: Any) -> Array:
        """Scores: ``(n, classes)``; for two classes ``(n,)``, above zero for the second."""
        integers = self._scores(X)
        scores = self._reals(self.graph_, integers)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Array:
        """The label of each row, as the device decides it."""
        decided = _decided(self._scores(X))
        return self.classes_[decided]

    def to_graph(self, output: str = "class") -> Graph:
        """The fitted model as an integer graph.

        Parameters
        ----------
        output
            ``"class"``: one byte, the position in `classes_`; ``"scores"``: the integers that are
            compared for it.
        """
        check_is_fitted(self)
        if output == "scores":
            return self.graph_
        if output != "class":
            raise UsageError(f"output {output!r} is neither 'class' nor 'scores'")
        builder = GraphBuilder(self.graph_.name)
        builder.tensors = dict(self.graph_.tensors)
        builder.nodes = list(self.graph_.nodes)
        builder.inputs = list(self.graph_.inputs)
        decided = builder.one(Decide(), self.graph_.outputs[0], name="class")
        return builder.build([decided], self.graph_.ports)


class TinyRegressor(RegressorMixin, TinyModel):  # type: ignore[misc]
    """The part of a regressor; see `TinyModel`."""

    def fit(self, X: Any, y: Any) -> TinyRegressor:
        """Fit the model to rows and their values.

        Parameters
        ----------
        X
            ``(n, features)``; see the classifier.
        y
            ``(n,)`` reals.

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weights = np.ones(len(X))
        grid = fit_grid(X, weights)
        stored = grid.stored(X)
        standard = fit_standard(stored, weights)
        center, spread = float(y.mean()), float(y.std()) or 1.0
        targets = ((y - center) / spread).astype(np.float32)[:, None]
        x = standard.apply(stored)
        task = Task(grid, standard, x, targets, weights, 1, losses.squared, center, spread)
        order = np.argsort(np.argsort(y, kind="stable"), kind="stable")
        strata = (10 * order) // len(y)

        def score(graph: Graph, scores: Array, rows: Array) -> float:
            return -float(np.square(self._reals(graph, scores)[:, 0] - y[rows]).mean())

        self._fit(task, stored, strata, score)
        return self

    def predict(self, X: Any) -> Array:
        """The value of each row, from the integer that the device computes."""
        integers = self._scores(X)
        return self._reals(self.graph_, integers)[:, 0]

    def to_graph(self) -> Graph:
        """The fitted model as an integer graph; its output's quantization gives the values."""
        check_is_fitted(self)
        return self.graph_


def _decided(scores: Array) -> Array:
    """The position of the class of each row of scores."""
    return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)


def _probabilities(teacher: Any, X: Array) -> Array:
    """Class probabilities of a fitted classifier; of its decision function where it has none."""
    if hasattr(teacher, "predict_proba"):
        return np.asarray(teacher.predict_proba(X), np.float32)
    decision = np.asarray(teacher.decision_function(X), np.float32)
    if decision.ndim == 1:
        decision = np.stack([-decision, decision], axis=1)
    return np.asarray(losses.softmax(2 * decision), np.float32)
