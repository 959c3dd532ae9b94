"""Guessing a design's score from those of others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.fit.design import Design
from netsuke.fit.space import DesignSpace
from netsuke.ir import Array

LEAST = 6
"""Scores below which any guess is as good as none."""


class Surrogate:
    """Bayesian ridge regression (MacKay 1992) of scores on what designs look like.

    Features: the logarithm of each group's share of units (one column a group of the original;
    the mean where a design lacks the group), one column an edit, and the logarithms of the quick
    cost. Calling it gives the expected score, 0 with fewer than `LEAST` scores.

    Parameters
    ----------
    space
        Where designs come from.
    scored
        Designs and their scores.
    """

    def __init__(self, space: DesignSpace, scored: Sequence[tuple[Design, float]]) -> None:
        self.space = space
        self._model = None
        if len(scored) >= LEAST:
            from sklearn.linear_model import BayesianRidge

            rows = np.stack([self._features(design) for design, _ in scored])
            self._mean, self._deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
            model = BayesianRidge()
            model.fit((rows - self._mean) / self._deviation, [score for _, score in scored])
            self._model = model

    def __call__(self, design: Design) -> float:
        if self._model is None:
            return 0.0
        row = (self._features(design) - self._mean) / self._deviation
        return float(self._model.predict(row[None, :])[0])

    def _features(self, design: Design) -> Array:
        skeleton = self.space.skeleton_of(design)
        shares = {
            group.name: np.log(width / group.units)
            for group, width in zip(skeleton.groups, design.widths, strict=True)
        }
        mean = float(np.mean(list(shares.values()))) if shares else 0.0
        widths = [shares.get(group.name, mean) for group in self.space.groups]
        chosen = [float(edit in design.edits) for edit in self.space.edits]
        cost = np.log(skeleton.quick(np.array(design.widths)) + 1.0)
        return np.concatenate([widths, chosen, cost, [float(bool(design.family))]])
