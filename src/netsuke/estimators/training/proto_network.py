"""ProtoNN as a differentiable function of its matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.losses import Loss
from netsuke.estimators.training.projected import project
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ir import Array

FRACTION = 5  # bits of the projected input behind the point: it lies within [-4, 4)


@dataclass(frozen=True, slots=True)
class ProtoNetwork:
    """y(x) = Σ_j s_j exp(-γ² |W x + b - p_j|²).

    Gupta et al. 2017, "ProtoNN", equation 2; b is folded into the input there. The prototypes lie
    on the grid of the projected input.

    Attributes
    ----------
    features, outputs, size, prototypes
        D, L, the dimension of W x and m.
    loss
        Over scores ``(n, outputs)``.
    bits
        Of the entries of W; scores have 8.
    gamma
        Of the kernel.
    decay
        λ of all matrices: λ/2 times the squared entries is added to the loss.
    start
        Parameters to begin with: projection, offset, places ``(m, size)``, scores ``(m, outputs)``.
    """

    features: int
    outputs: int
    size: int
    prototypes: int
    loss: Loss
    bits: int
    gamma: float
    decay: float
    start: Params

    @property
    def formats(self) -> Mapping[str, PowerOfTwo]:
        return {
            "projection": PowerOfTwo(self.bits, least=FRACTION, most=FRACTION + 15),
            "places": PowerOfTwo(8, least=FRACTION, most=FRACTION),
            "scores": PowerOfTwo(8),
        }

    def initial(self, rng: np.random.Generator, x: Array, targets: Array) -> Params:
        return {name: value.astype(np.float32) for name, value in self.start.items()}

    def gradients(
        self, params: Params, x: Array, targets: Array, weights: Array, sharpness: float, fine: bool
    ) -> tuple[float, Params]:
        z, inside = project(params, x, FRACTION, fine)
        places = params["places"]
        near = np.exp(-(self.gamma**2) * squared_distances(z, places))
        value, by_score = self.loss(near @ params["scores"], targets, weights)
        by_score = by_score.astype(x.dtype)
        by_distance = -(self.gamma**2) * near * (by_score @ params["scores"].T)
        by_z = 2 * (z * by_distance.sum(axis=1)[:, None] - by_distance @ places) * inside
        by_place = 2 * (places * by_distance.sum(axis=0)[:, None] - by_distance.T @ z)
        gradients = {
            "projection": by_z.T @ x + self.decay * params["projection"],
            "offset": by_z.sum(axis=0),
            "places": by_place,
            "scores": near.T @ by_score + self.decay * params["scores"],
        }
        return value, {name: gradient.astype(x.dtype) for name, gradient in gradients.items()}

    def unit_sharpness(self, params: Params, x: Array) -> float:
        return 1.0


def squared_distances(z: Array, places: Array) -> Array:
    """|z_i - p_j|² of every pair: ``(n, size)`` and ``(m, size)`` to ``(n, m)``."""
    squares = np.square(z).sum(axis=1)[:, None] + np.square(places).sum(axis=1)
    return np.maximum(squares - 2 * (z @ places.T), 0)
