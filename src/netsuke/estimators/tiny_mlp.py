"""A network of one hidden layer with a sparse first matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.estimators.budget import largest_entries
from netsuke.estimators.scores import add_scores
from netsuke.estimators.standard import add_input, add_projection
from netsuke.estimators.tiny import Task, TinyClassifier
from netsuke.estimators.training.mlp_network import FRACTION, MlpNetwork
from netsuke.estimators.training.phases import Schedule, train
from netsuke.ir import Array, Graph, GraphBuilder


class TinyMLPClassifier(TinyClassifier):
    """Classifier by one hidden layer, trained with the integers of the device in the loop.

    The scores are::

        y(x) = W max(0, Z x + b) + c

    Z is sparse within `max_bytes` (iterative hard thresholding, see
    `netsuke.estimators.training.phases.train`), W is dense int8 and the hidden values are int8.

    Parameters
    ----------
    max_bytes : int or None, default=1024
        Bytes that the model's tables may take in flash; the sparsity of Z follows. None keeps all
        entries.
    hidden_size : int, default=16
        Hidden values, 1 .. 255.
    weight_bits : int, default=4
        Of the entries of Z, 2 .. 8; up to 4, an entry and its place share one byte.
    loss : {"auto", "hinge", "logistic", "cross_entropy"}, default="auto"
        For two classes the hinge, for more the cross-entropy.
    decay : float, default=1e-3
        Weight of half the squared entries of Z and W in the objective.
    max_iter : int, default=4500
        Steps of the optimiser.
    learning_rate : float, default=0.01
    batch_size : int, default=128
    restarts : int, default=1
        Trainings; with several, a part of the rows is held out and the best there is kept.
    validation_fraction : float, default=0.15
        That part.
    teacher : classifier or None
        Is fitted to the same rows; its probabilities are half of what is learned.
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : ndarray
    graph_ : netsuke.ir.Graph
        The fitted model: integers, from stored features to scores.
    """

    def __init__(
        self,
        max_bytes: int | None = 1024,
        *,
        hidden_size: int = 16,
        weight_bits: int = 4,
        loss: str = "auto",
        decay: float = 1e-3,
        max_iter: int = 4500,
        learning_rate: float = 0.01,
        batch_size: int = 128,
        restarts: int = 1,
        validation_fraction: float = 0.15,
        teacher: Any = None,
        random_state: Any = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.hidden_size = hidden_size
        self.weight_bits = weight_bits
        self.loss = loss
        self.decay = decay
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.restarts = restarts
        self.validation_fraction = validation_fraction
        self.teacher = teacher
        self.random_state = random_state

    def _train(self, task: Task, rng: np.random.Generator, rows: Array) -> Graph:
        if not 1 <= self.hidden_size <= 255 or not 2 <= self.weight_bits <= 8:
            raise ValueError(
                f"hidden_size={self.hidden_size} is not 1 .. 255 or weight_bits="
                f"{self.weight_bits} not 2 .. 8"
            )
        network = MlpNetwork(
            task.x.shape[1],
            task.outputs,
            self.hidden_size,
            task.loss,
            self.weight_bits,
            self.decay,
        )
        budget = self._projection_bytes(network)
        params = train(
            network,
            task.of(rows),
            lambda matrix: largest_entries(matrix, budget, self.weight_bits),
            Schedule(self.max_iter, self.learning_rate, self.batch_size),
            rng,
        )
        return _graph(network, params, task)

    def _projection_bytes(self, network: MlpNetwork) -> int:
        """What the budget leaves for Z."""
        if self.max_bytes is None:
            return network.size * network.features
        taken = network.size * (network.outputs + 2) + 2 * network.outputs
        if self.max_bytes < taken + 2 * network.size:
            raise ValueError(
                f"max_bytes={self.max_bytes}: the last layer alone takes {taken} bytes; try a "
                "smaller hidden_size"
            )
        return self.max_bytes - taken


def _graph(network: MlpNetwork, params: dict[str, Array], task: Task) -> Graph:
    forms = network.formats
    builder = GraphBuilder("tiny_mlp")
    x = add_input(builder, task.grid)
    z = add_projection(builder, x, task.standard, forms["projection"], params, FRACTION, low=0)
    exponent = forms["linear"].exponent(params["linear"])
    weights = forms["linear"].integers(params["linear"].astype(np.float64), exponent)
    bias = np.ldexp(params["last"].astype(np.float64), exponent + FRACTION)
    step = 2.0 ** -(exponent + FRACTION)
    return builder.build([add_scores(builder, z, weights, bias, step, task)])
