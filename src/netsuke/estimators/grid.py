"""The integers in which a device sees its features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array, Port, Quant

RANGE = 127
WIDEST = 5.0  # standard deviations that a feature's grid reaches to; rarer values are clamped


@dataclass(frozen=True, slots=True, eq=False)
class FeatureGrid:
    """How real features become int8: ``real = scale · (stored - zero)``, feature by feature.

    Attributes
    ----------
    scale
        ``(features,)``, step of each feature.
    zero
        ``(features,)`` int, stored value of real zero; it may lie beyond int8.
    shown
        Element type in which a person gives features: ``"int8"`` or ``"uint8"`` when all of them
        are small integers, which are then exact, else ``"float32"``.
    """

    scale: Array
    zero: Array
    shown: str

    @property
    def quant(self) -> Quant:
        """For a graph's input."""
        if np.ptp(self.scale) == 0 and np.ptp(self.zero) == 0:
            return Quant((float(self.scale[0]),), (int(self.zero[0]),))
        return self._quant(0)

    @property
    def port(self) -> Port | None:
        """How the graph's input is shown, None for as it is stored."""
        return None if self.shown == "int8" else Port((0,), self.shown)

    def stored(self, x: Array) -> Array:
        """int8 of real features ``(n, features)``."""
        return self._quant(1).quantize(x)

    def _quant(self, axis: int) -> Quant:
        return Quant(tuple(self.scale.tolist()), tuple(self.zero.tolist()), axis)


def fit_grid(x: Array, weights: Array) -> FeatureGrid:
    """The grid for training rows.

    Integers from -128 to 127, or from 0 to 255, stay what they are. Other features get steps in
    proportion to their standard deviations, around their means; so one scale serves the weights
    of all of them and standardizing costs a device nothing.

    Parameters
    ----------
    x
        ``(n, features)`` float64.
    weights
        ``(n,)``; rows of weight 0 are not seen.
    """
    x, weights = x[weights > 0], weights[weights > 0]
    features = x.shape[1]
    lowest, highest = x.min(), x.max()
    if highest <= 255 and lowest >= -128 and (x == np.rint(x)).all():
        if highest <= 127:
            return FeatureGrid(np.ones(features), np.zeros(features, int), "int8")
        if lowest >= 0:
            return FeatureGrid(np.ones(features), np.full(features, -128), "uint8")
    mean = np.average(x, axis=0, weights=weights)
    deviation = np.sqrt(np.average(np.square(x - mean), axis=0, weights=weights))
    varies = deviation > 1e-9 * np.maximum(np.abs(mean), 1e-30)
    farthest = (np.abs(x - mean) / np.where(varies, deviation, np.inf)).max()
    step = min(max(float(farthest), 1e-3), WIDEST) / RANGE
    scale = np.where(varies, step * deviation, np.maximum(np.abs(mean), 1.0))
    scale = np.asarray(scale, np.float32).astype(np.float64)
    return FeatureGrid(scale, np.rint(-mean / scale).astype(np.int64), "float32")
