"""Adam for a dictionary of arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netsuke.ir import Array

Params = dict[str, Array]
"""Name -> array of a model that is being trained."""


class Adam:
    """Stochastic gradient descent with adapted steps.

    Kingma & Ba 2015, arXiv:1412.6980, algorithm 1::

        m <- b1·m + (1 - b1)·g        v <- b2·v + (1 - b2)·g²
        p <- p - rate · m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)

    Parameters
    ----------
    first, second
        Decay b1 and b2 of the two moments.
    epsilon
        Keeps the division finite.
    """

    def __init__(self, first: float = 0.9, second: float = 0.999, epsilon: float = 1e-8) -> None:
        self.first, self.second, self.epsilon = first, second, epsilon
        self.steps = 0
        self.mean: Params = {}
        self.square: Params = {}

    def step(self, params: Params, gradients: Mapping[str, Array], rate: float) -> None:
        """Move the parameters (in place) against their gradients."""
        self.steps += 1
        scale = rate * np.sqrt(1 - self.second**self.steps) / (1 - self.first**self.steps)
        for name, gradient in gradients.items():
            mean = self.mean.setdefault(name, np.zeros_like(gradient))
            square = self.square.setdefault(name, np.zeros_like(gradient))
            mean += (1 - self.first) * (gradient - mean)
            square += (1 - self.second) * (gradient * gradient - square)
            params[name] -= (scale * mean / (np.sqrt(square) + self.epsilon)).astype(
                params[name].dtype
            )
