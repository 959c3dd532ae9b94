"""Requantization by two products: the same outputs as the exact one, or none at all."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.ir import Array
from netsuke.ops.fixed_point import quantize_multiplier
from netsuke.ops.requant import Requant
from netsuke.ops.step_scale import WIDEST, step_scale


def requant_of(factors: list[float], zero: int, low: int, high: int) -> Requant:
    pairs = [quantize_multiplier(factor) for factor in factors]
    multiplier = np.array([pair[0] for pair in pairs], np.int32)
    shift = np.array([pair[1] for pair in pairs], np.int8)
    return Requant(0, zero, low, high, multiplier, shift, 1 << 30)


def near_steps(requant: Requant, least: Array, most: Array, rng: np.random.Generator) -> Array:
    """Accumulators of each channel: all of a short range, else samples and all around steps."""
    columns = []
    for channel, (first, last) in enumerate(zip(least, most, strict=True)):
        x = np.unique(rng.integers(first, last, 40_000, endpoint=True))
        every = np.full((len(x), len(least)), 0)
        every[:, channel] = x
        y = requant.apply(every)[:, channel]
        edges = x[:-1][y[1:] != y[:-1]]
        around = (edges[:, None] + np.arange(-40, 41)).reshape(-1)
        picked = np.clip(np.concatenate([x, around, [first, last]]), first, last)
        columns.append(rng.permutation(np.resize(picked, 60_000)))
    return np.stack(columns, axis=1)


@settings(max_examples=40, deadline=None)
@given(
    exponents=st.lists(st.floats(-14.0, -0.1), min_size=1, max_size=3),
    zero=st.sampled_from([-128, -3, 0, 127]),
    clamp=st.sampled_from([(-128, 127), (-100, 90), (0, 0), (-128, 0)]),
    reach=st.integers(1, 1 << 24),
    seed=st.integers(0, 1 << 20),
)
def test_the_staircase_is_the_same_at_every_step(
    exponents: list[float], zero: int, clamp: tuple[int, int], reach: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    requant = requant_of([2.0**exponent for exponent in exponents], zero, *clamp)
    least = rng.integers(-reach, 1, len(exponents))
    most = least + rng.integers(0, reach, len(exponents), endpoint=True)
    scale = step_scale(requant, least, most)
    wide = (255.0 * 2.0 ** -np.array(exponents)).max() > WIDEST
    assert scale is not None or wide
    if scale is not None:
        x = near_steps(requant, least, most, rng)
        np.testing.assert_array_equal(scale.apply(x), requant.apply(x))


def test_scales_of_powers_of_two_keep_their_ties() -> None:
    requant = requant_of([2.0**-k for k in range(1, 9)], 0, -128, 127)
    least, most = np.full(8, -40_000), np.full(8, 40_000)
    scale = step_scale(requant, least, most)
    assert scale is not None
    x = np.repeat(np.arange(-40_000, 40_001)[:, None], 8, axis=1)
    np.testing.assert_array_equal(scale.apply(x), requant.apply(x))


def test_a_factor_above_one_is_refused() -> None:
    requant = requant_of([3.0], 0, -128, 127)
    assert step_scale(requant, np.array([-100]), np.array([100])) is None


def test_no_product_overflows() -> None:
    requant = requant_of([2.0**-k for k in np.linspace(0.5, 9.5, 40)], -128, -128, 127)
    least, most = np.full(40, -(1 << 29)), np.full(40, 1 << 29)
    scale = step_scale(requant, least, most)
    assert scale is not None
    for x in (scale.low, scale.high):
        assert np.abs(x * scale.a).max() < 1 << 31
        assert np.abs(x * scale.b).max() < 1 << 31
        assert np.abs(x * scale.a + (x * scale.b >> 12) + scale.c).max() < 1 << 31
