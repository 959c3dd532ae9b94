"""Histograms of a stream, and ranges from them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.compress.quantize.ranges import (
    Statistics,
    affine_quant,
    choose_range,
    weight_scales,
)


def gathered(*parts: np.ndarray) -> Statistics:
    statistics = Statistics()
    for part in parts:
        statistics.observe("x", part.astype(np.float32))
    return statistics


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=50))
@settings(max_examples=60, deadline=None)
def test_no_value_is_lost_when_the_histogram_widens(values: list[float]) -> None:
    array = np.array(values, np.float32)
    statistics = gathered(*array.reshape(-1, 1))
    centres, counts = statistics.centres()
    assert counts.sum() == array.size
    assert statistics.low == array.min()
    assert statistics.high == array.max()
    step = 2.0 * statistics.limit / 4096
    assert abs((centres * counts).sum() / array.size - array.mean()) <= step + 1e-3


def test_merging_two_streams_is_observing_both() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=300), rng.normal(size=300) * 40.0
    merged, both = gathered(a).merged(gathered(b)), gathered(a, b)
    assert merged.counts.sum() == both.counts.sum()
    assert (merged.low, merged.high, merged.limit) == (both.low, both.high, both.limit)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@settings(max_examples=200, deadline=None)
def test_zero_is_exact_and_the_range_is_covered(low: float, high: float) -> None:
    low, high = min(low, high), max(low, high)
    quant = affine_quant(low, high)
    (scale,), (zero,) = quant.scale, quant.zero_point
    assert -128 <= zero <= 127
    assert scale == float(np.float32(scale)) > 0.0
    assert quant.dequantize(np.array([zero], np.int8))[0] == 0.0
    for end in (low, high):
        nearest = quant.dequantize(quant.quantize(np.array([end], np.float32)))[0]
        assert abs(nearest - end) <= 1.01 * scale


def test_integers_up_to_255_keep_a_scale_of_one() -> None:
    statistics = gathered(np.arange(256.0))
    for method in ("mse", "minmax"):
        quant = affine_quant(*choose_range(statistics, method, 100.0))
        assert (quant.scale, quant.zero_point) == ((1.0,), (-128,))


def test_mse_errs_less_than_minmax_in_the_mean() -> None:
    values = np.append(np.random.default_rng(0).normal(size=1_000_000), 30.0)
    errors = {}
    for method in ("mse", "minmax"):
        quant = affine_quant(*choose_range(gathered(values), method, 100.0))
        rounded = quant.dequantize(quant.quantize(values.astype(np.float32)))
        errors[method] = ((rounded - values) ** 2).mean()
    assert errors["mse"] < 0.7 * errors["minmax"]


def test_weight_scales_by_mse_are_never_worse() -> None:
    weights = np.random.default_rng(0).normal(size=(6, 20000)).astype(np.float32)
    weights[0, 0] = 9.0

    def error(scales: np.ndarray) -> np.ndarray:
        stored = np.clip(np.rint(weights / scales[:, None]), -127, 127)
        return ((weights - stored * scales[:, None]) ** 2).sum(axis=1)

    best, plain = weight_scales(weights, 0, "mse"), weight_scales(weights, 0, "minmax")
    assert (error(best) <= error(plain) * (1 + 1e-6)).all()
    assert (error(best) < error(plain)).any()
    assert weight_scales(np.zeros((2, 3)), 0, "mse").tolist() == [1.0, 1.0]
