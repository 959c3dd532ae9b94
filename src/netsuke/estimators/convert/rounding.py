"""Real weights to int8: the factor that loses least on the rows that there are."""

from __future__ import annotations

import numpy as np

from netsuke.errors import UsageError
from netsuke.ir import Array

LARGEST = 127
SUM = (1 << 23) - 1
"""Sums have 24 bits, see `LinearModel`."""

CLIPPED = tuple(2.0 ** (step / 2) for step in range(11))
"""Factors beyond that of the largest weight which are tried; larger weights are cut to 127.

A feature that is nearly always the same may have a weight that is larger than all others by far;
cutting it costs less than the resolution of the others is worth.
"""


BEARABLE = 1e-3
"""Share of the scores' variance that rounding may take."""

PENALTIES = tuple(10.0**-exponent for exponent in range(1, 9))
"""Of large weights, in units of the largest variance along an axis."""


def rounded(weights: Array, factor: Array | float) -> Array:
    """``weights * factor`` as int8, cut to -127 .. 127."""
    return np.clip(np.rint(weights * factor), -LARGEST, LARGEST).astype(np.int8)


def joint_factor(weights: Array, bias: Array, dtype: str, rows: Array | None) -> float:
    """One factor for a whole matrix, so that its sums stay comparable and have 24 bits.

    Parameters
    ----------
    weights, bias
        ``(units, features)`` and ``(units,)`` on stored integers.
    dtype
        Element type of these integers.
    rows
        Stored integers ``(m, features)`` on which the error is judged, or None.
    """
    limits = np.iinfo(dtype)
    reach = max(abs(limits.min), limits.max)
    # Rounding adds at most half a weight a feature, and correcting its mean as much to the bias.
    room = SUM - weights.shape[1] * reach - 2
    if room <= 0:
        raise UsageError(f"{weights.shape[1]} features of {dtype} are too many for sums of 24 bits")
    sums = float((np.abs(weights).sum(1) * reach + np.abs(bias)).max(initial=0.0))
    most = room / sums if sums > 0 else 1.0
    start = LARGEST / max(float(np.abs(weights).max(initial=0.0)), 1e-30)
    tried = [min(start * more, most) for more in CLIPPED]
    if rows is None:
        return tried[0]
    return tried[int(np.argmin([float(_errors(weights, f, rows).sum()) for f in tried]))]


def unit_factors(weights: Array, rows: Array) -> Array:
    """A factor for each unit by itself: ``(units,)``."""
    start = LARGEST / np.maximum(np.abs(weights).max(1), 1e-30)
    tried = np.array([start * more for more in CLIPPED])
    errors = np.array([_errors(weights, factor[:, None], rows) for factor in tried])
    return tried[errors.argmin(0), np.arange(len(weights))]


def calmed(
    weights: Array, bias: Array, dtype: str, rows: Array, scores: Array
) -> tuple[Array, Array]:
    """Weights and bias of which rounding leaves more, if it would leave too little of these.

    Features that depend on each other may have large weights that cancel out; as int8 they do not.
    Ridge regression (Hoerl & Kennard 1970, eq. 2.1) to the scores finds small ones that say the
    same on the rows: ``w = (X'X + k)^-1 X's`` with X and s centred.

    Parameters
    ----------
    weights, bias, dtype, rows
        As in `joint_factor`.
    scores
        ``(m, units)`` what the real model says of the rows.
    """
    centred = scores - scores.mean(0)
    bearable = BEARABLE * float(np.square(centred).sum())

    def lost(w: Array) -> float:
        shift = scores.mean(0) - w @ rows.mean(0)
        factor = joint_factor(w, shift, dtype, rows)
        off = rows @ (rounded(w, factor) / factor).T - scores
        return float(np.square(off - off.mean(0)).sum())

    least = lost(weights)
    if least <= bearable:
        return weights, bias
    x = rows - rows.mean(0)
    values, axes = np.linalg.eigh(x.T @ x)
    inner = axes.T @ (x.T @ centred)
    for penalty in max(float(values[-1]), 1e-30) * np.array(PENALTIES):
        tried = (axes @ (inner / (np.maximum(values, 0.0) + penalty)[:, None])).T
        error = lost(tried)
        if error < least:
            weights, bias, least = tried, scores.mean(0) - tried @ rows.mean(0), error
    return weights, bias


def _errors(weights: Array, factor: Array | float, rows: Array) -> Array:
    """Squared error of each unit's sums on the rows, in the units of the real sums."""
    lost = weights - rounded(weights, factor) / factor
    difference = rows @ lost.T
    errors: Array = ((difference - difference.mean(0)) ** 2).sum(0)
    return errors
