"""Three phases: dense, iterative hard thresholding, frozen support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netsuke.estimators.training.adam import Adam, Params
from netsuke.estimators.training.network import Network
from netsuke.ir import Array

SPARSE = "projection"
EVERY = 10  # steps between two thresholdings; one of them is free to find new entries
SHARPEST = 1000.0
DOUBLINGS = 10  # of the sharpness within a phase


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes
    ----------
    steps
        Of the optimiser, a third for each phase.
    rate
        Of learning; in the last phase it falls to a twentieth.
    batch
        Rows a step; all of them where there are no more.
    """

    steps: int = 3000
    rate: float = 0.02
    batch: int = 128


def train(
    network: Network,
    data: tuple[Array, Array, Array],
    keep: Callable[[Array], Array],
    schedule: Schedule,
    rng: np.random.Generator,
) -> Params:
    """Fit the network's parameters and return them rounded as the device stores them.

    The schedule of Bonsai (Kumar, Goyal & Varma 2017, section 4, and the authors' code): (1) all
    entries, real numbers; (2) every few steps only the largest entries of the projection are kept
    and the others may compete again for one step; (3) the support is frozen. The sharpness of
    branches starts anew with each phase and doubles ten times. Deviations: Adam on shuffled
    batches; from phase 2 on the forward pass computes with the integers of the device
    (straight-through gradients); thresholds count bytes, over the whole matrix; no epoch is
    chosen by its test accuracy.

    Parameters
    ----------
    network
        The model.
    data
        Inputs ``(n, features)``, targets, weights ``(n,)``; float32.
    keep
        Matrix -> mask of the entries that the budget allows.
    schedule
        Steps, rate and batch.
    rng
        The only source of randomness.
    """
    x, targets, weights = data
    params = network.initial(rng, x, targets)
    adam, batches = Adam(), _Batches(len(x), schedule.batch, rng)
    third = max(schedule.steps // 3, 1)
    mask: Array | None = None
    unit = 1.0
    for step in range(3 * third):
        phase, within = divmod(step, third)
        if (phase == 1 and within % EVERY == 0) or (phase == 2 and within == 0):
            mask = keep(params[SPARSE])
        free = phase == 1 and within % EVERY == EVERY - 1
        if mask is not None and not free:
            params[SPARSE] *= mask
        used = params if phase == 0 else round_matrices(network, params)
        if within % 50 == 0:
            unit = network.unit_sharpness(used, x[:200])
        sharpness = min(SHARPEST, unit * 2.0 ** (DOUBLINGS * within / third))
        rows = batches.next()
        _, gradients = network.gradients(
            used, x[rows], targets[rows], weights[rows], sharpness, phase == 0
        )
        if mask is not None and not free:
            gradients[SPARSE] = gradients[SPARSE] * mask
        slower = 1.0 - 0.95 * within / third if phase == 2 else 1.0
        adam.step(params, gradients, schedule.rate * slower)
    if mask is not None:
        params[SPARSE] *= mask
    return round_matrices(network, params)


def round_matrices(network: Network, params: Params) -> Params:
    """The parameters with every matrix as the device stores it."""
    formats = network.formats
    return {
        name: formats[name].rounded(value) if name in formats else value
        for name, value in params.items()
    }


class _Batches:
    """Rows of one shuffled pass after another."""

    def __init__(self, rows: int, size: int, rng: np.random.Generator) -> None:
        self.rows, self.size, self.rng = rows, min(size, rows), rng
        self.order: Array = np.empty(0, int)

    def next(self) -> Array:
        if self.size == self.rows:
            return np.arange(self.rows)
        if len(self.order) < self.size:
            self.order = self.rng.permutation(self.rows)
        rows, self.order = self.order[: self.size], self.order[self.size :]
        return rows
