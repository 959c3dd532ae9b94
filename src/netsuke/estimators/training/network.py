"""What the training loop asks of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ir import Array


class Network(Protocol):
    """A model that can be trained in three phases. Its sparse matrix is called ``"projection"``."""

    @property
    def formats(self) -> Mapping[str, PowerOfTwo]:
        """Matrix -> how the device stores it; other parameters stay fine."""

    def initial(self, rng: np.random.Generator, x: Array, targets: Array) -> Params:
        """Parameters to start from, float32."""

    def gradients(
        self, params: Params, x: Array, targets: Array, weights: Array, sharpness: float, fine: bool
    ) -> tuple[float, Params]:
        """Mean loss of a batch and its gradients.

        Parameters
        ----------
        params
            Matrices already rounded, unless `fine`.
        x, targets, weights
            The batch.
        sharpness
            Factor within the tanh that stands for a branch.
        fine
            Whether activations are reals instead of the device's integers.
        """

    def unit_sharpness(self, params: Params, x: Array) -> float:
        """Sharpness at which branches are hardly felt; the loop lets it grow."""
