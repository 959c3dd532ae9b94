"""A network of one hidden layer as a differentiable function of its matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.losses import Loss
from netsuke.estimators.training.projected import project
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ir import Array

FRACTION = 4  # bits of a hidden value behind the point: it lies within [0, 8)


@dataclass(frozen=True, slots=True)
class MlpNetwork:
    """y(x) = W max(0, Z x + b) + c, the hidden values as int8.

    Attributes
    ----------
    features, outputs, size
        Dimensions of x, y and the hidden layer.
    loss
        Over scores ``(n, outputs)``.
    bits
        Of the entries of Z; W has 8.
    decay
        λ of Z and W: λ/2 times the squared entries is added to the loss.
    """

    features: int
    outputs: int
    size: int
    loss: Loss
    bits: int
    decay: float

    @property
    def formats(self) -> Mapping[str, PowerOfTwo]:
        return {
            "projection": PowerOfTwo(self.bits, least=FRACTION, most=FRACTION + 15),
            "linear": PowerOfTwo(8),
        }

    def initial(self, rng: np.random.Generator, x: Array, targets: Array) -> Params:
        spread = np.sqrt(2.0 / self.features), np.sqrt(1.0 / self.size)
        start = {
            "projection": rng.normal(size=(self.size, self.features)) * spread[0],
            "offset": np.zeros(self.size),
            "linear": rng.normal(size=(self.outputs, self.size)) * spread[1],
            "last": np.zeros(self.outputs),
        }
        return {name: value.astype(np.float32) for name, value in start.items()}

    def gradients(
        self, params: Params, x: Array, targets: Array, weights: Array, sharpness: float, fine: bool
    ) -> tuple[float, Params]:
        z, inside = project(params, x, FRACTION, fine, low=0)
        scores = z @ params["linear"].T + params["last"]
        value, by_score = self.loss(scores, targets, weights)
        by_score = by_score.astype(x.dtype)
        by_z = (by_score @ params["linear"]) * inside
        return value, {
            "projection": by_z.T @ x + self.decay * params["projection"],
            "offset": by_z.sum(axis=0),
            "linear": by_score.T @ z + self.decay * params["linear"],
            "last": by_score.sum(axis=0),
        }

    def unit_sharpness(self, params: Params, x: Array) -> float:
        return 1.0
