"""How much worse a small network is than the original, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array

ONE_SIDED_95 = 1.6448536269514722
"""The 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Points of the metric lost, measured on the same samples for both networks.

    Attributes
    ----------
    points
        Metric of the original minus metric of the small network.
    bound
        The loss is at most this with a confidence of 95 % (one-sided).
    disagreements
        Share of the samples on which exactly one of the two is right.
    samples
        How many were used.
    """

    points: float
    bound: float
    disagreements: float
    samples: int


def paired_drop(original: Array, small: Array) -> Drop:
    """Compare losses of the same samples, ``(n,)`` each (see `netsuke.train.Evaluation`).

    With δ_i the difference of the two losses of sample i, the drop is mean(δ) and its one-sided
    95 % bound is mean(δ) + 1.645 · s, s = √(mean(δ²) / n). For right or wrong answers δ_i is -1,
    0 or 1, so that s = √(d / n) with d the share of disagreements: what both networks get right
    or wrong alike adds no doubt, which is why a paired test needs far fewer samples. Taking
    mean(δ²) in place of the variance errs on the safe side. Where no sample disagrees, d is taken
    as 1 / n: n samples cannot exclude one that they do not hold.

    Examples
    --------
    >>> drop = paired_drop(np.zeros(2000), np.repeat([1.0, 0.0], [120, 1880]))
    >>> round(drop.points, 2), round(drop.bound, 2)
    (6.0, 6.9)
    """
    delta = np.asarray(small, np.float64) - np.asarray(original, np.float64)
    square = float(np.square(delta).mean()) or 1.0 / delta.size
    points = 100.0 * float(delta.mean())
    return Drop(
        points=points,
        bound=points + 100.0 * ONE_SIDED_95 * math.sqrt(square / delta.size),
        disagreements=float((delta != 0).mean()),
        samples=delta.size,
    )
