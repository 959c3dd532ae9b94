"""ProtoNN: a few prototypes in a sparse projection."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.estimators.budget import largest_entries
from netsuke.estimators.standard import add_input, add_projection
from netsuke.estimators.tiny import Task, TinyClassifier
from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.phases import Schedule, train
from netsuke.estimators.training.proto_network import FRACTION, ProtoNetwork, squared_distances
from netsuke.ir import Array, Graph, GraphBuilder
from netsuke.ops import Prototypes

ENTRIES = 64  # of the table of exp(-r), at most; twice as many as there are at least
FARTHEST = 5.5  # exp(-5.5) · 255 is about 1: what is farther away counts as nothing


class ProtoNNClassifier(TinyClassifier):
    """Classifier by the distances to a few learned prototypes in a learned, sparse projection.

    Gupta et al. 2017, "ProtoNN: compressed and accurate kNN for resource-scarce devices"::

        y(x) = Σ_j s_j exp(-γ² |W x - p_j|²)                                            (2)

    W begins with the principal axes, the prototypes with k-means in every class, their scores
    with its one-hot vector and γ = 2.5 / median |p_j - W x_i|, as in the paper's section 3.3.
    Deviations: the loss over scores is the hinge (two classes) or the cross-entropy as in the
    authors' code, all matrices are learned together, p and s stay dense, and everything is
    rounded to the device's integers while it learns. exp becomes a table of at most 64 bytes.

    Parameters
    ----------
    max_bytes : int or None, default=1024
        Bytes that the model's tables may take in flash; the sparsity of W follows. None keeps all
        entries.
    prototypes : int, default=20
        m, shared out evenly among the classes, at least one each.
    projection_size : int, default=8
        Dimension of W x, at most 64.
    weight_bits : int, default=4
        Of the entries of W, 2 .. 8; up to 4, an entry and its place share one byte.
    loss : {"auto", "hinge", "logistic", "cross_entropy"}, default="auto"
        For two classes the hinge, for more the cross-entropy.
    decay : float, default=1e-4
        Weight of half the squared entries of W and s in the objective.
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
        prototypes: int = 20,
        projection_size: int = 8,
        weight_bits: int = 4,
        loss: str = "auto",
        decay: float = 1e-4,
        max_iter: int = 4500,
        learning_rate: float = 0.01,
        batch_size: int = 128,
        restarts: int = 1,
        validation_fraction: float = 0.15,
        teacher: Any = None,
        random_state: Any = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.prototypes = prototypes
        self.projection_size = projection_size
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
        if not (1 <= self.projection_size <= 64 and 1 <= self.prototypes <= 1000):
            raise ValueError(
                f"projection_size={self.projection_size} is not 1 .. 64 or prototypes="
                f"{self.prototypes} not 1 .. 1000"
            )
        if not 2 <= self.weight_bits <= 8:
            raise ValueError(f"weight_bits={self.weight_bits} is not 2 .. 8")
        data = task.of(rows)
        size = min(self.projection_size, task.x.shape[1])
        start, gamma = _start(data, size, self.prototypes, task.outputs, rng)
        network = ProtoNetwork(
            task.x.shape[1],
            task.outputs,
            size,
            len(start["places"]),
            task.loss,
            self.weight_bits,
            gamma,
            self.decay,
            start,
        )
        budget = self._projection_bytes(network)
        params = train(
            network,
            data,
            lambda matrix: largest_entries(matrix, budget, self.weight_bits),
            Schedule(self.max_iter, self.learning_rate, self.batch_size),
            rng,
        )
        return _graph(network, params, task)

    def _projection_bytes(self, network: ProtoNetwork) -> int:
        """What the budget leaves for W."""
        if self.max_bytes is None:
            return network.size * network.features
        taken = network.prototypes * (network.size + network.outputs) + ENTRIES + 2 * network.size
        if self.max_bytes < taken + 2 * network.size:
            raise ValueError(
                f"max_bytes={self.max_bytes}: the prototypes alone take {taken} bytes; try fewer "
                "prototypes or a smaller projection_size"
            )
        return self.max_bytes - taken


def _start(
    data: tuple[Array, Array, Array], size: int, prototypes: int, outputs: int, rng: Any
) -> tuple[Params, float]:
    """Parameters to begin with, and γ."""
    x, targets, _ = data
    labels = (targets > 0.5).astype(int) if outputs == 1 else targets.argmax(axis=1)
    classes = np.unique(labels)
    center = x.mean(axis=0)
    spread, axes = np.linalg.svd(x - center, full_matrices=False)[1:]
    axes = _padded(axes[:size], size, x.shape[1])
    projection = axes * (np.sqrt(len(x)) / max(float(spread[0]), 1e-6))
    z = (x - center) @ projection.T
    places, scores = [], []
    each = max(1, prototypes // len(classes))
    for label in classes.tolist():
        own = _means(z[labels == label], each, rng)
        places.append(own)
        row = np.full(1, 2.0 * label - 1) if outputs == 1 else np.eye(outputs)[label]
        scores += [row] * len(own)
    at = np.concatenate(places)
    distance = np.sqrt(np.median(squared_distances(z[:1000], at)))
    start = {
        "projection": projection,
        "offset": -projection @ center,
        "places": at,
        "scores": np.array(scores) * 2.0,
    }
    return start, float(2.5 / max(float(distance), 1e-3))


def _padded(axes: Array, size: int, features: int) -> Array:
    """The axes, and zeros where there are fewer samples than axes are wanted."""
    full = np.zeros((size, features))
    full[: len(axes)] = axes
    return full


def _means(z: Array, count: int, rng: Any, rounds: int = 10) -> Array:
    """k-means (Lloyd 1982) from rows drawn at random."""
    means = z[rng.permutation(len(z))[:count]].astype(np.float64)
    for _ in range(rounds):
        nearest = squared_distances(z, means).argmin(axis=1)
        for k in np.unique(nearest).tolist():
            means[k] = z[nearest == k].mean(axis=0)
    return means


def _graph(network: ProtoNetwork, params: dict[str, Array], task: Task) -> Graph:
    forms = network.formats
    builder = GraphBuilder("proto_nn")
    x = add_input(builder, task.grid)
    z = add_projection(builder, x, task.standard, forms["projection"], params, FRACTION)
    places = forms["places"].integers(params["places"], FRACTION).astype(np.int8)
    exponent = forms["scores"].exponent(params["scores"])
    scores = forms["scores"].integers(params["scores"], exponent).astype(np.int8)
    table, shift = kernel_table(network.gamma)
    output = builder.one(
        Prototypes(shift),
        z,
        builder.constant("places", places),
        builder.constant("prototype_scores", scores),
        builder.constant("kernel", table),
        name="scores",
        quant=task.quant(2.0**-exponent / 255, 32),
    )
    return builder.build([output])


def kernel_table(gamma: float) -> tuple[Array, int]:
    """exp(-γ² r) in 255ths for squared distances r in stored integers: the table and its shift.

    Entry i stands for the middle of ``[i · 2^shift, (i + 1) · 2^shift)``; the last one is 0.
    """
    unit = gamma**2 / 4.0**FRACTION
    reach = FARTHEST / unit
    shift = max(0, int(np.ceil(np.log2(reach / (ENTRIES - 1)))))
    middles = (np.arange(min(int(reach / 2.0**shift) + 1, ENTRIES - 1)) + 0.5) * 2.0**shift
    if shift == 0:
        middles -= 0.5
    entries = np.rint(255 * np.exp(-unit * middles)).astype(np.uint8)
    return np.append(entries, np.uint8(0)), shift
