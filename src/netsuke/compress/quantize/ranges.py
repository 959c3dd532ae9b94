"""Ranges of activations, from a stream of samples, and the quantization that suits them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from netsuke.errors import QuantizationError, UsageError
from netsuke.ir import Array, Quant

BINS = 4096
"""Bins of a histogram; a range uses at least a quarter of them."""

METHODS = ("mse", "minmax", "percentile")

SMALLEST = 1e-9
"""Narrower ranges are widened to this, or scales could leave what int32 can express."""


@dataclass(slots=True, eq=False)
class Statistics:
    """What a stream of values of one tensor was like, in constant memory.

    The histogram covers [-limit, limit); the limit doubles, and neighbouring bins merge, when a
    value does not fit.

    Attributes
    ----------
    low, high
        Smallest and largest value.
    counts
        Histogram over `BINS` equal bins.
    total
        Sum of all samples, elementwise; divided by `samples` it is the mean tensor.
    """

    low: float = math.inf
    high: float = -math.inf
    limit: float = 0.0
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))
    total: Array | None = None
    samples: int = 0

    def observe(self, name: str, values: Array) -> None:
        """Add one sample of a tensor.

        Raises
        ------
        QuantizationError
            When a value is not a finite number.
        """
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise QuantizationError(
                name, f"holds a value that is not finite in calibration sample {self.samples}"
            )
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._widen(max(-low, high))
        if self.limit:
            factor = np.float32(BINS / 2 / self.limit)
            places = (values.ravel() * factor + np.float32(BINS / 2)).astype(np.int32)
            self.counts += np.bincount(np.clip(places, 0, BINS - 1), minlength=BINS)
        else:
            self.counts[BINS // 2] += values.size
        self.total = values.astype(np.float64) if self.total is None else self.total + values
        self.samples += 1

    def _widen(self, reach: float) -> None:
        """Double the limit until a magnitude fits."""
        if reach == 0.0:
            return
        reach = max(reach, 1e-30)  # the bins' width must stay a normal float32
        if self.limit == 0.0:
            self.limit = 2.0 ** math.ceil(math.log2(reach) + 1e-6)
        while reach >= self.limit:
            self.limit *= 2.0
            wide = np.zeros_like(self.counts)
            wide[BINS // 4 : BINS - BINS // 4] = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = wide

    @property
    def mean(self) -> Array:
        """The mean over all samples, elementwise."""
        assert self.total is not None
        return self.total / self.samples

    def merged(self, other: Statistics) -> Statistics:
        """The statistics of both streams together, without their means."""
        result = Statistics(min(self.low, other.low), max(self.high, other.high))
        for part in (self, other):
            copy = Statistics(limit=part.limit, counts=part.counts)
            copy._widen(max(self.limit, other.limit) * 0.999)
            result.counts = result.counts + copy.counts
            result.limit = max(result.limit, copy.limit)
        return result

    def centres(self) -> tuple[Array, Array]:
        """(values, counts) of the bins that are not empty."""
        filled = np.flatnonzero(self.counts)
        step = 2.0 * self.limit / BINS
        values = np.clip((filled + 0.5) * step - self.limit, self.low, self.high)
        return values, self.counts[filled].astype(np.float64)


def choose_range(statistics: Statistics, method: str, percentile: float) -> tuple[float, float]:
    """The range to cover: all (``minmax``), all but the tails, or what errs least in the mean."""
    low, high = statistics.low, statistics.high
    if method == "minmax" or low >= high:
        return low, high
    values, counts = statistics.centres()
    if method == "percentile":
        return _percentile_range(values, counts, percentile)
    if method == "mse":
        return _mse_range(values, counts, low, high)
    raise UsageError(f"ranges {method!r} is unknown; known are {', '.join(METHODS)}")


def _percentile_range(values: Array, counts: Array, percentile: float) -> tuple[float, float]:
    share = np.cumsum(counts) / counts.sum()
    tail = 1.0 - percentile / 100.0
    ends = np.minimum(np.searchsorted(share, [tail, 1.0 - tail]), len(values) - 1)
    return float(values[ends[0]]), float(values[ends[1]])


def _mse_range(values: Array, counts: Array, low: float, high: float) -> tuple[float, float]:
    """The shrunk range with the least mean squared error, each end searched in turn."""
    low, high = min(low, 0.0), max(high, 0.0)
    fractions = np.concatenate([np.linspace(1.0, 0.2, 41), np.geomspace(0.18, 0.01, 20)])

    def error(bottom: float, top: float) -> float:
        quant = affine_quant(bottom, top)
        scale, zero = quant.scale[0], quant.zero_point[0]
        stored = np.clip(np.rint(values / scale) + zero, -128, 127)
        return float((counts * (values - scale * (stored - zero)) ** 2).sum())

    bottom, top = low, high
    for _ in range(2):
        if high > 0.0:
            top = min((float(f) * high for f in fractions), key=lambda end: error(bottom, end))
        if low < 0.0:
            bottom = min((float(f) * low for f in fractions), key=lambda end: error(end, top))
    return bottom, top


def affine_quant(low: float, high: float) -> Quant:
    """int8 quantization that covers a range and represents zero exactly.

    scale = (high - low) / 255 rounded to float32, zero point = round(-128 - low / scale). A range
    without extent, of a tensor that was always zero, becomes [-1, 1].

    Examples
    --------
    >>> affine_quant(0.0, 255.0)
    Quant(scale=(1.0,), zero_point=(-128,), axis=None, bits=8, scheme='affine')
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = -1.0, 1.0
    elif high - low < SMALLEST:
        low, high = (-SMALLEST if low < 0.0 else 0.0), (SMALLEST if high > 0.0 else 0.0)
    scale = float(np.float32((high - low) / 255.0))
    zero = int(np.clip(np.rint(-128.0 - low / scale), -128, 127))
    return Quant((scale,), (zero,))


def weight_scales(weights: Array, axis: int | None, method: str) -> Array:
    """Symmetric scales for int8 in [-127, 127]: one along each slice of `axis`, or one for all.

    With ``mse`` each scale is the one, of 30 between half the largest magnitude and all of it,
    that leaves the least squared error. Slices of zeros get the scale 1.
    """
    rows = (
        weights.reshape(1, -1)
        if axis is None
        else np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
    ).astype(np.float64)
    reach = np.abs(rows).max(axis=1, initial=0.0)
    largest = np.where(reach > 1e-30, reach / 127.0, 1.0)
    if method != "mse":
        return largest.astype(np.float32).astype(np.float64)
    best, least = largest, np.full(len(rows), np.inf)
    for fraction in np.linspace(1.0, 0.5, 30):
        scale = (largest * fraction)[:, None]
        stored = np.clip(np.rint(rows / scale), -127, 127)
        error = ((rows - stored * scale) ** 2).sum(axis=1)
        better = error < least
        best, least = np.where(better, scale[:, 0], best), np.where(better, error, least)
    return best.astype(np.float32).astype(np.float64)
