"""Integers for the features of trees, so that every threshold keeps the same rows apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Grid
from netsuke.ir import Array

CANDIDATES = 512
"""Scales that are tried for a feature of 8 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdGrid:
    """How features become integers, and the thresholds among them.

    Attributes
    ----------
    grid
        How features become integers.
    thresholds
        ``(splits,)`` int32: stored x goes left when ``x <= threshold``.
    straddled
        Thresholds on whose two sides lie training values that get the same integer.
    """

    grid: Grid
    thresholds: Array
    straddled: int


def threshold_grid(
    feature: Array, threshold: Array, features: int, samples: Array | None, bits: int | None = None
) -> ThresholdGrid:
    """Choose the integers of every feature.

    Where all samples are integers they stay as they are and ``floor(threshold)`` is exact.
    Otherwise each feature gets the scale with which no threshold separates two training values
    that share an integer: 8 bits if that succeeds for every feature, else 16.

    Parameters
    ----------
    feature, threshold
        ``(splits,)``; a row goes left when ``x[feature] <= threshold``.
    features
        Length of a row.
    samples
        Training rows ``(rows, features)``, or None when nobody has them any more.
    bits
        8 or 16 to force a width.

    Raises
    ------
    UsageError
        For another width, or integer samples beyond 16 bits.
    """
    if bits not in (None, 8, 16):
        raise UsageError(f"features have 8 or 16 bits, not {bits}")
    if samples is not None and samples.size and (samples == np.rint(samples)).all():
        found = _integer_grid(threshold, features, samples, bits)
        if found is not None:
            return found
    if bits is not None:
        return _real_grid(feature, threshold, features, samples, bits)
    if samples is None:
        return _real_grid(feature, threshold, features, samples, 16)
    narrow = _real_grid(feature, threshold, features, samples, 8)
    if not narrow.straddled:
        return narrow
    wide = _real_grid(feature, threshold, features, samples, 16)
    return wide if wide.straddled < narrow.straddled else narrow


def _integer_grid(
    threshold: Array, features: int, samples: Array, bits: int | None
) -> ThresholdGrid | None:
    low, high = int(samples.min()), int(samples.max())
    for dtype, width in (("uint8", 8), ("int8", 8), ("int16", 16)):
        limits = np.iinfo(dtype)
        if bits in (None, width) and limits.min <= low and high <= limits.max:
            # Below the smallest integer nothing goes left, beyond the largest everything.
            floors = np.clip(np.floor(threshold), limits.min, limits.max)
            grid = Grid(dtype, np.ones(features), np.zeros(features, np.int64))
            return ThresholdGrid(grid, floors.astype(np.int32), 0)
    return None


def _real_grid(
    feature: Array, threshold: Array, features: int, samples: Array | None, bits: int
) -> ThresholdGrid:
    scales, zeros = np.ones(features), np.zeros(features, np.int64)
    stored = np.zeros(len(threshold), np.int32)
    lowest = 0 if bits == 8 else -(1 << 15)
    straddled = 0
    for number in np.unique(feature):
        here = feature == number
        cuts, inverse = np.unique(threshold[here], return_inverse=True)
        below, above = _neighbours(cuts, None if samples is None else samples[:, number])
        scale, cells, shared = _scale_of(cuts, below, above, (1 << bits) - 2)
        scales[number], zeros[number] = scale, lowest - int(cells[0])
        stored[here] = (cells + zeros[number])[inverse.reshape(-1)]
        straddled += shared
    grid = Grid("uint8" if bits == 8 else "int16", scales, zeros)
    return ThresholdGrid(grid, stored, straddled)


def _neighbours(cuts: Array, column: Array | None) -> tuple[Array, Array]:
    """The training values next to each threshold, on its left and on its right."""
    if column is None:
        return cuts.astype(np.float32), np.nextafter(cuts.astype(np.float32), np.float32(np.inf))
    values = np.unique(column.astype(np.float64))
    at = np.searchsorted(values, cuts, side="right")
    reach = max(float(np.ptp(values)), float(np.ptp(cuts)), abs(float(cuts[0])), 1e-6)
    padded = np.concatenate([[cuts[0] - reach], values, [cuts[-1] + reach]])
    return padded[at].astype(np.float32), padded[at + 1].astype(np.float32)


def _scale_of(cuts: Array, below: Array, above: Array, levels: int) -> tuple[float, Array, int]:
    """A scale, the last cell on the left of each cut, and how many cuts separate nothing."""
    span = float(cuts[-1] - cuts[0])
    if span == 0.0:
        # One threshold: any scale serves that puts the edge of a cell between the neighbours.
        span = float(above[0] - below[0]) or max(abs(float(cuts[0])), 1.0)
    # Magnitudes beyond 2^22 cells have no half cells in float32.
    least = max(span / levels, float(np.abs(cuts).max()) / (1 << 22))
    best: tuple[float, Array, int] | None = None
    for factor in np.geomspace(1.0, 4.0, CANDIDATES):
        scale = float(np.float32(least * factor * 1.0001))
        if not 0.0 < scale < np.inf:
            continue
        first, last = _cells(below, scale), _cells(above, scale)
        cells = np.clip(np.rint(cuts / scale - 0.5), first, np.maximum(last - 1, first))
        shared = int((first >= last).sum())
        if cells[-1] - cells[0] <= levels and (best is None or shared < best[2]):
            best = scale, cells.astype(np.int64), shared
            if not shared:
                break
    if best is None:  # no scale is a float32
        raise UsageError(
            f"thresholds from {cuts[0]:g} to {cuts[-1]:g} are beyond float32; scale the feature"
        )
    return best


def _cells(values: Array, scale: float) -> Array:
    """The rounding of `Quant.quantize`, before the zero point."""
    ratio = (values.astype(np.float32) / np.float32(scale)).astype(np.float64)
    return np.trunc(ratio + np.copysign(0.5, ratio))
