"""Bonsai: a shallow tree over a sparse projection."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.estimators.budget import largest_entries
from netsuke.estimators.standard import add_input, add_projection
from netsuke.estimators.tiny import Task, TinyClassifier, TinyModel, TinyRegressor
from netsuke.estimators.training.bonsai_network import FRACTION, BonsaiNetwork
from netsuke.estimators.training.phases import Schedule, train
from netsuke.ir import Array, Graph, GraphBuilder
from netsuke.ops import GatedTree
from netsuke.ops.gated_tree import largest_score

PARAMETERS = """
    Parameters
    ----------
    max_bytes : int or None, default=1024
        Bytes that the model's tables may take in flash; the sparsity of Z follows. None keeps all
        entries.
    depth : int, default=1
        Of the tree, 0 .. 5; it has 2^(depth + 1) - 1 nodes.
    projection_size : int, default=6
        Dimension of z, at most 64.
    weight_bits : int, default=4
        Of the entries of Z, 2 .. 8; up to 4, an entry and its place share one byte.
    shared_gate : bool, default=False
        One gate a node serves all outputs: fewer bytes and half the cycles, less accuracy.
    decay, projection_decay : float, default=3e-3
        Weight of half the squared entries of W, V and θ, and of Z, in the objective.
    max_iter : int, default=4500
        Steps of the optimiser.
    learning_rate : float, default=0.02
    batch_size : int, default=128
    restarts : int, default=1
        Trainings; with several, a part of the rows is held out and the best there is kept.
    validation_fraction : float, default=0.15
        That part.
    random_state : int, RandomState or None
"""


class _Bonsai(TinyModel):
    depth: int
    projection_size: int
    weight_bits: int
    shared_gate: bool
    decay: float
    projection_decay: float
    learning_rate: float
    batch_size: int

    def _train(self, task: Task, rng: np.random.Generator, rows: Array) -> Graph:
        network = self._network(task)
        budget = self._projection_bytes(network)
        params = train(
            network,
            task.of(rows),
            lambda matrix: largest_entries(matrix, budget, self.weight_bits),
            Schedule(self.max_iter, self.learning_rate, self.batch_size),
            rng,
        )
        return bonsai_graph(network, params, task)

    def _network(self, task: Task) -> BonsaiNetwork:
        if not (0 <= self.depth <= 5 and 1 <= self.projection_size <= 64):
            raise ValueError(
                f"depth={self.depth} is not 0 .. 5 or projection_size={self.projection_size} not "
                "1 .. 64"
            )
        if not 2 <= self.weight_bits <= 8:
            raise ValueError(f"weight_bits={self.weight_bits} is not 2 .. 8")
        features = task.x.shape[1]
        return BonsaiNetwork(
            features,
            task.outputs,
            self.depth,
            min(self.projection_size, features),
            task.loss,
            self.shared_gate and task.outputs > 1,
            self.weight_bits,
            self.decay,
            self.projection_decay,
        )

    def _projection_bytes(self, network: BonsaiNetwork) -> int:
        """What the budget leaves for Z."""
        if self.max_bytes is None:
            return network.size * network.features
        gates = 1 if network.shared else network.outputs
        tree = network.nodes * (network.outputs + gates) + network.inner
        taken = (tree + 2) * network.size
        if self.max_bytes < taken + 2 * network.size:
            raise ValueError(
                f"max_bytes={self.max_bytes}: the tree alone takes {taken} bytes; try a smaller "
                "depth or projection_size"
            )
        return self.max_bytes - taken


class BonsaiClassifier(TinyClassifier, _Bonsai):
    __doc__ = f"""Classifier by Bonsai, a shallow tree over a sparse projection.

    Every node on a row's path adds a gated linear score of the projection z = Z x + b (Kumar, Goyal
    & Varma 2017, "Resource-efficient machine learning in 2 KB RAM for the internet of things")::

        y(x) = Σ_k I_k(x) · (W_k z) ∘ tanh(V_k z)                                       (1)

    with tanh(u) ≈ clip(u, -1, 1) and I_k = 1 on the path that the signs of θ_k · z choose. Two
    classes have one score. See `netsuke.estimators.training.phases.train` for the optimiser.
    {PARAMETERS}
    loss : {{"auto", "hinge", "logistic", "cross_entropy"}}, default="auto"
        For two classes the hinge of the paper, for more the cross-entropy of its authors' code.
    teacher : classifier or None
        Is fitted to the same rows; its probabilities are half of what is learned.

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
        depth: int = 1,
        projection_size: int = 6,
        weight_bits: int = 4,
        shared_gate: bool = False,
        loss: str = "auto",
        decay: float = 3e-3,
        projection_decay: float = 3e-3,
        max_iter: int = 4500,
        learning_rate: float = 0.02,
        batch_size: int = 128,
        restarts: int = 1,
        validation_fraction: float = 0.15,
        teacher: Any = None,
        random_state: Any = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.depth = depth
        self.projection_size = projection_size
        self.weight_bits = weight_bits
        self.shared_gate = shared_gate
        self.loss = loss
        self.decay = decay
        self.projection_decay = projection_decay
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.restarts = restarts
        self.validation_fraction = validation_fraction
        self.teacher = teacher
        self.random_state = random_state


class BonsaiRegressor(TinyRegressor, _Bonsai):
    __doc__ = f"""Regressor by Bonsai; see `BonsaiClassifier`.

    The loss is half the squared error of the standardized values. By default
    weight_bits=8, decay and projection_decay 0.03; there is no gate to share.
    {PARAMETERS}
    """

    shared_gate = False

    def __init__(
        self,
        max_bytes: int | None = 1024,
        *,
        depth: int = 1,
        projection_size: int = 6,
        weight_bits: int = 8,
        decay: float = 0.03,
        projection_decay: float = 0.03,
        max_iter: int = 4500,
        learning_rate: float = 0.02,
        batch_size: int = 128,
        restarts: int = 1,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.depth = depth
        self.projection_size = projection_size
        self.weight_bits = weight_bits
        self.decay = decay
        self.projection_decay = projection_decay
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.restarts = restarts
        self.validation_fraction = validation_fraction
        self.random_state = random_state


def bonsai_graph(network: BonsaiNetwork, params: dict[str, Array], task: Task) -> Graph:
    """The integers of a trained Bonsai.

    With W = w · 2^-e, V = v · 2^-g and z = ẑ · 2^-5, the gate in 128ths is (v · ẑ) >> (g - 2), and
    a score of 1 is the integer 2^(e + 4 - s), s the least shift that keeps all paths in 16 bits.
    """
    forms = network.formats
    builder = GraphBuilder("bonsai")
    x = add_input(builder, task.grid)
    z = add_projection(builder, x, task.standard, forms["projection"], params, FRACTION)
    stored, exponents = {}, {}
    for name in ("linear", "gate", "branch"):
        exponents[name] = forms[name].exponent(params[name])
        integers = forms[name].integers(params[name], exponents[name])
        stored[name] = builder.constant(name, integers.astype(np.int8))
    linear = builder.tensors[stored["linear"]]
    shift = next(s for s in range(16) if largest_score(linear, s) <= 32767)
    scores = builder.one(
        GatedTree(shift, exponents["gate"] + FRACTION - 7),
        z,
        *stored.values(),
        name="scores",
        quant=task.quant(2.0 ** (shift - exponents["linear"] - FRACTION + 1), 16),
    )
    return builder.build([scores])
